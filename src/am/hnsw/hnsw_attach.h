/*
 * hnsw_attach.h
 *	  Links to nodes that no search could reach any more, because the nodes that linked to them
 *	  are gone.
 */
#ifndef HX_HNSW_ATTACH_H
#define HX_HNSW_ATTACH_H

#include "am/hnsw/hnsw.h"

/*
 * Brings all nodes into reach of the entries again, after some have been freed. For vacuum alone,
 * which holds no lock: nobody else frees nodes. Does nothing when maintenance_work_mem does not
 * hold two bits for each node.
 */
extern void hnsw_attach_lost(Relation index, BufferAccessStrategy strategy);

#endif							/* HX_HNSW_ATTACH_H */

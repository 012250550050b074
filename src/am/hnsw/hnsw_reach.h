/*
 * hnsw_reach.h
 *	  Which nodes a search could come by at all: a measure of the graph's health.
 */
#ifndef HX_HNSW_REACH_H
#define HX_HNSW_REACH_H

#include "am/hnsw/hnsw.h"

/* Living nodes that can be reached from the entries along links; reads nearly all pages. */
extern double hnsw_reach_count(Relation index);

#endif							/* HX_HNSW_REACH_H */

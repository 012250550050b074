/*
 * meta.h
 *	  Reading the metapage of an index, block 0.
 *
 * Every metapage begins with a magic number (4 bytes) and the version of the index's format
 * (2 bytes); what follows is the access method's.
 */
#ifndef HX_AM_META_H
#define HX_AM_META_H

#include "am/common/page.h"

/*
 * Copies the metapage's contents, `size` bytes. Another page, another magic number or fewer bytes
 * are reported as damage, another format by hx_meta_report_format().
 */
extern void hx_meta_read(Relation index, uint16 page_id, uint32 magic, uint16 format, void *meta,
						 Size size);

/* Refuses to read the index; the detail is a whole sentence. */
#define hx_meta_report_format(index, ...) \
	ereport(ERROR, \
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), \
			 errmsg("index \"%s\" has a format that this version of hashidx cannot read", \
					RelationGetRelationName(index)), \
			 errdetail(__VA_ARGS__), \
			 errhint("Install the version of hashidx that wrote it, or rebuild it with REINDEX INDEX.")))

#endif							/* HX_AM_META_H */

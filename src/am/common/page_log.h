/*
 * page_log.h
 *	  WAL of a small change to one page, by those who know which bytes they changed.
 */
#ifndef HX_AM_PAGE_LOG_H
#define HX_AM_PAGE_LOG_H

#include "am/common/page.h"

/* Some bytes of a page; as in the record of a change. */
typedef struct HxPageRange
{
	uint16		offset;
	uint16		length;
} HxPageRange;

/* The range of what lies at a place on a page. */
static inline HxPageRange
hx_page_range(Page page, const void *place, Size length)
{
	return (HxPageRange) {(uint16) ((const char *) place - (const char *) page), (uint16) length};
}

/* Most ranges of one record. */
#define HX_PAGE_MAX_RANGES 72

/* Gets the memory that a record takes; to be called before the critical section. */
extern void hx_page_log_prepare(void);

/*
 * Marks the page in an exclusively locked buffer dirty and logs the bytes of the ranges, the
 * only ones that have changed. Between pd_lower and pd_upper, as they are now, all is zero.
 * The caller has called hx_page_log_prepare(), and changes the page and calls this in one critical
 * section.
 */
extern void hx_page_log(Relation index, Buffer buf, const HxPageRange *ranges, int count);

#endif							/* HX_AM_PAGE_LOG_H */

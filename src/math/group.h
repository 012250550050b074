/*
 * group.h
 *	  Finding equal byte strings in a large array, on the team.
 */
#ifndef HX_GROUP_H
#define HX_GROUP_H

#include <stdint.h>

#include "math/team.h"

/* Bytes of scratch that hx_group_equal needs for `count` strings. */
extern size_t hx_group_scratch(size_t count);

/*
 * Orders the strings so that equal ones stand together: fills order[0..count)
 * with a permutation of 0..count-1 in which the members of a group follow each
 * other in ascending number, and groups follow each other by their first
 * member. Without equal strings this is the identity. The result does not
 * depend on the number of threads.
 *
 * strings: count strings of `width` bytes each, one after the other;
 * count < 2^32; scratch: hx_group_scratch(count) bytes, aligned to 8.
 * check runs between chunks, as in team.h. Returns the number of groups.
 */
extern size_t hx_group_equal(const uint8_t *strings, size_t width, size_t count,
							 uint32_t *order, void *scratch,
							 HxTeamCheck check, void *check_context);

#endif							/* HX_GROUP_H */

/*
 * elements.h
 *	  Arrays as sets of hashes: what MinHash sees of them.
 */
#ifndef HX_ELEMENTS_H
#define HX_ELEMENTS_H

#include "hashidx.h"

#include "utils/array.h"

/*
 * Hashes of all elements of an int4, int8 or text array, palloc'd: in the array's order,
 * duplicates as often as they occur (to MinHash they make no difference). Integers hash by
 * value, so {1,2} is the same set as integer[] and as bigint[]. Errors when the array
 * contains nulls, as everywhere where arrays are sets, or is of another type.
 */
extern uint64 *hx_elements_hash(ArrayType *array, Size *count);

/* The same for one element that is not null. */
extern uint64 hx_element_hash(Datum element, Oid type);

/* An error unless arrays of this element type are sets: int4, int8, text. */
extern void hx_elements_check_type(Oid type);

#endif							/* HX_ELEMENTS_H */

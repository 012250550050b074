/*
 * hnsw_format.h
 *	  How own vectors are stored when no option says it: as f16, unless its rounding is large
 *	  against the distances between neighbours.
 */
#ifndef HX_HNSW_FORMAT_H
#define HX_HNSW_FORMAT_H

#include "am/hnsw/hnsw_space.h"

/* Rows of a table that are looked at. */
#define HNSW_FORMAT_ROWS 512

/*
 * The format for vectors like these, as they are stored now: f32, one after the other. Of several
 * the distances among them count, of a single one how far its coordinates are from their mean.
 */
extern HxStoredFormat hnsw_format_choose(const HnswShape *shape, const uint8 *stored, size_t count);

/* Stores a vector that is stored as f32 as f16 instead; returns by how much that moves it. */
extern float hnsw_format_shorten(const HnswShape *shape, const uint8 *stored, uint8 *shorter);

#endif							/* HX_HNSW_FORMAT_H */

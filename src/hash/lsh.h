/*
 * lsh.h
 *	  Locality-sensitive hashing: families of functions that near points share,
 *	  the keys of a point's buckets, the order in which to probe, and sketches.
 *
 * A shape says everything that keys and sketches depend on. An HxLsh is a shape made
 * ready for use: one piece of memory without pointers, constant after hx_lsh_init(), so
 * it may be copied, cached and shared between threads. Keys and sketches are a format:
 * the same on every CPU.
 */
#ifndef HX_LSH_H
#define HX_LSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "math/memory.h"

/* Stored: numbers may not change. */
typedef enum HxLshFamily
{
	HX_LSH_HYPERPLANE = 1,		/* signs of projections; cosine distance */
	HX_LSH_POLYTOPE = 2,		/* nearest vertex of a cross-polytope; cosine distance */
	HX_LSH_STABLE = 3,			/* projections cut into cells; Euclidean distance */
	HX_LSH_BITS = 4,			/* bits of a code; Hamming distance */
	HX_LSH_MINHASH = 5,			/* smallest hashes of a set; Jaccard distance */
} HxLshFamily;

#define HX_LSH_MAX_TABLES 256
#define HX_LSH_MAX_HASHES 64
#define HX_LSH_MAX_SKETCH 64

/*
 * All of a metapage's fields, each of a fixed size; hx_lsh_shape_fault() knows what they
 * may be. A table's key is made of `hashes` values: what is called K, or rows of a band.
 */
typedef struct HxLshShape
{
	uint64_t	seed;
	uint32_t	family;			/* HxLshFamily */
	uint32_t	dims;			/* of a vector; bits of a code; 0 for sets */
	uint32_t	tables;			/* L, or bands */
	uint32_t	hashes;			/* K, or rows of a band */
	uint32_t	part;			/* polytope: coordinates to choose from, 2^k >= 2; others 0 */
	uint32_t	sketch_bytes;	/* of a point; a multiple of 8 */
	float		width;			/* stable: of a cell, > 0; others 0 */
	uint32_t	reserved;		/* 0 */
} HxLshShape;

/* What a family hashes; the shape's family says which. `count` is of elements, others ignore it. */
typedef struct HxLshPoint
{
	union
	{
		const float *vector;
		const uint8_t *code;
		const uint64_t *elements;	/* hashes (minhash.h), in any order; duplicates count once */
	};
	size_t		count;
} HxLshPoint;

typedef struct HxLsh HxLsh;

/* "hyperplane", "cross_polytope", "p_stable", "bits", "minhash"; NULL: no such family. */
extern const char *hx_lsh_family_name(uint32_t family);

/* What is wrong with a shape that comes from a page or a user, as a sentence; NULL: nothing. */
extern const char *hx_lsh_shape_fault(const HxLshShape *shape);

/* Bytes of an HxLsh of this shape, and making it in as many (aligned to 8). */
extern size_t hx_lsh_size(const HxLshShape *shape);
extern void hx_lsh_init(HxLsh *lsh, const HxLshShape *shape);
extern const HxLshShape *hx_lsh_shape(const HxLsh *lsh);

/* Bytes of scratch (aligned to 8) that hx_lsh_keys() and hx_lsh_sketch() need. */
extern size_t hx_lsh_scratch(const HxLsh *lsh);

/*
 * The keys of a point's buckets, one a table. All 64 bits are well mixed, the number of
 * the table is in the mix, and any of the bits may be used. The zero vector and the empty
 * set have keys like any other point.
 */
extern void hx_lsh_keys(const HxLsh *lsh, HxLshPoint point, void *scratch, uint64_t *keys);

/* Chance that two points at a distance share one hash function's value (not yet a key). */
extern double hx_lsh_collision(const HxLshShape *shape, double distance);

/*
 * Probes: the buckets of all tables, the likeliest to hold near points first. The
 * first ones are the keys of the query itself, one a table; no bucket comes twice.
 * Memory grows with the number of probes taken, and is the caller's to free.
 */
typedef struct HxLshProbes HxLshProbes;

typedef struct HxLshProbe
{
	uint32_t	table;
	uint64_t	key;
} HxLshProbe;

extern HxLshProbes *hx_lsh_probes_begin(const HxLsh *lsh, HxLshPoint query,
										const HxMemory *memory);

/* The same for another query, with the memory of the one before. */
extern void hx_lsh_probes_restart(HxLshProbes *probes, HxLshPoint query);

/* False when there are no more, which happens long after it makes sense to go on. */
extern bool hx_lsh_probes_next(HxLshProbes *probes, HxLshProbe *probe);

/*
 * Sketches: shape.sketch_bytes bytes that keep some idea of where a point is. A query
 * sketch is made once a query and then compared with many sketches; the distance it
 * gives is an estimate in the units of the family's distance, never NaN.
 */
typedef struct HxLshQuery HxLshQuery;

extern void hx_lsh_sketch(const HxLsh *lsh, HxLshPoint point, void *scratch, uint8_t *sketch);
extern HxLshQuery *hx_lsh_query(const HxLsh *lsh, HxLshPoint query, const HxMemory *memory);
extern float hx_lsh_sketch_distance(const HxLshQuery *query, const uint8_t *sketch);

/*
 * The estimate that points at the given true distance stay below, but for a few in a
 * million: what a range scan may cut candidates by before it visits the heap.
 */
extern float hx_lsh_sketch_limit(const HxLshQuery *query, double distance);

#endif							/* HX_LSH_H */

/*
 * lsh_family.h
 *	  What a family of locality-sensitive functions has to provide. For lsh*.c only.
 */
#ifndef HX_LSH_FAMILY_H
#define HX_LSH_FAMILY_H

#include "hash/lsh.h"
#include "hash/mix.h"
#include "kernel/kernel.h"
#include "kernel/target.h"

/* Values of one hash function, besides the query's own, that probes go on to. */
#define HX_LSH_MAX_OPTIONS 16

struct HxLsh
{
	HxLshShape	shape;
	uint64_t	salt;			/* of the values that make keys */
	uint32_t	positions[];	/* bits: that each table's hashes look at, then the sketch */
};

/* Blocks of the seeded rotation from here on are for sketches, those before for keys. */
#define HX_LSH_SKETCH_BLOCK (UINT64_C(1) << 40)

/* Another value for one of a table's hashes: what it costs, and how it changes the key. */
typedef struct HxLshStep
{
	float		cost;			/* additive; the likelier the cheaper */
	uint32_t	slot;			/* which of the hashes */
	uint64_t	change;			/* key ^ change is the key with the other value */
} HxLshStep;

/* The steps of all tables, `room` for each; those of table t begin at steps[t * room]. */
typedef struct HxLshSteps
{
	uint32_t	room;
	uint32_t   *count;			/* per table */
	HxLshStep  *steps;
} HxLshSteps;

typedef struct HxLshFamilyMethods
{
	/* Bytes of scratch for locate and sketch. */
	size_t		(*scratch) (const HxLsh *lsh);

	/* The keys of all tables and, unless `steps` is NULL, the steps away from them. */
	void		(*locate) (const HxLsh *lsh, HxLshPoint point, void *scratch, uint64_t *keys,
						   HxLshSteps *steps);

	/* Steps that one hash has at most. */
	uint32_t	(*options) (const HxLshShape *shape);

	double		(*collision) (const HxLshShape *shape, double distance);

	void		(*sketch) (const HxLsh *lsh, HxLshPoint point, void *scratch, uint8_t *sketch);
	HxLshQuery *(*query) (const HxLsh *lsh, HxLshPoint point, const HxMemory *memory);
} HxLshFamilyMethods;

/* A query sketch begins with its family's functions and goes on as that likes. */
struct HxLshQuery
{
	float		(*distance) (const HxLshQuery *query, const uint8_t *sketch);
	float		(*limit) (const HxLshQuery *query, double distance);
};

/* The query of sketches that are compared bit by bit. */
typedef struct HxLshBitQuery
{
	HxLshQuery	base;
	uint32_t	bytes;
	uint32_t	bits;			/* that are independent of each other */
	float		unit;			/* distance that a differing bit stands for */
	uint8_t		sketch[HX_LSH_MAX_SKETCH];
} HxLshBitQuery;

/* Of n bits each of which differs with probability p, the most that do but once in a million. */
extern double hx_lsh_most_differing(double p, double n);

extern const HxLshFamilyMethods hx_lsh_angular;	/* HYPERPLANE and POLYTOPE */
extern const HxLshFamilyMethods hx_lsh_stable;
extern const HxLshFamilyMethods hx_lsh_bits;
extern const HxLshFamilyMethods hx_lsh_minhash;

extern const HxLshFamilyMethods *hx_lsh_methods(uint32_t family);

/* Bits: how many positions there are to keep, and choosing them. */
extern size_t hx_lsh_position_count(const HxLshShape *shape);
extern void hx_lsh_choose_positions(HxLsh *lsh);

/*
 * What the value of one hash puts into its table's key. A key is the exclusive or of
 * these, so that a step changes it without the other values.
 */
static inline uint64_t
hx_lsh_share(const HxLsh *lsh, uint32_t table, uint32_t slot, uint64_t value)
{
	return hx_mix(value ^ hx_mix(lsh->salt + table * HX_LSH_MAX_HASHES + slot));
}

static inline void
hx_lsh_add_step(HxLshSteps *steps, uint32_t table, uint32_t slot, float cost, uint64_t change)
{
	steps->steps[(size_t) table * steps->room + steps->count[table]++] =
		(HxLshStep) {cost, slot, change};
}

#endif							/* HX_LSH_FAMILY_H */

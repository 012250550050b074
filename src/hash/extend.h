/*
 * extend.h
 *	  Lifelong hashing: a model that learns from new rows while the codes of the
 *	  old rows stay valid.
 */
#ifndef HX_EXTEND_H
#define HX_EXTEND_H

#include "hash/model.h"
#include "math/compute.h"

/* What is usual for the two wishes of an extension. */
#define HX_EXTEND_AGREEMENT 0.95
#define HX_EXTEND_RIDGE 0.5

/* Fewer old rows tell too little. */
#define HX_EXTEND_LEAST_OLD_ROWS 10

/* Codes are found by comparing rows pair by pair: so many new and so many old ones at most. */
#define HX_EXTEND_PAIRED_ROWS 2000

typedef struct HxExtension
{
	const HxModel *old;			/* checked, and gives codes */

	/* Old rows, and after them new ones, old->dims numbers each; both in random order. */
	const float *rows;
	size_t		old_count;
	size_t		new_count;		/* at most HX_EXTEND_PAIRED_ROWS */

	/* The codes stored for the old rows, packed as in model.h. */
	const uint8_t *codes;

	double		agreement;		/* least share of bits that must stay, 0 .. 1 */
	double		ridge;			/* 0 < ridge <= 1e6: the least hold on the old model; 1 is much */
	HxCompute	compute;		/* memory that lasts until the model is stored; check */

	/*
	 * Results. A fifth of the old rows is not learned from; on them the shares are
	 * measured of bits that are as stored.
	 */
	double		old_agreed;		/* of the old model: 1, unless the codes are not its own */
	double		agreed;			/* of the new model */
	double		changed;		/* share of bits of the new rows that are not the old model's */
	double		used_ridge;		/* the ridge it came to */
	char		problem[256];	/* why not */
} HxExtension;

/*
 * Makes `model`, of as many dimensions and bits as the old one. Its parameters lie in
 * compute.memory or belong to the old one. It is of the old kind when that has a matrix
 * that takes the change, else of kind layers. False, with `problem` set, when it cannot
 * be done; the shares then tell how near it came.
 */
extern bool hx_extend(HxExtension *extension, HxModel *model);

#endif							/* HX_EXTEND_H */

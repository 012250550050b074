/*
 * qvec_sketch.h
 *	  Sketches of vectors: short enough for pg_statistic, and true enough to tell which of
 *	  them are near.
 *
 * A sketch of v has its coordinates along a few axes, those along which a column's vectors
 * vary most, from their mean; then the length of the rest of v - mean, and the norm of v. The
 * rests of two vectors are taken to be orthogonal, which in many dimensions they nearly are.
 */
#ifndef HX_QVEC_SKETCH_H
#define HX_QVEC_SKETCH_H

#include "type/qvec.h"

/* Numbers of a sketch beyond its coordinates. */
#define HX_SKETCH_EXTRA 2

typedef struct QvecAxes
{
	int			dims;
	int			count;
	const float *mean;			/* dims */
	const float *axes;			/* count x dims, orthonormal; an axis may be zero */
} QvecAxes;

/*
 * Axes of rows (count x dims), in CurrentMemoryContext; false: the numbers are too large to
 * be squared.
 */
extern bool hx_qvec_axes_find(const float *rows, int count, int dims, int axes, QvecAxes *found);

/* axes->count + HX_SKETCH_EXTRA numbers; false: some are too large. */
extern bool hx_qvec_sketch(const QvecAxes *axes, const float *v, float *sketch);

/* Distances of what has been sketched with that many axes; cosine: NaN for a zero vector. */
extern double hx_sketch_l2(const float *a, const float *b, int axes);
extern double hx_sketch_cosine(const float *a, const float *b, int axes);

/*
 * How axes and sketches are kept, as qvecs: the mean, the axes, then the sketches, whose
 * dimensions tell how many axes there are. Read reports false when the values are no such list.
 */
extern void hx_qvec_axes_keep(const QvecAxes *axes, Datum *values);
extern bool hx_qvec_axes_read(const Datum *values, int count, QvecAxes *axes);

#endif							/* HX_QVEC_SKETCH_H */

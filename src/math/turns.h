/*
 * turns.h
 *	  A matrix that is the product of many plane rotations: those of QR
 *	  iterations, recorded sweep by sweep and applied later on the team. For the
 *	  files of this folder.
 */
#ifndef HX_TURNS_H
#define HX_TURNS_H

#include "kernel/kernel.h"
#include "math/compute.h"

/* The turns of rows first, first + 1, ... of the matrix, each row with the next. */
typedef struct HxSweep
{
	size_t		first;
	size_t		count;
	const HxTurn *turns;
} HxSweep;

typedef struct HxTurns
{
	HxCompute  *compute;
	size_t		n;
	double	   *strips;			/* the n x n matrix, [strip][row][HX_STRIP] */
	HxTurn	   *turns;			/* not applied yet */
	size_t		turn_count;
	HxSweep    *sweeps;
	size_t		sweep_count;
} HxTurns;

/* The turn of (x, y) into (length, 0), of numbers from a matrix scaled to about 1. */
extern HxTurn hx_turn(double x, double y, double *length);

/* Starts with the n x n identity, in scratch. */
extern void hx_turns_init(HxTurns *turns, HxCompute *compute, size_t n);

/* Room for the turns of a new sweep over `count` + 1 rows, to be filled in before the next call. */
extern HxTurn *hx_turns_sweep(HxTurns *turns, size_t first, size_t count);

/* Applies what is recorded. */
extern void hx_turns_apply(HxTurns *turns);

/* Copies row `row` to every stride-th number of out. All must be applied. */
extern void hx_turns_row(const HxTurns *turns, size_t row, double *out, size_t stride);

#endif							/* HX_TURNS_H */

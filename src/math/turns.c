/*
 * turns.c
 *	  A matrix that is the product of many plane rotations.
 *
 * A sweep of rotations reads and writes the whole matrix for few operations a
 * number. So sweeps are collected, and then all applied to one narrow strip of
 * columns, which stays in the cache, before the next strip (Van Zee, van de
 * Geijn, Quintana-Orti 2014). Strips are what threads share out.
 */
#include "math/turns.h"

#include <math.h>
#include <string.h>

#include "kernel/target.h"

#define TURNS_CAPACITY 65536	/* 1 MB; more for a matrix with more rows */
#define SWEEPS_CAPACITY 4096

#define TINY_SQUARE 0x1p-900

HxTurn
hx_turn(double x, double y, double *length)
{
	const double square = x * x + y * y;

	/*
	 * A square that lost digits to underflow would give a turn that is none, and
	 * spoil the product for ever; y does not matter then. Nor where it is not a number.
	 */
	if (!(square > TINY_SQUARE))
	{
		*length = x;
		return (HxTurn) {1, 0};
	}
	*length = sqrt(square);
	return (HxTurn) {x / *length, y / *length};
}

void
hx_turns_init(HxTurns *turns, HxCompute *compute, size_t n)
{
	const size_t strips = (n + HX_STRIP - 1) / HX_STRIP;
	const size_t capacity = n < TURNS_CAPACITY ? TURNS_CAPACITY : n;

	*turns = (HxTurns) {.compute = compute, .n = n};
	turns->strips = hx_scratch(compute, strips * n * HX_STRIP, sizeof(double));
	turns->turns = hx_scratch(compute, capacity, sizeof(HxTurn));
	turns->sweeps = hx_scratch(compute, SWEEPS_CAPACITY, sizeof(HxSweep));

	memset(turns->strips, 0, strips * n * HX_STRIP * sizeof(double));
	for (size_t i = 0; i < n; i++)
		turns->strips[(i / HX_STRIP * n + i) * HX_STRIP + i % HX_STRIP] = 1;
}

HxTurn *
hx_turns_sweep(HxTurns *turns, size_t first, size_t count)
{
	HxTurn	   *room;

	if (turns->turn_count > 0 &&
		(turns->turn_count + count > TURNS_CAPACITY || turns->sweep_count == SWEEPS_CAPACITY))
		hx_turns_apply(turns);

	room = turns->turns + turns->turn_count;
	turns->sweeps[turns->sweep_count++] = (HxSweep) {first, count, room};
	turns->turn_count += count;
	return room;
}

/* Over strips: all the sweeps. */
static void
rotate_strips(void *context, size_t begin, size_t end)
{
	const HxTurns *turns = context;

	for (size_t i = begin; i < end; i++)
	{
		double	   *strip = turns->strips + i * turns->n * HX_STRIP;

		for (size_t s = 0; s < turns->sweep_count; s++)
		{
			const HxSweep *sweep = &turns->sweeps[s];

			hx_kernels->rotate_strip(strip + sweep->first * HX_STRIP, sweep->turns, sweep->count);
		}
	}
}

void
hx_turns_apply(HxTurns *turns)
{
	hx_compute_run(turns->compute, rotate_strips, turns, (turns->n + HX_STRIP - 1) / HX_STRIP,
				   turns->turn_count * HX_STRIP * 4);
	turns->turn_count = 0;
	turns->sweep_count = 0;
}

void
hx_turns_row(const HxTurns *turns, size_t row, double *out, size_t stride)
{
	for (size_t column = 0; column < turns->n; column++)
		out[column * stride] =
			turns->strips[(column / HX_STRIP * turns->n + row) * HX_STRIP + column % HX_STRIP];
}

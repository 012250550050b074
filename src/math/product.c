/*
 * product.c
 *	  The matrix product under all of matrix.h.
 *
 * The method is that of Goto and van de Geijn: both factors are copied, block by
 * block, into panels of HX_TILE lines, so that the kernel reads memory in order;
 * the kernel then adds a product of two panels to a tile of C. Blocks are as
 * large as the caches like. Threads share out panels and tiles; how an element
 * is summed depends neither on them nor on the blocks.
 */
#include "math/product.h"

#include <string.h>

#include "kernel/kernel.h"
#include "kernel/target.h"

#define TILE HX_TILE

/* A block: the panels of one factor fit the second-level cache, one panel the first. */
#define BLOCK_LINES 1024
#define BLOCK_DEPTH 256

/* The block in hand. Of a symmetric product, b is a. */
typedef struct Product
{
	const HxOperand *a;
	const HxOperand *b;
	size_t		a_begin;		/* first line of each factor, */
	size_t		a_lines;		/* and how many */
	size_t		b_begin;
	size_t		b_lines;
	size_t		depth_begin;
	size_t		depth;
	double	   *a_panels;		/* [panel][depth][TILE] */
	double	   *b_panels;		/* those of a, where they are the same lines */
	double	   *c;				/* all of it */
	size_t		stride;
} Product;

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t
panels_of(size_t lines)
{
	return (lines + TILE - 1) / TILE;
}

static inline double
element(const HxOperand *operand, size_t row, size_t column)
{
	size_t		at = row * operand->stride + column;
	double		x = operand->doubles != NULL ? operand->doubles[at] : operand->floats[at];

	if (operand->mean != NULL)
		x -= operand->mean[column];
	return operand->negative ? -x : x;
}

/* Copies up to TILE lines into a panel; lines that are missing become zeros. */
static void
pack_panel(const HxOperand *operand, size_t line, size_t lines, size_t begin, size_t depth,
		   double *panel)
{
	if (lines < TILE)
		memset(panel, 0, depth * TILE * sizeof(double));

	if (operand->lines_are_rows)
	{
		for (size_t i = 0; i < lines; i++)
			for (size_t k = 0; k < depth; k++)
				panel[k * TILE + i] = element(operand, line + i, begin + k);
	}
	else
	{
		for (size_t k = 0; k < depth; k++)
			for (size_t i = 0; i < lines; i++)
				panel[k * TILE + i] = element(operand, begin + k, line + i);
	}
}

/* Over panels: first those of a, then those of b. */
static void
pack_panels(void *context, size_t begin, size_t end)
{
	const Product *p = context;
	const size_t a_panels = panels_of(p->a_lines);

	for (size_t i = begin; i < end; i++)
	{
		bool		is_a = i < a_panels;
		size_t		panel = is_a ? i : i - a_panels;
		size_t		lines = (is_a ? p->a_lines : p->b_lines) - panel * TILE;

		pack_panel(is_a ? p->a : p->b, (is_a ? p->a_begin : p->b_begin) + panel * TILE,
				   smaller(lines, TILE), p->depth_begin, p->depth,
				   (is_a ? p->a_panels : p->b_panels) + panel * p->depth * TILE);
	}
}

/* Adds the product of panel i of a and panel j of b to their tile of C. */
static void
multiply_panels(const Product *p, size_t i, size_t j)
{
	const double *a = p->a_panels + i * p->depth * TILE;
	const double *b = p->b_panels + j * p->depth * TILE;
	const size_t rows = smaller(p->a_lines - i * TILE, TILE);
	const size_t columns = smaller(p->b_lines - j * TILE, TILE);
	double	   *c = p->c + (p->a_begin + i * TILE) * p->stride + p->b_begin + j * TILE;
	double		tile[TILE * TILE] = {0};

	if (rows == TILE && columns == TILE)
	{
		hx_kernels->multiply_tile(c, p->stride, a, b, p->depth);
		return;
	}

	/* At the edges of C, a tile of our own. */
	for (size_t r = 0; r < rows; r++)
		memcpy(tile + r * TILE, c + r * p->stride, columns * sizeof(double));
	hx_kernels->multiply_tile(tile, TILE, a, b, p->depth);
	for (size_t r = 0; r < rows; r++)
		memcpy(c + r * p->stride, tile + r * TILE, columns * sizeof(double));
}

/* Over tiles, row by row. */
static void
multiply_tiles(void *context, size_t begin, size_t end)
{
	const Product *p = context;
	const size_t columns = panels_of(p->b_lines);

	for (size_t tile = begin; tile < end; tile++)
		multiply_panels(p, tile / columns, tile % columns);
}

/* Over the tiles on and below the diagonal, row by row: row i has i + 1 of them. */
static void
multiply_lower_tiles(void *context, size_t begin, size_t end)
{
	const Product *p = context;
	size_t		i = 0;
	size_t		j;

	while ((i + 1) * (i + 2) / 2 <= begin)
		i++;
	j = begin - i * (i + 1) / 2;
	for (size_t tile = begin; tile < end; tile++)
	{
		multiply_panels(p, i, j);
		if (j++ == i)
		{
			i++;
			j = 0;
		}
	}
}

/* All depths of one block of C. */
static void
multiply_block(HxCompute *compute, Product *p, size_t depth)
{
	const bool	on_diagonal = p->b_panels == p->a_panels;
	const size_t a_panels = panels_of(p->a_lines);
	const size_t b_panels = panels_of(p->b_lines);

	for (p->depth_begin = 0; p->depth_begin < depth; p->depth_begin += BLOCK_DEPTH)
	{
		p->depth = smaller(depth - p->depth_begin, BLOCK_DEPTH);
		/* Packing a number costs about as much as adding ten. */
		hx_compute_run(compute, pack_panels, p, on_diagonal ? a_panels : a_panels + b_panels,
					   p->depth * TILE * 10);
		if (on_diagonal)
			hx_compute_run(compute, multiply_lower_tiles, p, a_panels * (a_panels + 1) / 2,
						   p->depth * TILE * TILE);
		else
			hx_compute_run(compute, multiply_tiles, p, a_panels * b_panels, p->depth * TILE * TILE);
	}
}

/* Copies the half below the diagonal over the half above it. */
static void
mirror(double *c, size_t n, size_t stride)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			c[j * stride + i] = c[i * stride + j];
}

void
hx_product(HxCompute *compute, const HxOperand *a, const HxOperand *b,
		   size_t m, size_t depth, size_t n, double *c, size_t stride)
{
	const size_t panel_doubles = smaller(depth, BLOCK_DEPTH) * TILE;
	HxScratchMark mark = hx_scratch_mark(compute);
	double	   *b_panels;
	Product		p = {.a = a, .b = b, .c = c, .stride = stride};

	p.a_panels = hx_scratch(compute, panels_of(smaller(m, BLOCK_LINES)) * panel_doubles,
							sizeof(double));
	b_panels = hx_scratch(compute, panels_of(smaller(n, BLOCK_LINES)) * panel_doubles,
						  sizeof(double));

	for (p.a_begin = 0; p.a_begin < m; p.a_begin += BLOCK_LINES)
	{
		p.a_lines = smaller(m - p.a_begin, BLOCK_LINES);
		for (p.b_begin = 0; p.b_begin < n; p.b_begin += BLOCK_LINES)
		{
			if (a == b && p.b_begin > p.a_begin)
				break;
			p.b_lines = smaller(n - p.b_begin, BLOCK_LINES);
			p.b_panels = a == b && p.b_begin == p.a_begin ? p.a_panels : b_panels;
			multiply_block(compute, &p, depth);
		}
	}

	if (a == b)
		mirror(c, n, stride);
	hx_scratch_release(compute, mark);
}

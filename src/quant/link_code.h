/*
 * link_code.h
 *	  A neighbour's binary code relative to its node, and the estimate of a query's
 *	  distance to the neighbour from it (RaBitQ; Gao and Long 2024, and the extension
 *	  to several bits, Gao et al. 2025; one centre a node as in SymphonyQG, 2025).
 *
 * Coordinates y are those of vectors that have been centred and rotated (spin.h). A
 * neighbour o of a node v has the residual r = y_o - y_v. Of its first code_dims
 * coordinates the code keeps the sign, and with two bits half a step more: xb, numbers
 * +-1 (or +-0.5, +-1.5). With F = |r|^2 / <xb, r>, F <xb, y_q - y_v> estimates <y_q - y_v, r>
 * without bias, whence
 *
 *		metric	own = distance to the node		estimate = own + add + scale <xb, y_q>
 *		l2		|q - v|^2		scale = -2F		add = |r|^2 + 2F <xb, y_v>
 *		ip		-<q, v>			scale = -F		add = F <xb, y_v> - <v, o - v>
 *		hamming	(not used)		a code is a prefix of the neighbour's bits; the estimate is the
 *								number of bits that differ, in proportion to all bits
 *
 * add and scale are kept as bfloat16; add is computed from the rounded scale, in double,
 * so that rounding does not bias near neighbours. r = 0: add and scale are 0.
 *
 * A code of d coordinates and b bits is a string of b*d bits, the signs first, then the
 * second bits; bit i is bit i % 8 of byte i / 8, unused bits of the last byte are 0.
 */
#ifndef HX_LINK_CODE_H
#define HX_LINK_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"

typedef enum HxLinkMetric
{
	HX_LINK_L2,
	HX_LINK_IP,
	HX_LINK_HAMMING,
} HxLinkMetric;

typedef struct HxLinkShape
{
	HxLinkMetric metric;
	uint32_t	dims;			/* coordinates of y; of hamming: bits */
	uint32_t	code_dims;		/* of which the first so many are coded; of vectors whole bytes */
	uint32_t	bits;			/* a coordinate: 1 or 2; of hamming: 1 */
} HxLinkShape;

/* A link as it lies on a page. */
typedef struct HxLink
{
	uint32_t	node;
	uint16_t	add;			/* bfloat16, of hamming 0 */
	uint16_t	scale;
} HxLink;

extern size_t hx_link_code_bytes(const HxLinkShape *shape);

/*
 * Encodes the neighbour relative to the node; sets add and scale, leaves node alone.
 * centre: the rotated centre (`dims` floats) that was subtracted, NULL for zero; needed by ip only.
 */
extern void hx_link_encode(const HxLinkShape *shape, const float *node_y, const float *neighbour_y,
						   const float *centre, HxLink *link, uint8_t *code);

/* The same for hamming, from the neighbour's bits. */
extern void hx_link_encode_bits(const HxLinkShape *shape, const uint8_t *neighbour,
								HxLink *link, uint8_t *code);

/*
 * A query made ready: y_q in signed binary digits, laid out like the codes. The memory is
 * the caller's: hx_link_query_bytes(shape) bytes, aligned to 64.
 */
typedef struct HxLinkQuery
{
	const HxLinkShape *shape;
	HxDigits	digits;
	float		step;			/* <xb, y_q> = offset - step * (weighted count of differing bits) */
	float		offset;
} HxLinkQuery;

extern size_t hx_link_query_bytes(const HxLinkShape *shape);

/*
 * y_q is rounded to 5 or 6 digits of its own range: what is nearer to it than a sixth of |y_q|
 * cannot be told apart. A fine query has 14, for twice the work or more.
 */
extern void hx_link_query_prepare(HxLinkQuery *query, const HxLinkShape *shape, const float *y,
								  bool fine, void *memory);
extern void hx_link_query_prepare_bits(HxLinkQuery *query, const HxLinkShape *shape,
									   const uint8_t *bits, void *memory);

/* Most links that one call estimates. */
#define HX_MAX_LINKS 64

/*
 * Estimates for `count` neighbours of one node whose own distance is given; codes lie
 * one after the other. An estimate may be negative (ip) or below the truth.
 */
extern void hx_link_estimate(const HxLinkQuery *query, float own, const HxLink *links,
							 const uint8_t *codes, unsigned count, float *estimate);

/* link_pair.c */

/*
 * What a node knows of its neighbours among themselves, from their codes alone, within some
 * per cent. The length of each residual; not of hamming, which has none.
 */
extern void hx_link_lengths(const HxLinkShape *shape, const HxLink *links, unsigned count,
							float *length);

/*
 * The squared distances (hamming: the distances) of the neighbour number `at` to the first
 * `count`, whose codes lie one after the other. length: hx_link_lengths(), of hamming not used;
 * memory: as of a query.
 */
extern void hx_link_pairs(const HxLinkShape *shape, const uint8_t *codes, const float *length,
						  unsigned at, unsigned count, void *memory, float *out);

/*
 * Many codes relative to one centre, in blocks of 32 for FastScan (Andre et al. 2015):
 * for each group of four bits of the code, the 32 codes' groups lie in 16 bytes. In memory
 * only, never stored. blocks: hx_link_block_bytes(shape) bytes for each 32 codes.
 */
extern size_t hx_link_block_bytes(const HxLinkShape *shape);
extern void hx_link_block_put(const HxLinkShape *shape, uint8_t *blocks, size_t index,
							  const uint8_t *code);

/* Estimates as hx_link_estimate gives them, up to the rounding of the query. Not for hamming. */
extern size_t hx_link_table_bytes(const HxLinkShape *shape);
extern void hx_link_table_prepare(const HxLinkShape *shape, const float *y, void *table);
extern void hx_link_estimate_blocks(const HxLinkShape *shape, const void *table, float own,
									const HxLink *links, const uint8_t *blocks, size_t count,
									float *estimate);

#endif							/* HX_LINK_CODE_H */

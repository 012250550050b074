/*
 * chunks.h
 *	  Multi-index hashing: cutting a code into chunks, and how near a chunk must be
 *	  for the whole code to be near.
 *
 * A chunk is a list of bit positions; its key is a number made of those bits, the
 * first position the highest bit. No position stands in two chunks, and not every
 * bit need stand in one. Pure C11.
 */
#ifndef HX_CHUNKS_H
#define HX_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HX_MAX_CHUNKS 32
#define HX_MAX_CHUNK_BITS 32

typedef struct HxChunks
{
	uint16_t	count;
	uint8_t		bits[HX_MAX_CHUNKS];	/* 1 .. HX_MAX_CHUNK_BITS */
	uint16_t	position[HX_MAX_CHUNKS][HX_MAX_CHUNK_BITS];	/* bit 0 is the first of byte 0 */
} HxChunks;

/* Shares the first bits of codes out to `count` chunks (count <= bits), a run of bits to each. */
extern void hx_chunks_cut(HxChunks *chunks, unsigned bits, unsigned count);

/* Bytes of scratch that hx_chunks_deal needs, aligned to 8. */
extern size_t hx_chunks_deal_scratch(unsigned bits, unsigned count, size_t codes);

/*
 * Deals the bits to `count` chunks so that those of one chunk tell as much as can
 * be: bits that are always alike, or go with one another in the sample, are kept
 * apart or come last. sample: `codes` codes, one after the other.
 */
extern void hx_chunks_deal(HxChunks *chunks, unsigned bits, unsigned count,
						   const uint8_t *sample, size_t codes, void *scratch);

/* Can these be chunks of codes of that many bits? For those who read them from somewhere. */
extern bool hx_chunks_valid(const HxChunks *chunks, unsigned bits);

/* The key of chunk number k of a code. */
static inline uint32_t
hx_chunk_key(const HxChunks *chunks, unsigned k, const uint8_t *code)
{
	uint32_t	key = 0;

	for (unsigned i = 0; i < chunks->bits[k]; i++)
	{
		unsigned	position = chunks->position[k][i];

		key = key << 1 | (code[position / 8] >> (7 - position % 8) & 1u);
	}
	return key;
}

/*
 * The general pigeonhole: if two codes lie within `radius` of each other, they lie
 * within hx_chunk_radius(k) in at least one of the `count` chunks. -1: chunk k need
 * not be looked at. The radii plus one add up to radius + 1, so none can be less.
 */
static inline int
hx_chunk_radius(unsigned k, unsigned count, int radius)
{
	int			share = (int) k + radius + 1;

	return share < (int) count ? -1 : share / (int) count - 1;
}

/*
 * The least key not below `from` that lies within `radius` of `query`, all keys
 * having `bits` bits; false: there is none.
 */
extern bool hx_chunk_next_key(uint32_t from, uint32_t query, unsigned bits, int radius,
							  uint32_t *key);

/* The share of all keys of `bits` bits that lies within the radius of one. */
extern double hx_chunk_share(unsigned bits, int radius);

#endif							/* HX_CHUNKS_H */

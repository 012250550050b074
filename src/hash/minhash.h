/*
 * minhash.h
 *	  MinHash signatures of sets: one permutation, optimal densification.
 */
#ifndef HX_MINHASH_H
#define HX_MINHASH_H

#include <stddef.h>
#include <stdint.h>

#include "hash/mix.h"

#define HX_MINHASH_MAX_HASHES 65536

/* The value of a bin that no element fell into; all bins of the empty set keep it. */
#define HX_MINHASH_EMPTY UINT64_MAX

/*
 * Frozen hashes of elements. Integers hash by value, whatever the width of their type;
 * strings byte by byte.
 */
extern uint64_t hx_element_hash_integer(int64_t value);
extern uint64_t hx_element_hash_bytes(const void *bytes, size_t length);

/*
 * Bins: begin, add each element's hash (duplicates and order do not matter), and merge
 * the bins of two sets into those of their union. bins[count], count >= 1.
 */
extern void hx_minhash_begin(uint64_t *bins, size_t count);
extern void hx_minhash_add(uint64_t *bins, size_t count, uint64_t seed,
						   const uint64_t *elements, size_t element_count);
extern void hx_minhash_merge(uint64_t *bins, const uint64_t *other, size_t count);

/* What an element's hash becomes in a signature, salt = hx_mix(seed), and the bin it is in. */
static inline uint64_t
hx_minhash_value(uint64_t element, uint64_t salt)
{
	uint64_t	value = hx_mix(element ^ salt);

	return value == HX_MINHASH_EMPTY ? value - 1 : value;
}

static inline size_t
hx_minhash_bin(uint64_t value, size_t count)
{
	return (size_t) ((value >> 32) * count >> 32);
}

/*
 * Makes bins dense: signature[i] = bins[donors[i]]. A bin that is not empty is its own
 * donor, and so is every bin of the empty set. donors has room for 2 * count entries,
 * the second half is scratch.
 */
extern void hx_minhash_donors(const uint64_t *bins, size_t count, uint64_t seed,
							  uint32_t *donors);

/* Values of two signatures that agree; Jaccard similarity is about that share of `count`. */
extern size_t hx_minhash_matches(const uint64_t *a, const uint64_t *b, size_t count);

/*
 * A code of the lowest `bits` bits of each value (1 .. 8), packed most significant first
 * into (count * bits + 7) / 8 bytes.
 */
extern void hx_minhash_pack(const uint64_t *signature, size_t count, unsigned bits,
							uint8_t *code);

#endif							/* HX_MINHASH_H */

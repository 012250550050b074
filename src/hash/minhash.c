/*
 * minhash.c
 *	  MinHash signatures of sets: one permutation, optimal densification.
 *
 * Signatures are stored: every number here is a format.
 */
#include "hash/minhash.h"

#include <string.h>

/* Bins that an empty one asks at random before it looks at all that are not empty. */
#define ATTEMPTS 64

/* Tells what is drawn for the choice of a bin from the hashes of elements. */
#define DENSIFY_SALT UINT64_C(0xd6e8feb86659fd93)
#define STRING_SALT UINT64_C(0xa0761d6478bd642f)

uint64_t
hx_element_hash_integer(int64_t value)
{
	return hx_mix((uint64_t) value);
}

/* Up to eight bytes, the first one lowest, whatever the order of bytes of the machine. */
static uint64_t
load_word(const uint8_t *bytes, size_t length)
{
	uint64_t	word = 0;

	for (size_t i = 0; i < length; i++)
		word |= (uint64_t) bytes[i] << (8 * i);
	return word;
}

uint64_t
hx_element_hash_bytes(const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	uint64_t	hash = hx_mix(length ^ STRING_SALT);

	for (; length > 8; at += 8, length -= 8)
		hash = hx_mix(hash ^ load_word(at, 8));
	return hx_mix(hash ^ load_word(at, length));
}

void
hx_minhash_begin(uint64_t *bins, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bins[i] = HX_MINHASH_EMPTY;
}

void
hx_minhash_add(uint64_t *bins, size_t count, uint64_t seed,
			   const uint64_t *elements, size_t element_count)
{
	const uint64_t salt = hx_mix(seed);

	for (size_t i = 0; i < element_count; i++)
	{
		const uint64_t hash = hx_minhash_value(elements[i], salt);
		uint64_t   *bin = &bins[hx_minhash_bin(hash, count)];

		*bin = hash < *bin ? hash : *bin;
	}
}

void
hx_minhash_merge(uint64_t *bins, const uint64_t *other, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bins[i] = other[i] < bins[i] ? other[i] : bins[i];
}

/*
 * The bin that empty bin `bin` takes its value from. Every bin ranks all others in an
 * order of its own, and takes the first one that is not empty. So two sets disagree
 * only where that bin is not empty for both, which is what makes signatures agree as
 * often as sets are similar. First in the order come those of a few draws; where all of
 * these are empty, most bins are, and the rest of the order is searched for its minimum.
 */
static size_t
donor(const uint64_t *bins, size_t count, uint64_t salt, size_t bin,
	  const uint32_t *filled, size_t filled_count)
{
	const uint64_t own = hx_mix(salt ^ bin);

	for (uint64_t attempt = 0; attempt < ATTEMPTS; attempt++)
	{
		size_t		at = hx_minhash_bin(hx_mix(own + attempt), count);

		if (bins[at] != HX_MINHASH_EMPTY)
			return at;
	}

	uint64_t	least = UINT64_MAX;
	size_t		first = filled[0];

	for (size_t i = 0; i < filled_count; i++)
	{
		uint64_t	rank = hx_mix(own ^ ~(uint64_t) filled[i]);

		if (rank < least)
		{
			least = rank;
			first = filled[i];
		}
	}
	return first;
}

void
hx_minhash_donors(const uint64_t *bins, size_t count, uint64_t seed, uint32_t *donors)
{
	const uint64_t salt = hx_mix(seed ^ DENSIFY_SALT);
	size_t		filled = 0;

	for (size_t i = 0; i < count; i++)
	{
		if (bins[i] != HX_MINHASH_EMPTY)
			donors[count + filled++] = (uint32_t) i;
	}
	for (size_t i = 0; i < count; i++)
	{
		donors[i] = bins[i] != HX_MINHASH_EMPTY || filled == 0 ? (uint32_t) i :
			(uint32_t) donor(bins, count, salt, i, donors + count, filled);
	}
}

size_t
hx_minhash_matches(const uint64_t *a, const uint64_t *b, size_t count)
{
	size_t		matches = 0;

	for (size_t i = 0; i < count; i++)
		matches += a[i] == b[i];
	return matches;
}

void
hx_minhash_pack(const uint64_t *signature, size_t count, unsigned bits, uint8_t *code)
{
	memset(code, 0, (count * bits + 7) / 8);
	for (size_t i = 0; i < count * bits; i++)
	{
		uint64_t	bit = signature[i / bits] >> (bits - 1 - i % bits) & 1;

		code[i / 8] |= (uint8_t) (bit << (7 - i % 8));
	}
}

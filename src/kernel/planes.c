/*
 * planes.c
 *	  One code in a block of planes: writing it and reading it back.
 *
 * See HxPlanes in kernel.h for the layout.
 */
#include "kernel/kernel.h"

#include <string.h>

unsigned
hx_planes_word_bytes(unsigned at, unsigned code_bytes)
{
	unsigned	left = code_bytes - at;

	if (left >= 8)
		return 8;
	if (left >= 4)
		return 4;
	return left >= 2 ? 2 : 1;
}

void
hx_planes_put(uint8_t *base, unsigned stride, unsigned code_bytes,
			  unsigned position, const uint8_t *code)
{
	unsigned	width;

	/* The planes before byte `at` of the codes take stride * at bytes. */
	for (unsigned at = 0; at < code_bytes; at += width)
	{
		width = hx_planes_word_bytes(at, code_bytes);
		memcpy(base + (size_t) stride * at + (size_t) position * width, code + at, width);
	}
}

void
hx_planes_get(const uint8_t *base, unsigned stride, unsigned code_bytes,
			  unsigned position, uint8_t *code)
{
	const unsigned words = code_bytes / 8 * 8;
	unsigned	width;

	/* Most codes are all words, which are copied faster when their width is known. */
	for (unsigned at = 0; at < words; at += 8)
		memcpy(code + at, base + (size_t) stride * at + (size_t) position * 8, 8);
	for (unsigned at = words; at < code_bytes; at += width)
	{
		width = hx_planes_word_bytes(at, code_bytes);
		memcpy(code + at, base + (size_t) stride * at + (size_t) position * width, width);
	}
}

/*
 * pictures.c
 *	  Makes many pictures of few: each is one of those given, perhaps mirrored, cut,
 *	  stretched, shifted, with noise.
 *
 * Usage: pictures COUNT SEED < IDX file of images > COPY data (binary): id integer, vector qvec
 */
#include "rows.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* At most: the share that is cut off, the shift in pixels, and the noise. */
#define CUT 0.15
#define SHIFT 2.0
#define NOISE 12.0

typedef struct Pictures
{
	uint32_t	count;
	uint32_t	height;
	uint32_t	width;
	uint8_t    *pixels;
} Pictures;

/* Uniform in [0, 1), by splitmix64. */
static double
chance(uint64_t *state)
{
	uint64_t	z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (double) ((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static uint32_t
read_uint32(void)
{
	uint32_t	value;

	if (fread(&value, sizeof(value), 1, stdin) != 1)
		die("standard input ends too early");
	return ntohl(value);
}

static Pictures
read_pictures(void)
{
	if (read_uint32() != 0x00000803)
		die("standard input is not an IDX file of images");

	Pictures	pictures = {.count = read_uint32()};

	pictures.height = read_uint32();
	pictures.width = read_uint32();

	size_t		bytes = (size_t) pictures.count * pictures.height * pictures.width;

	pictures.pixels = malloc(bytes);
	if (pictures.pixels == NULL || fread(pictures.pixels, 1, bytes, stdin) != bytes)
		die("cannot read %zu pixels", bytes);
	return pictures;
}

/* The picture at a place between its pixels; black around it. */
static double
pixel_at(const Pictures *pictures, const uint8_t *picture, double y, double x)
{
	long		top = (long) (y + 4) - 4;
	long		left = (long) (x + 4) - 4;
	double		sum = 0;

	for (long i = top; i <= top + 1; i++)
		for (long j = left; j <= left + 1; j++)
			if (i >= 0 && j >= 0 && i < (long) pictures->height && j < (long) pictures->width)
				sum += picture[(size_t) i * pictures->width + (size_t) j] *
					(i == top ? 1 - (y - (double) top) : y - (double) top) *
					(j == left ? 1 - (x - (double) left) : x - (double) left);
	return sum;
}

static void
make_picture(const Pictures *pictures, const uint8_t *picture, uint64_t *state, uint32_t *out)
{
	int			is_mirrored = chance(state) < 0.5;
	double		scale = 1 - CUT * chance(state);
	double		noise = NOISE * chance(state);
	double		top = SHIFT * (2 * chance(state) - 1) + (1 - scale) * pictures->height / 2;
	double		left = SHIFT * (2 * chance(state) - 1) + (1 - scale) * pictures->width / 2;

	for (uint32_t i = 0; i < pictures->height; i++)
		for (uint32_t j = 0; j < pictures->width; j++)
		{
			uint32_t	column = is_mirrored ? pictures->width - 1 - j : j;
			double		pixel_value = pixel_at(pictures, picture, top + scale * i,
											   left + scale * column);
			double		value = pixel_value + noise * (chance(state) + chance(state) - 1);
			float		pixel = (float) (value < 0 ? 0 : value > 255 ? 255 : value);
			uint32_t	word;

			memcpy(&word, &pixel, sizeof(word));
			*out++ = htonl(word);
		}
}

static void
write_bytes(const void *from, size_t bytes)
{
	if (fwrite(from, 1, bytes, stdout) != bytes)
		die("cannot write");
}

int
main(int argc, char **argv)
{
	static const char head[19] = "PGCOPY\n\377\r\n";	/* and no flags, no extension */
	const uint16_t end = UINT16_MAX;

	if (argc != 3)
		die("usage: pictures COUNT SEED");

	uint32_t	count = (uint32_t) strtoul(argv[1], NULL, 10);
	uint64_t	state = strtoull(argv[2], NULL, 10);
	Pictures	pictures = read_pictures();
	uint32_t	pixels = pictures.height * pictures.width;
	uint32_t   *row = malloc(pixels * sizeof(uint32_t));

	if (row == NULL || pictures.count == 0)
		die("there are no pictures");
	write_bytes(head, sizeof(head));
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t	which = (uint32_t) (chance(&state) * pictures.count);
		uint32_t	words[] = {htonl(4), htonl(i + 1), htonl(4 + 4 * pixels), htonl(pixels << 16)};
		const uint16_t columns = htons(2);

		make_picture(&pictures, pictures.pixels + (size_t) which * pixels, &state, row);
		write_bytes(&columns, sizeof(columns));
		write_bytes(words, sizeof(words));
		write_bytes(row, pixels * sizeof(uint32_t));
	}
	write_bytes(&end, sizeof(end));
	if (fflush(stdout) != 0)
		die("cannot write");
	return 0;
}

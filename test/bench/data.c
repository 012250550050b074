/*
 * data.c
 *	  Makes the files of rows that a benchmark needs, and turns them into what
 *	  COPY ... (FORMAT binary) reads and back.
 *
 * Usage: data COMMAND ..., results on standard output:
 *	  random BITS COUNT SEED			seeded random codes
 *	  near BASE COUNT SEED FLIPS		codes of BASE with 0 to FLIPS bits flipped
 *	  clustered DIMS COUNT SEED CLUSTERS INNER
 *										vectors: Gaussian clusters of INNER dimensions, and noise
 *	  part ROWS FIRST COUNT				so many rows of ROWS, from number FIRST on
 *	  images							vectors, from an IDX file of images on standard input
 *	  copy ROWS							COPY data: id integer, code or vector
 *	  uncopy							codes, from COPY data of one column on standard input
 *	  nearest BASE QUERIES K			for each query the K smallest distances, ascending
 *	  within BASE QUERIES RADIUS		for each query the number of rows within RADIUS
 */
#include "rows.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char copy_signature[11] = "PGCOPY\n\377\r\n";	/* and the final zero */

/* Splitmix64: small, seeded, the same everywhere. */
static uint64_t
random_next(uint64_t *state)
{
	uint64_t	z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static void
make_random(uint32_t bits, size_t count, uint64_t seed)
{
	Rows		rows = rows_new(ROWS_CODES, bits, count);
	unsigned	spare = (unsigned) (8 * rows.row_bytes - bits);

	for (size_t i = 0; i < count; i++)
	{
		uint8_t    *row = rows_at(&rows, i);

		for (size_t byte = 0; byte < rows.row_bytes; byte += 8)
		{
			uint64_t	word = random_next(&seed);
			size_t		left = rows.row_bytes - byte;

			memcpy(row + byte, &word, left < 8 ? left : 8);
		}
		row[rows.row_bytes - 1] &= (uint8_t) (0xff << spare);
	}
	rows_write(stdout, &rows);
}

static void
make_near(const Rows *base, size_t count, uint64_t seed, uint32_t flips)
{
	Rows		rows = rows_new(ROWS_CODES, base->width, count);

	for (size_t i = 0; i < count; i++)
	{
		uint8_t    *row = rows_at(&rows, i);

		memcpy(row, rows_at(base, random_next(&seed) % base->count), rows.row_bytes);
		for (uint64_t n = random_next(&seed) % (flips + 1); n > 0; n--)
		{
			uint64_t	bit = random_next(&seed) % base->width;

			row[bit / 8] ^= (uint8_t) (0x80 >> (bit % 8));
		}
	}
	rows_write(stdout, &rows);
}

/* A normally distributed number, near enough: the sum of twelve uniform ones (Irwin-Hall). */
static float
random_normal(uint64_t *state)
{
	double		sum = -6;

	for (int i = 0; i < 12; i++)
		sum += (double) (random_next(state) >> 11) * 0x1p-53;
	return (float) sum;
}

static float *
random_matrix(size_t rows, size_t columns, uint64_t *state)
{
	float	   *matrix = malloc(rows * columns * sizeof(float));

	if (matrix == NULL)
		die("no memory for %zu numbers", rows * columns);
	for (size_t i = 0; i < rows * columns; i++)
		matrix[i] = random_normal(state);
	return matrix;
}

/* Clusters lie 0.8 of their own spread apart; each spreads in directions of its own. */
static void
make_clustered(uint32_t dims, size_t count, uint64_t seed, size_t clusters, size_t inner)
{
	Rows		rows = rows_new(ROWS_FLOATS, dims, count);
	float	   *centres = random_matrix(clusters, dims, &seed);
	float	   *turns = random_matrix(clusters * inner, dims, &seed);

	for (size_t i = 0; i < count; i++)
	{
		size_t		cluster = random_next(&seed) % clusters;
		float	   *row = (float *) rows_at(&rows, i);

		for (uint32_t j = 0; j < dims; j++)
			row[j] = 0.8f * centres[cluster * dims + j] + 0.3f * random_normal(&seed);
		for (size_t k = 0; k < inner; k++)
		{
			const float *turn = turns + (cluster * inner + k) * dims;
			float		along = random_normal(&seed) / sqrtf((float) inner);

			for (uint32_t j = 0; j < dims; j++)
				row[j] += along * turn[j];
		}
	}
	free(centres);
	free(turns);
	rows_write(stdout, &rows);
}

static void
make_part(const Rows *rows, size_t first, size_t count)
{
	Rows		part = *rows;

	if (first > rows->count || count > rows->count - first)
		die("there are only %zu rows", rows->count);
	part.data = rows_at(rows, first);
	part.count = count;
	rows_write(stdout, &part);
}

static void
read_bytes(void *to, size_t bytes)
{
	if (fread(to, 1, bytes, stdin) != bytes)
		die("standard input ends too early");
}

static uint32_t
read_uint32(void)
{
	uint32_t	value;

	read_bytes(&value, sizeof(value));
	return ntohl(value);
}

static uint16_t
read_uint16(void)
{
	uint16_t	value;

	read_bytes(&value, sizeof(value));
	return ntohs(value);
}

/* An IDX file of images: a magic number, count, height, width, and a byte a pixel. */
static void
make_images(void)
{
	if (read_uint32() != 0x00000803)
		die("standard input is not an IDX file of images");

	size_t		count = read_uint32();
	uint32_t	height = read_uint32();
	uint32_t	width = height * read_uint32();
	Rows		rows = rows_new(ROWS_FLOATS, width, count);
	float	   *out = (float *) rows.data;
	uint8_t    *pixels = malloc(width);

	for (size_t i = 0; i < count; i++)
	{
		read_bytes(pixels, width);
		for (uint32_t j = 0; j < width; j++)
			*out++ = pixels[j];
	}
	rows_write(stdout, &rows);
}

static void
write_bytes(const void *from, size_t bytes)
{
	if (fwrite(from, 1, bytes, stdout) != bytes)
		die("cannot write");
}

static void
write_uint32(uint32_t value)
{
	value = htonl(value);
	write_bytes(&value, sizeof(value));
}

static void
write_uint16(uint16_t value)
{
	value = htons(value);
	write_bytes(&value, sizeof(value));
}

/* What bit_recv and the receive functions of bincode and qvec read. */
static void
write_value(const Rows *rows, size_t i)
{
	const uint8_t *row = rows_at(rows, i);

	write_uint32((uint32_t) (4 + rows->row_bytes));
	if (rows->kind == ROWS_CODES)
	{
		write_uint32(rows->width);
		write_bytes(row, rows->row_bytes);
		return;
	}
	write_uint16((uint16_t) rows->width);
	write_uint16(0);
	for (uint32_t j = 0; j < rows->width; j++)
	{
		uint32_t	word;

		memcpy(&word, row + j * sizeof(word), sizeof(word));
		write_uint32(word);
	}
}

static void
make_copy(const Rows *rows)
{
	write_bytes(copy_signature, sizeof(copy_signature));
	write_uint32(0);			/* flags */
	write_uint32(0);			/* length of the header's extension */
	for (size_t i = 0; i < rows->count; i++)
	{
		write_uint16(2);		/* columns */
		write_uint32(4);
		write_uint32((uint32_t) i + 1);
		write_value(rows, i);
	}
	write_uint16(UINT16_MAX);	/* the end */
}

static void
make_uncopy(void)
{
	char		signature[sizeof(copy_signature)];
	Rows		rows = {.kind = ROWS_CODES};
	size_t		room = 0;

	read_bytes(signature, sizeof(signature));
	if (memcmp(signature, copy_signature, sizeof(signature)) != 0 ||
		read_uint32() != 0 || read_uint32() != 0)
		die("standard input is not COPY data");
	while (read_uint16() == 1)
	{
		uint32_t	length = read_uint32();
		uint32_t	bits = read_uint32();

		if (rows.count == 0)
		{
			rows.width = bits;
			rows.row_bytes = (bits + 7) / 8;
		}
		if (bits != rows.width || length != 4 + rows.row_bytes)
			die("row %zu is not a code of %u bits", rows.count + 1, rows.width);
		if (rows.count == room)
		{
			room = room == 0 ? 1024 : 2 * room;
			rows.data = realloc(rows.data, room * rows.row_bytes);
			if (rows.data == NULL)
				die("no memory for %zu rows", room);
		}
		read_bytes(rows_at(&rows, rows.count++), rows.row_bytes);
	}
	rows_write(stdout, &rows);
}

/* Keeps the k smallest of what it is given, ascending. */
static void
keep_smallest(float *smallest, unsigned *kept, unsigned k, float distance)
{
	unsigned	at;

	if (*kept == k && distance >= smallest[k - 1])
		return;
	at = *kept < k ? (*kept)++ : k - 1;
	for (; at > 0 && smallest[at - 1] > distance; at--)
		smallest[at] = smallest[at - 1];
	smallest[at] = distance;
}

static void
make_nearest(const Rows *base, const Rows *queries, unsigned k)
{
	Rows		truth = rows_new(ROWS_FLOATS, k, queries->count);

	if (k == 0 || k > base->count)
		die("there are no %u nearest of %zu rows", k, base->count);
	for (size_t q = 0; q < queries->count; q++)
	{
		unsigned	kept = 0;

		for (size_t i = 0; i < base->count; i++)
			keep_smallest((float *) rows_at(&truth, q), &kept, k,
						  (float) rows_distance(base, i, queries, q));
	}
	rows_write(stdout, &truth);
}

static void
make_within(const Rows *base, const Rows *queries, double radius)
{
	Rows		truth = rows_new(ROWS_FLOATS, 1, queries->count);

	for (size_t q = 0; q < queries->count; q++)
	{
		size_t		within = 0;

		for (size_t i = 0; i < base->count; i++)
			within += rows_distance(base, i, queries, q) <= radius;
		*(float *) rows_at(&truth, q) = (float) within;
	}
	rows_write(stdout, &truth);
}

static void
read_pair(char **argv, Rows *base, Rows *queries)
{
	*base = rows_read(argv[2]);
	*queries = rows_read(argv[3]);
	if (base->kind != queries->kind || base->width != queries->width)
		die("\"%s\" and \"%s\" have rows of different kinds", argv[2], argv[3]);
}

int
main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	Rows		base,
				queries;

#define COMMAND(name, arguments) (strcmp(command, name) == 0 && argc == 2 + (arguments))
#define NUMBER(i) strtoul(argv[i], NULL, 10)

	if (COMMAND("random", 3))
		make_random((uint32_t) NUMBER(2), NUMBER(3), NUMBER(4));
	else if (COMMAND("near", 4))
	{
		base = rows_read(argv[2]);
		make_near(&base, NUMBER(3), NUMBER(4), (uint32_t) NUMBER(5));
	}
	else if (COMMAND("clustered", 5))
		make_clustered((uint32_t) NUMBER(2), NUMBER(3), NUMBER(4), NUMBER(5), NUMBER(6));
	else if (COMMAND("part", 3))
	{
		base = rows_read(argv[2]);
		make_part(&base, NUMBER(3), NUMBER(4));
	}
	else if (COMMAND("images", 0))
		make_images();
	else if (COMMAND("copy", 1))
	{
		base = rows_read(argv[2]);
		make_copy(&base);
	}
	else if (COMMAND("uncopy", 0))
		make_uncopy();
	else if (COMMAND("nearest", 3))
	{
		read_pair(argv, &base, &queries);
		make_nearest(&base, &queries, (unsigned) NUMBER(4));
	}
	else if (COMMAND("within", 3))
	{
		read_pair(argv, &base, &queries);
		make_within(&base, &queries, strtod(argv[4], NULL));
	}
	else
		die("usage: see the head of data.c");
	if (fflush(stdout) != 0)
		die("cannot write");
	return 0;
}

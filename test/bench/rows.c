/*
 * rows.c
 *	  Reading and writing files of rows, and the distances between rows.
 *
 * The distances are written here once more, apart from the module's kernels:
 * they judge its answers.
 */
#include "rows.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char magic[4] = {'H', 'X', 'R', '1'};

typedef struct FileHeader
{
	char		magic[4];
	uint32_t	kind;
	uint32_t	width;
	uint32_t	count;
} FileHeader;

void
die(const char *format, ...)
{
	va_list		args;

	va_start(args, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

Rows
rows_new(RowsKind kind, uint32_t width, size_t count)
{
	Rows		rows = {
		.kind = kind,
		.width = width,
		.count = count,
		.row_bytes = kind == ROWS_CODES ? (width + 7) / 8 : width * sizeof(float),
	};

	rows.data = calloc(count, rows.row_bytes);
	if (rows.data == NULL && count > 0)
		die("no memory for %zu rows of %zu bytes", count, rows.row_bytes);
	return rows;
}

Rows
rows_read(const char *path)
{
	FileHeader	header;
	FILE	   *in = fopen(path, "rb");

	if (in == NULL)
		die("cannot open \"%s\"", path);
	if (fread(&header, sizeof(header), 1, in) != 1 ||
		memcmp(header.magic, magic, sizeof(magic)) != 0 ||
		header.kind > ROWS_FLOATS)
		die("\"%s\" is not a file of rows", path);

	Rows		rows = rows_new((RowsKind) header.kind, header.width, header.count);

	if (fread(rows.data, rows.row_bytes, rows.count, in) != rows.count)
		die("\"%s\" is cut short", path);
	fclose(in);
	return rows;
}

void
rows_write(FILE *out, const Rows *rows)
{
	FileHeader	header = {
		.kind = rows->kind,
		.width = rows->width,
		.count = (uint32_t) rows->count,
	};

	memcpy(header.magic, magic, sizeof(magic));
	if (fwrite(&header, sizeof(header), 1, out) != 1 ||
		fwrite(rows->data, rows->row_bytes, rows->count, out) != rows->count ||
		fflush(out) != 0)
		die("cannot write the rows");
}

static double
hamming(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	size_t		words = bytes / 8;
	uint64_t	x,
				y;
	int			sum = 0;

	for (size_t i = 0; i < words; i++)
	{
		memcpy(&x, a + 8 * i, 8);
		memcpy(&y, b + 8 * i, 8);
		sum += __builtin_popcountll(x ^ y);
	}
	for (size_t i = 8 * words; i < bytes; i++)
		sum += __builtin_popcount(a[i] ^ b[i]);
	return sum;
}

static double
euclidean(const uint8_t *a, const uint8_t *b, uint32_t width)
{
	double		sum = 0;

	for (uint32_t i = 0; i < width; i++)
	{
		float		x,
					y;

		memcpy(&x, a + i * sizeof(float), sizeof(float));
		memcpy(&y, b + i * sizeof(float), sizeof(float));
		sum += ((double) x - y) * ((double) x - y);
	}
	return sqrt(sum);
}

double
rows_distance(const Rows *a, size_t i, const Rows *b, size_t j)
{
	const uint8_t *left = rows_at(a, i);
	const uint8_t *right = rows_at(b, j);

	if (a->kind == ROWS_CODES)
		return hamming(left, right, a->row_bytes);
	return euclidean(left, right, a->width);
}

/*
 * rows.h
 *	  Files of rows: codes, vectors, or true answers, one after another.
 *
 * OFFSET  SIZE  MEANING
 *      0     4  "HXR1"
 *      4     4  kind: 0 codes, 1 floats
 *      8     4  width: bits of a code, or floats of a vector
 *     12     4  number of rows
 *     16     -  the rows: ceil(bits/8) bytes, or 4 bytes a float, no gaps
 *
 * Native byte order: these files live as long as one run. Row number i has the
 * id i + 1 in the tables made of them.
 */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C"
{
#endif

typedef enum RowsKind
{
	ROWS_CODES,
	ROWS_FLOATS,
} RowsKind;

typedef struct Rows
{
	RowsKind	kind;
	uint32_t	width;			/* bits or floats */
	size_t		count;
	size_t		row_bytes;
	uint8_t    *data;
} Rows;

/* Room for count rows, all zero. */
extern Rows rows_new(RowsKind kind, uint32_t width, size_t count);

/* Both end the program with a message when they fail, as all of the bench does. */
extern Rows rows_read(const char *path);
extern void rows_write(FILE *out, const Rows *rows);

static inline uint8_t *
rows_at(const Rows *rows, size_t i)
{
	return rows->data + i * rows->row_bytes;
}

/* Hamming distance of codes, Euclidean distance of vectors. Both of one kind and width. */
extern double rows_distance(const Rows *a, size_t i, const Rows *b, size_t j);

/* Prints the message to stderr and ends the program. */
extern void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#ifdef __cplusplus
}
#endif

#endif							/* BENCH_ROWS_H */

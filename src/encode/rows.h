/*
 * rows.h
 *	  Reading a column or two of a table or view, row by row, as its user may.
 *
 *		RowsColumn	column = {.name = name};
 *		Rows	   *rows = hx_rows_open(source, &column, 1, NULL, fcinfo);
 *		while (hx_rows_next(rows))
 *			... column.value ...
 *		hx_rows_close(rows);
 *
 * Privileges and row security are those of the caller, and the rows are those of the
 * statement's snapshot, in the same order whenever they lie the same in the table.
 */
#ifndef HX_ENCODE_ROWS_H
#define HX_ENCODE_ROWS_H

#include "hashidx.h"

/* A column that is read. Rows where one of them is NULL are left out. */
typedef struct RowsColumn
{
	const char *name;
	bool		code;			/* read as bincode; else as qvec */

	/* Dimensions or bits; 0: what the first row has. All rows must have them. */
	int			width;

	/* The row at hand: floats or a packed code, unaligned, until the next row. */
	const void *value;
} RowsColumn;

typedef struct Rows Rows;

/* Bytes of `value`, once the width is known. */
extern Size hx_rows_bytes(const RowsColumn *column);

/*
 * Starts reading rows of `source`; only those where the column `unset` is NULL,
 * unless the name is. `call` is that of a function of ours, as for hx_sibling_type().
 * From here to hx_rows_close() the caller is in SPI and its memory.
 */
extern Rows *hx_rows_open(Oid source, RowsColumn *columns, int count, const char *unset,
						  FunctionCallInfo call);

/* The next row, in the columns; false at the end. */
extern bool hx_rows_next(Rows *rows);

extern void hx_rows_close(Rows *rows);

#endif							/* HX_ENCODE_ROWS_H */

/*
 * lsh_writer.h
 *	  Writing the pages of a new index from its rows in order of their keys.
 */
#ifndef HX_LSH_WRITER_H
#define HX_LSH_WRITER_H

#include "am/lsh/lsh.h"

typedef struct LshWriter LshWriter;

/* Begins with metapage and root, which lsh_writer_finish() completes; allocates here and now. */
extern LshWriter *lsh_writer_begin(Relation index);

/* How long rows are; before the first row. */
extern void lsh_writer_set_row_bytes(LshWriter *writer, int row_bytes);

/* Adds a row, as it lies on pages; keys ascend. */
extern void lsh_writer_add(LshWriter *writer, uint32 key, const uint8 *row);

/* Writes what is left, the directory and the metapage; tuned NULL: nothing is known yet. */
extern void lsh_writer_finish(LshWriter *writer, const LshTuned *tuned, uint64 rows);

#endif							/* HX_LSH_WRITER_H */

/*
 * hamming_options.h
 *	  WITH (method, chunks): how an index answers, fixed when it is built.
 */
#ifndef HX_HAMMING_OPTIONS_H
#define HX_HAMMING_OPTIONS_H

#include "am/hamming/hamming.h"

/* At module load. */
extern void hamming_options_register(void);

/* amoptions */
extern bytea *hamming_options(Datum reloptions, bool validate);

/*
 * The method an index is to have, HAMMING_METHOD_*, as its options and the number of
 * its rows at its build tell; *chunks: as many chunk tables as are asked for, 0: by our choice.
 */
extern int	hamming_choose_method(Relation index, const HammingShape *shape, double rows,
								  int *chunks);

/*
 * The number of chunk tables for codes of that shape, whose bits are known: 0 for the
 * method of scanning; ERRCODE_PROGRAM_LIMIT_EXCEEDED when codes are too long.
 */
extern int	hamming_choose_chunks(Relation index, const HammingShape *shape, int method,
								  int chunks);

#endif							/* HX_HAMMING_OPTIONS_H */

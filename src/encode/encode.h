/*
 * encode.h
 *	  Running a model on a vector, with the checks and errors that SQL wants.
 */
#ifndef HX_ENCODE_H
#define HX_ENCODE_H

#include "encode/cache.h"
#include "type/bincode.h"

/*
 * ERRCODE_INVALID_PARAMETER_VALUE with what the model does give unless its
 * output is of the sort asked for.
 */
extern void hx_encode_check_output(const HxModel *model, HxModelOutput wanted);

/*
 * The code of a qvec: a new bincode. ERRCODE_DATA_EXCEPTION with both numbers
 * when the vector's dimensions are not the model's; the output has been checked.
 */
extern Bincode *hx_encode_code(const CachedModel *cached, Datum vector);

#endif							/* HX_ENCODE_H */

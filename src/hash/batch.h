/*
 * batch.h
 *	  Running a model over many rows, on the team.
 */
#ifndef HX_BATCH_H
#define HX_BATCH_H

#include "hash/model.h"
#include "math/compute.h"

/*
 * out (count x model->outputs): what the model, which gives vectors, makes of each of
 * the rows (count x model->dims). A row that leads beyond the range of floats gives zeros.
 */
extern void hx_batch_run(HxCompute *compute, const HxModel *model, const float *rows, size_t count,
						 float *out);

#endif							/* HX_BATCH_H */

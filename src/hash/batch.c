/*
 * batch.c
 *	  Running a model over many rows, on the team.
 */
#include "hash/batch.h"

#include <string.h>

/* Rows that run side by side, each with scratch of its own. */
#define ROWS_AT_ONCE 64

typedef struct Batch
{
	const HxModel *model;
	const float *rows;
	float	   *out;
	float	   *scratch;
	size_t		scratch_size;	/* floats for one row */
} Batch;

static void
run_rows(void *context, size_t begin, size_t end)
{
	const Batch *batch = context;
	const HxModel *model = batch->model;

	for (size_t row = begin; row < end; row++)
	{
		float	   *out = batch->out + row * model->outputs;

		if (!hx_model_run_vector(model, batch->rows + row * model->dims,
								 batch->scratch + row * batch->scratch_size, out))
			memset(out, 0, model->outputs * sizeof(float));
	}
}

/* What one row takes, as hx_compute_run() counts. */
static size_t
cost_of(const HxModel *model)
{
	size_t		cost = 0;

	for (int i = 0; i < model->step_count; i++)
		cost += model->steps[i].param_count + model->steps[i].outputs;
	return cost;
}

void
hx_batch_run(HxCompute *compute, const HxModel *model, const float *rows, size_t count, float *out)
{
	const HxScratchMark mark = hx_scratch_mark(compute);
	Batch		batch = {.model = model, .scratch_size = hx_model_scratch(model)};

	batch.scratch = hx_scratch(compute, ROWS_AT_ONCE * batch.scratch_size, sizeof(float));
	for (size_t row = 0; row < count; row += ROWS_AT_ONCE)
	{
		batch.rows = rows + row * model->dims;
		batch.out = out + row * model->outputs;
		hx_compute_run(compute, run_rows, &batch,
					   count - row < ROWS_AT_ONCE ? count - row : ROWS_AT_ONCE, cost_of(model));
	}
	hx_scratch_release(compute, mark);
}

/*
 * train.c
 *	  The table of trainers, and what they share: problems, steps, rows at
 *	  length 1, thresholds.
 */
#include "hash/train.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hash/batch.h"
#include "hash/phase.h"
#include "hash/trainers.h"
#include "kernel/target.h"

/* Medians are taken of so many numbers at most, all bits together. */
#define MEDIAN_NUMBERS ((size_t) 4 << 20)

const HxTrainer *const hx_trainers[] = {
	&hx_trainer_simhash,
	&hx_trainer_sparse,
	&hx_trainer_pca,
	&hx_trainer_itq,
	&hx_trainer_ksh,
	&hx_trainer_recurrent,
	&hx_trainer_cca_itq,
	&hx_trainer_projection,
	&hx_trainer_relative,
	&hx_trainer_weights,
	&hx_trainer_pq,
	&hx_trainer_rq,
	&hx_trainer_fsq,
	NULL,
};

const HxTrainer *
hx_trainer_find(const char *name)
{
	for (const HxTrainer *const *trainer = hx_trainers; *trainer != NULL; trainer++)
	{
		if (strcmp(hx_model_kind_name((*trainer)->kind), name) == 0)
			return *trainer;
	}
	return NULL;
}

bool
hx_training_fail(HxTraining *training, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vsnprintf(training->problem, sizeof(training->problem), format, args);
	va_end(args);
	return false;
}

float *
hx_training_floats(HxTraining *training, size_t count)
{
	return hx_allocate(&training->compute.memory, count, sizeof(float));
}

void
hx_training_transpose(HxTraining *training, const float *rows, size_t count, size_t n,
					  float *matrix)
{
	for (size_t row = 0; row < count; row++)
	{
		hx_compute_check(&training->compute);
		for (size_t i = 0; i < n; i++)
			matrix[i * count + row] = rows[row * n + i];
	}
}

void
hx_training_add_centre(HxTraining *training, HxModel *model, const double *mean)
{
	const uint32_t n = hx_model_width(model, model->step_count - 1);
	float	   *params = hx_training_floats(training, n);

	for (uint32_t i = 0; i < n; i++)
		params[i] = (float) mean[i];
	hx_model_add(model, HX_STEP_CENTRE, n, 0, 0, params, n);
}

void
hx_training_add_matrix(HxTraining *training, HxModel *model, const double *w, uint32_t m)
{
	const uint32_t n = hx_model_width(model, model->step_count - 1);
	const size_t weights = (size_t) n * m;
	float	   *params = hx_training_floats(training, weights + m);

	for (uint32_t row = 0; row < n; row++, w += m)
	{
		hx_compute_check(&training->compute);
		for (uint32_t j = 0; j < m; j++)
			params[(size_t) row * m + j] = (float) w[j];
	}
	memset(params + weights, 0, m * sizeof(float));
	hx_model_add(model, HX_STEP_LINEAR, m, 0, 0, params, (uint32_t) (weights + m));
}

float *
hx_training_add_unit(HxTraining *training, HxModel *model, size_t count)
{
	HxCompute  *compute = &training->compute;
	const size_t d = training->dims;
	float	   *out = hx_scratch(compute, count * d, sizeof(float));
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *mean = hx_scratch(compute, d, sizeof(double));

	hx_mean(compute, training->rows, count, d, mean);
	hx_unit_rows(compute, training->rows, count, d, mean, out);
	hx_training_add_centre(training, model, mean);
	hx_model_add(model, HX_STEP_NORMALISE, (uint32_t) d, 0, 0, NULL, 0);
	hx_scratch_release(compute, mark);
	return out;
}

/* Hoare's selection: x[k] as sorting would place it, and nothing larger before it. */
static float
select_number(float *x, size_t n, size_t k)
{
	size_t		low = 0;
	size_t		high = n - 1;

	while (low < high)
	{
		const float pivot = x[low + (high - low) / 2];
		size_t		i = low;
		size_t		j = high;

		for (;;)
		{
			float		swap;

			while (x[i] < pivot)
				i++;
			while (x[j] > pivot)
				j--;
			if (i >= j)
				break;
			swap = x[i];
			x[i++] = x[j];
			x[j--] = swap;
		}
		/* Up to j nothing is larger than the pivot, after j nothing smaller; j < high. */
		if (k <= j)
			high = j;
		else
			low = j + 1;
	}
	return x[k];
}

/* The number with as many numbers of x above it as below. */
static float
median(float *x, size_t n)
{
	const float upper = select_number(x, n, n / 2);
	float		lower = x[0];

	if (n % 2 == 1)
		return upper;
	for (size_t i = 1; i < n / 2; i++)
		lower = x[i] > lower ? x[i] : lower;
	return lower / 2 + upper / 2;
}

typedef struct Medians
{
	const float *outputs;		/* count x m */
	size_t		count;
	size_t		m;
	float	   *columns;		/* m x count of scratch */
	float	   *result;
} Medians;

static void
take_medians(void *context, size_t begin, size_t end)
{
	const Medians *medians = context;

	for (size_t j = begin; j < end; j++)
	{
		float	   *column = medians->columns + j * medians->count;

		for (size_t row = 0; row < medians->count; row++)
			column[row] = medians->outputs[row * medians->m + j];
		medians->result[j] = median(column, medians->count);
	}
}

const float *
hx_training_thresholds(HxTraining *training, const HxModel *model, const float *rows)
{
	const uint32_t m = model->outputs;
	const size_t most = MEDIAN_NUMBERS / m;
	const size_t count = training->count < most ? training->count : most;
	float	   *thresholds = hx_training_floats(training, m);
	HxCompute  *compute = &training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);

	memset(thresholds, 0, m * sizeof(float));
	if (training->median && count > 0)
	{
		float	   *outputs = hx_scratch(compute, count * m, sizeof(float));
		float	   *columns = hx_scratch(compute, count * m, sizeof(float));
		Medians		medians = {outputs, count, m, columns, thresholds};

		hx_compute_report(compute, HX_PHASE_THRESHOLDS, 0, 0);
		hx_batch_run(compute, model, rows, count, outputs);
		/* Selection goes over the numbers a few times, and guesses its branches badly. */
		hx_compute_run(compute, take_medians, &medians, m, count * 64);
	}
	hx_scratch_release(compute, mark);
	return thresholds;
}

void
hx_training_add_sign(HxTraining *training, HxModel *model, const float *rows)
{
	const float *thresholds = hx_training_thresholds(training, model, rows);

	hx_model_add(model, HX_STEP_SIGN, model->outputs, 0, 0, thresholds, model->outputs);
}

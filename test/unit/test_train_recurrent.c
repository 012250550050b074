/*
 * test_train_recurrent.c
 *	  The trainer of recurrent codes: what its planes stand for, and how well.
 */
#include "training.h"

#include "hash/sdc.h"
#include "hash/trainers.h"

#define COUNT 600
#define D 32

static float *
sample_rows(size_t count)
{
	return training_clusters(count, D, 9, 1);
}

static HxModel
train(const float *rows, uint32_t bits, double extra)
{
	const double options[] = {extra, 20, 0.01};
	HxTraining	training = training_of(rows, COUNT, D, bits, options);
	HxModel		model;

	CHECK(hx_trainer_recurrent.train(&training, &model, NULL), "%s", training.problem);
	CHECK(model.kind == HX_MODEL_RECURRENT && model.outputs == bits && model.dims == D, "shape");
	return model;
}

/* The rows less their mean, at length 1. */
static double *
unit_rows(const float *rows)
{
	double	   *f = training_allocate(NULL, COUNT * D * sizeof(double));
	double		mean[D] = {0};

	for (size_t i = 0; i < COUNT * D; i++)
		mean[i % D] += rows[i] / (double) COUNT;
	for (size_t i = 0; i < COUNT; i++)
	{
		double		square = 0;

		for (size_t j = 0; j < D; j++)
		{
			f[i * D + j] = rows[i * D + j] - mean[j];
			square += f[i * D + j] * f[i * D + j];
		}
		for (size_t j = 0; j < D; j++)
			f[i * D + j] /= sqrt(square);
	}
	return f;
}

static double
dot(const double *x, const double *y)
{
	double		sum = 0;

	for (size_t i = 0; i < D; i++)
		sum += x[i] * y[i];
	return sum;
}

/* Correlation of the scores of all pairs of codes with the cosines of their rows. */
static double
correlation(const HxModel *model, const float *rows, const double *f, unsigned planes)
{
	const unsigned bits = model->outputs;
	const uint8_t *codes = training_codes(model, rows, COUNT);
	double		x = 0;
	double		y = 0;
	double		xx = 0;
	double		yy = 0;
	double		xy = 0;
	double		n = 0;

	for (size_t i = 0; i < COUNT; i++)
	{
		for (size_t j = 0; j < i; j++)
		{
			const double score = hx_sdc_cosine(codes + i * ((bits + 7) / 8),
											   codes + j * ((bits + 7) / 8), bits, planes);
			const double cosine = dot(f + i * D, f + j * D);

			x += score;
			y += cosine;
			xx += score * score;
			yy += cosine * cosine;
			xy += score * cosine;
			n++;
		}
	}
	return (xy - x * y / n) / sqrt((xx - x * x / n) * (yy - y * y / n));
}

/* Each further plane of the same width brings scores nearer to the cosines. */
static void
planes_bring_cosines(void)
{
	float	   *rows = sample_rows(COUNT);
	const double *f = unit_rows(rows);
	double		last = 0;

	for (unsigned planes = 1; planes <= 4; planes++)
	{
		const HxModel model = train(rows, 32 * planes, planes - 1);
		const double found = correlation(&model, rows, f, planes);

		CHECK(found > last + (planes == 2 ? 0.005 : 0), "%u planes: %g after %g", planes, found,
			  last);
		last = found;
	}
	training_free();
}

/* Each reconstruction comes nearer to what the rows are along the axes than the one before. */
static void
reconstructions_improve(void)
{
	float	   *rows = sample_rows(COUNT);
	const HxModel model = train(rows, 24 * 4, 3);
	float	   *scratch = training_allocate(NULL, hx_model_scratch(&model) * sizeof(float));
	double		last = 1;
	int			found = 0;

	for (int i = 3; i < model.step_count; i++)
	{
		HxModel		part = model;
		double		error = 0;

		if (model.steps[i].op != HX_STEP_SUBTRACT)
			continue;
		/* What the reconstruction leaves over, by itself a vector. */
		part.step_count = i + 1;
		part.outputs = 24;
		for (size_t row = 0; row < COUNT; row++)
		{
			float		left[24];

			CHECK(hx_model_run_vector(&part, rows + row * D, scratch, left), "row %zu", row);
			for (size_t j = 0; j < 24; j++)
				error += (double) left[j] * left[j] / COUNT;
		}
		CHECK(error < last * 0.95, "after step %d: %g after %g", i, error, last);
		last = error;
		found++;
	}
	CHECK(found == 3, "%d reconstructions", found);
	training_free();
}

/* y = W x with the parameters of a step. */
static void
apply_linear(const HxStep *step, const double *x, size_t n, double *y)
{
	for (size_t j = 0; j < step->outputs; j++)
	{
		y[j] = step->params[n * step->outputs + j];
		for (size_t i = 0; i < n; i++)
			y[j] += step->params[i * step->outputs + j] * x[i];
	}
}

/* Two planes, from the model's own matrices: signs, and signs of what they leave over. */
static void
forward_pass(void)
{
	enum
	{
		M = 20
	};
	float	   *rows = sample_rows(COUNT);
	const double *f = unit_rows(rows);
	const HxModel model = train(rows, 2 * M, 1);
	const uint8_t *codes = training_codes(&model, rows, COUNT);
	const HxStep *matrices[2];
	int			found = 0;

	for (int i = 0; i < model.step_count; i++)
		if (model.steps[i].op == HX_STEP_LINEAR && found < 2)
			matrices[found++] = &model.steps[i];
	CHECK(found == 2, "%d matrices", found);
	for (size_t row = 0; row < COUNT; row++)
	{
		double		y[2 * M];
		double		signs[M];

		apply_linear(matrices[0], f + row * D, D, y);
		for (size_t j = 0; j < M; j++)
			signs[j] = y[j] > 0 ? 1 : -1;
		apply_linear(matrices[1], signs, M, y + M);
		for (size_t j = 0; j < M; j++)
			y[M + j] = y[j] - y[M + j];
		for (size_t j = 0; j < 2 * M; j++)
			CHECK(fabs(y[j]) < 1e-4 || training_bit(codes + row * (2 * M / 8), j) == (y[j] > 0),
				  "row %zu, bit %zu", row, j);
	}
	training_free();
}

/* The reconstruction is the least-squares one: no change of it in proportion lessens the rest. */
static void
reconstruction_is_best(void)
{
	enum
	{
		M = 12
	};
	const double options[] = {1, 20, 0.000001};
	float	   *rows = sample_rows(COUNT);
	const double *f = unit_rows(rows);
	HxTraining	training = training_of(rows, COUNT, D, 2 * M, options);
	double		products[M][M] = {{0}};
	HxModel		model;

	CHECK(hx_trainer_recurrent.train(&training, &model, NULL), "%s", training.problem);
	CHECK(model.steps[2].op == HX_STEP_LINEAR && model.steps[4].op == HX_STEP_LINEAR, "shape");
	for (size_t row = 0; row < COUNT; row++)
	{
		double		y[M];
		double		signs[M];
		double		fitted[M];

		apply_linear(&model.steps[2], f + row * D, D, y);
		for (size_t j = 0; j < M; j++)
			signs[j] = y[j] > 0 ? 1 : -1;
		apply_linear(&model.steps[4], signs, M, fitted);
		for (size_t i = 0; i < M; i++)
			for (size_t j = 0; j < M; j++)
				products[i][j] += signs[i] * (y[j] - fitted[j]) / COUNT;
	}
	for (size_t i = 0; i < M; i++)
		for (size_t j = 0; j < M; j++)
			CHECK(fabs(products[i][j]) < 1e-5, "sign %zu tells %g of rest %zu", i, products[i][j], j);
	training_free();
}

/* One plane is ITQ of rows at length 1: orthonormal columns, which hold the best axes. */
static void
first_plane(void)
{
	enum
	{
		M = 8
	};
	float	   *rows = sample_rows(COUNT);
	const double *f = unit_rows(rows);
	const HxModel model = train(rows, M, 0);
	const float *w = model.steps[2].params;
	double		moments[D * D] = {0};
	double		values[D];
	double		axes[D * D];

	CHECK(model.steps[2].op == HX_STEP_LINEAR, "linear");
	for (size_t row = 0; row < COUNT; row++)
		for (size_t i = 0; i < D; i++)
			for (size_t j = 0; j < D; j++)
				moments[i * D + j] += f[row * D + i] * f[row * D + j];
	naive_eigen(moments, D, values, axes);
	for (size_t j = 0; j < M; j++)
	{
		double		inside = 0;

		for (size_t k = 0; k < M; k++)
		{
			double		cosine = 0;
			double		product = 0;

			for (size_t i = 0; i < D; i++)
			{
				cosine += w[i * M + j] * axes[i * D + k];
				product += (double) w[i * M + j] * w[i * M + k];
			}
			inside += cosine * cosine;
			CHECK(fabs(product - (j == k)) < 1e-5, "columns %zu and %zu: %g", j, k, product);
		}
		CHECK(fabs(inside - 1) < 1e-4, "column %zu: %g within the axes", j, inside);
	}
	training_free();
}

static void
check_refusal(const HxTraining *sample, double extra, const char *expected)
{
	const double options[] = {extra, 50, 0.01};
	HxTraining	training = *sample;
	HxModel		model;

	training.options = options;
	CHECK(!hx_trainer_recurrent.train(&training, &model, NULL), "%s", expected);
	CHECK(strcmp(training.problem, expected) == 0, "%s", training.problem);
}

static void
refusals(void)
{
	float	   *rows = sample_rows(100);
	float		same[40 * 8];
	HxTraining	training = training_of(rows, 0, D, 16, NULL);

	for (size_t i = 0; i < 40 * 8; i++)
		same[i] = 0.1f * (float) (i % 8);
	check_refusal(&training, 1, "There are no rows to learn from.");
	training = training_of(rows, 100, D, 16, NULL);
	check_refusal(&training, 2, "16 bits cannot be divided into 3 equal planes.");
	training.outputs = 2 * (D + 1);
	check_refusal(&training, 1,
				  "A plane has at most one bit a dimension: 32 dimensions do not give 33 bits.");
	training.outputs = 16;
	training.median = true;
	check_refusal(&training, 1,
				  "Planes of signs have no medians: recurrent codes take no thresholds.");
	training = training_of(same, 40, 8, 4, NULL);
	check_refusal(&training, 1,
				  "The sample (rows: 40) varies in fewer directions than a plane has bits: 2.");
	training = training_of(rows, 3, D, 16, NULL);
	check_refusal(&training, 1,
				  "The sample (rows: 3) varies in fewer directions than a plane has bits: 8.");
	training_free();
}

static void
same_everywhere(void)
{
	const double options[] = {2, 10, 0.01};
	HxTraining	training = training_of(sample_rows(1500), 1500, D, 3 * 20, options);

	training_is_same_everywhere(&hx_trainer_recurrent, &training);
	training_free();
}

/* A model that must be the same on every machine. */
static void
golden(void)
{
	const double options[] = {1, 20, 0.01};
	HxTraining	training = training_of(training_whole_rows(600, 24, 1), 600, 24, 32, options);
	HxModel		model;

	CHECK(hx_trainer_recurrent.train(&training, &model, NULL), "%s", training.problem);
	CHECK(training_hash(&model) == UINT64_C(0x3cc2df5ef22c4718), "0x%016llx",
		  (unsigned long long) training_hash(&model));
	training_free();
}

int
main(void)
{
	hx_kernel_init();
	RUN(planes_bring_cosines);
	RUN(reconstructions_improve);
	RUN(forward_pass);
	RUN(reconstruction_is_best);
	RUN(first_plane);
	RUN(refusals);
	RUN(same_everywhere);
	RUN(golden);
	return unit_summary();
}

/*
 * test_train_tokens.c
 *	  The trainers of tokens against nearest centroids and levels found plainly.
 */
#include "training.h"

#include "hash/trainers.h"

static const HxTrainer *const kinds[] = {
	&hx_trainer_pq, &hx_trainer_rq, &hx_trainer_fsq
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static float *
sample_rows(size_t count, size_t d)
{
	return training_clusters(count, d, 7, 2);
}

/* The tokens of all rows, one row after the other. */
static uint16_t *
tokens_of(const HxModel *model, const float *rows, size_t count)
{
	uint16_t   *tokens = training_allocate(NULL, count * model->outputs * sizeof(uint16_t));
	float	   *scratch = training_allocate(NULL, hx_model_scratch(model) * sizeof(float));

	for (size_t i = 0; i < count; i++)
		CHECK(hx_model_run_tokens(model, rows + i * model->dims, scratch,
								  tokens + i * model->outputs), "row %zu", i);
	return tokens;
}

/* |x - centroid|^2, of n numbers, where centroids are the columns of a matrix. */
static double
distance_to(const double *x, const float *centroids, size_t n, size_t count, size_t which)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
	{
		const double difference = x[i] - centroids[i * count + which];

		sum += difference * difference;
	}
	return sum;
}

/*
 * The mean squared error of the tokens of all rows, whose model has one step. Checks
 * that each token is the nearest centroid of its slice, or of what is left.
 */
static double
quantisation_error(const HxModel *model, const float *rows, size_t count)
{
	const HxStep *step = &model->steps[0];
	const uint16_t *tokens = tokens_of(model, rows, count);
	const bool	residual = step->op == HX_STEP_RQ;
	const size_t n = residual ? model->dims : model->dims / model->outputs;
	double		error = 0;

	for (size_t row = 0; row < count; row++)
	{
		double		x[64];

		for (size_t i = 0; i < model->dims; i++)
			x[i] = rows[row * model->dims + i];
		for (size_t j = 0; j < model->outputs; j++)
		{
			const float *centroids = step->params + j * n * step->detail;
			const size_t token = tokens[row * model->outputs + j];
			double	   *slice = residual ? x : x + j * n;
			double		least = HUGE_VAL;

			for (size_t c = 0; c < step->detail; c++)
				least = fmin(least, distance_to(slice, centroids, n, step->detail, c));
			CHECK(token < step->detail &&
				  distance_to(slice, centroids, n, step->detail, token) <= least * 1.0001 + 1e-6,
				  "row %zu, token %zu", row, j);
			for (size_t i = 0; i < n; i++)
				slice[i] -= centroids[i * step->detail + token];
		}
		for (size_t i = 0; i < model->dims; i++)
			error += x[i] * x[i] / (double) count;
	}
	return error;
}

static double
error_of(const HxTrainer *trainer, const float *rows, size_t count, uint32_t d, uint32_t outputs,
		 double centroids)
{
	const double options[] = {centroids};
	HxTraining	training = training_of(rows, count, d, outputs, options);
	HxModel		model;

	CHECK(trainer->train(&training, &model, NULL), "%s", training.problem);
	CHECK(model.kind == trainer->kind && model.outputs == outputs && model.step_count == 1 &&
		  model.steps[0].detail == (uint32_t) centroids, "shape");
	return quantisation_error(&model, rows, count);
}

/* The spread of the rows about their mean: the error of one centroid. */
static double
spread(const float *rows, size_t count, size_t d)
{
	double		covariance[64 * 64];
	double		sum = 0;

	naive_covariance(rows, d, rows, d, count, covariance);
	for (size_t i = 0; i < d; i++)
		sum += covariance[i * d + i];
	return sum;
}

static void
pq_error_falls(void)
{
	float	   *rows = sample_rows(800, 12);
	double		error = spread(rows, 800, 12);

	for (double centroids = 2; centroids <= 256; centroids *= 4)
	{
		const double next = error_of(&hx_trainer_pq, rows, 800, 12, 4, centroids);

		CHECK(next < error * 0.8, "%g centroids: %g after %g", centroids, next, error);
		error = next;
	}
	for (uint32_t tokens = 1; tokens <= 12; tokens += tokens < 4 ? 1 : tokens < 6 ? 2 : 6)
	{
		const double next = error_of(&hx_trainer_pq, rows, 800, 12, tokens, 16);

		CHECK(tokens == 1 || next < error, "%u tokens: %g after %g", tokens, next, error);
		error = next;
	}
	training_free();
}

/* Slices of few different values are kept without loss. */
static void
pq_finds_values(void)
{
	enum
	{
		COUNT = 400, D = 6, TOKENS = 3, VALUES = 8
	};
	const double options[] = {VALUES};
	float	   *rows = training_allocate(NULL, COUNT * D * sizeof(float));
	HxTraining	training = training_of(rows, COUNT, D, TOKENS, options);
	float		values[TOKENS * VALUES * 2];
	HxModel		model;

	for (size_t i = 0; i < TOKENS * VALUES * 2; i++)
		values[i] = (float) unit_below(1000000);
	for (size_t i = 0; i < COUNT; i++)
		for (size_t token = 0; token < TOKENS; token++)
			memcpy(rows + i * D + token * 2, values + (token * VALUES + unit_below(VALUES)) * 2,
				   2 * sizeof(float));
	CHECK(hx_trainer_pq.train(&training, &model, NULL), "%s", training.problem);
	CHECK(quantisation_error(&model, rows, COUNT) < 1, "%g",
		  quantisation_error(&model, rows, COUNT));
	training_free();
}

static void
rq_error_falls(void)
{
	float	   *rows = sample_rows(800, 10);
	double		error = spread(rows, 800, 10);

	for (uint32_t levels = 1; levels <= 5; levels++)
	{
		const double next = error_of(&hx_trainer_rq, rows, 800, 10, levels, 8);

		CHECK(next < error * 0.9, "%u levels: %g after %g", levels, next, error);
		error = next;
	}
	training_free();
}

/* More levels refine the same ids; rows that share more of theirs are nearer to each other. */
static void
rq_prefixes(void)
{
	enum
	{
		COUNT = 600, D = 10, LEVELS = 3
	};
	const double options[] = {6};
	float	   *rows = sample_rows(COUNT, D);
	HxTraining	training = training_of(rows, COUNT, D, LEVELS, options);
	uint16_t   *tokens;
	double		sums[LEVELS + 1] = {0};
	size_t		counts[LEVELS + 1] = {0};
	HxModel		model;

	CHECK(hx_trainer_rq.train(&training, &model, NULL), "%s", training.problem);
	tokens = tokens_of(&model, rows, COUNT);
	for (uint32_t levels = 1; levels < LEVELS; levels++)
	{
		const uint16_t *prefixes;

		training.outputs = levels;
		CHECK(hx_trainer_rq.train(&training, &model, NULL), "%s", training.problem);
		prefixes = tokens_of(&model, rows, COUNT);
		for (size_t i = 0; i < COUNT; i++)
			CHECK(memcmp(prefixes + i * levels, tokens + i * LEVELS,
						 levels * sizeof(uint16_t)) == 0, "%u levels, row %zu", levels, i);
	}

	for (size_t i = 0; i < COUNT; i++)
	{
		for (size_t j = 0; j < i; j++)
		{
			size_t		shared = 0;

			while (shared < LEVELS && tokens[i * LEVELS + shared] == tokens[j * LEVELS + shared])
				shared++;
			sums[shared] += hx_kernels->l2_squared(rows + i * D, rows + j * D, D);
			counts[shared]++;
		}
	}
	for (size_t shared = 1; shared <= LEVELS; shared++)
		CHECK(counts[shared] > 0 && sums[shared] / (double) counts[shared] <
			  0.9 * sums[shared - 1] / (double) counts[shared - 1],
			  "%zu shared: %g", shared, sums[shared] / (double) counts[shared]);
	training_free();
}

/* Tokens rise with the principal components, are in range, and use all levels. */
static void
fsq_is_monotone(void)
{
	enum
	{
		COUNT = 400, D = 10, M = 4
	};
	float	   *rows = sample_rows(COUNT, D);
	double		covariance[D * D];
	double		values[D];
	double		axes[D * D];
	double		mean[D] = {0};

	naive_covariance(rows, D, rows, D, COUNT, covariance);
	naive_eigen(covariance, D, values, axes);
	for (size_t i = 0; i < COUNT * D; i++)
		mean[i % D] += rows[i] / (double) COUNT;
	for (int levels = 2; levels <= 9; levels++)
	{
		const double options[] = {levels};
		HxTraining	training = training_of(rows, COUNT, D, M, options);
		HxModel		model;
		const uint16_t *tokens;

		CHECK(hx_trainer_fsq.train(&training, &model, NULL), "%s", training.problem);
		tokens = tokens_of(&model, rows, COUNT);
		for (size_t j = 0; j < M; j++)
		{
			double		components[COUNT];
			double		cosine = 0;
			unsigned	used = 0;

			/* An eigenvector's sign is free. */
			for (size_t k = 0; k < D; k++)
				cosine += axes[k * D + j] * model.steps[1].params[k * M + j];
			for (size_t i = 0; i < COUNT; i++)
			{
				components[i] = 0;
				for (size_t k = 0; k < D; k++)
					components[i] += (rows[i * D + k] - mean[k]) * axes[k * D + j];
				if (cosine < 0)
					components[i] = -components[i];
				CHECK(tokens[i * M + j] < levels, "token %u", tokens[i * M + j]);
				used |= 1u << tokens[i * M + j];
				if (levels == 2 && fabs(components[i]) > 1e-4)
					CHECK(tokens[i * M + j] == (components[i] > 0), "row %zu", i);
			}
			CHECK(used == (1u << levels) - 1, "%d levels, component %zu: used %x", levels, j, used);
			CHECK(fabs(cosine * cosine * values[j] - 1) < 1e-4, "variance %g",
				  cosine * cosine * values[j]);
			for (size_t i = 0; i < COUNT; i++)
				for (size_t k = 0; k < COUNT; k++)
					if (components[i] < components[k] - 1e-4)
						CHECK(tokens[i * M + j] <= tokens[k * M + j], "rows %zu and %zu", i, k);
		}
	}
	training_free();
}

static void
check_refusal(const HxTrainer *trainer, const float *rows, size_t count, uint32_t dims,
			  uint32_t outputs, double option, const char *expected)
{
	const double options[] = {option};
	HxTraining	training = training_of(rows, count, dims, outputs, options);
	HxModel		model;

	CHECK(!trainer->train(&training, &model, NULL), "%s", expected);
	CHECK(strcmp(training.problem, expected) == 0, "%s", training.problem);
}

static void
refusals(void)
{
	float	   *rows = sample_rows(100, 8);
	float	   *wide = sample_rows(4096, 1024);

	check_refusal(&hx_trainer_pq, rows, 100, 8, 3, 4,
				  "8 dimensions cannot be cut into 3 equal slices.");
	check_refusal(&hx_trainer_pq, rows, 100, 8, 16, 4,
				  "8 dimensions cannot be cut into 16 equal slices.");
	check_refusal(&hx_trainer_pq, rows, 100, 8, 0, 4,
				  "8 dimensions cannot be cut into 0 equal slices.");
	check_refusal(&hx_trainer_pq, rows, 100, 8, 2, 101,
				  "The sample (rows: 100) is too small for 101 centroids.");
	check_refusal(&hx_trainer_pq, rows, 0, 8, 2, 2,
				  "The sample (rows: 0) is too small for 2 centroids.");
	check_refusal(&hx_trainer_rq, rows, 100, 8, 2, 101,
				  "The sample (rows: 100) is too small for 101 centroids.");
	/* Exactly as many bytes as a model may have, without its headers. */
	check_refusal(&hx_trainer_rq, wide, 4096, 1024, 16, 4096,
				  "16 levels of 4096 centroids of 1024 dimensions make a model "
				  "of more than 268435456 bytes.");
	check_refusal(&hx_trainer_fsq, rows, 0, 8, 2, 8, "There are no rows to learn from.");
	check_refusal(&hx_trainer_fsq, rows, 100, 8, 9, 8,
				  "8 dimensions have no more than as many axes, not 9.");
	check_refusal(&hx_trainer_fsq, rows, 5, 8, 8, 8,
				  "The sample (rows: 5) varies in fewer directions than asked for: 4, not 8.");
	training_free();
}

static void
same_everywhere(void)
{
	float	   *rows = sample_rows(1500, 40);

	for (size_t i = 0; i < KINDS; i++)
	{
		const double options[] = {i == 2 ? 7 : 30};
		HxTraining	training = training_of(rows, 1500, 40, i == 1 ? 3 : 10, options);

		training_is_same_everywhere(kinds[i], &training);
	}
	training_free();
}

/* Models that must be the same on every machine. */
static void
golden(void)
{
	static const uint64_t expected[KINDS] = {
		UINT64_C(0xb0ded541580299bc), UINT64_C(0x1d93819983e8a036),
		UINT64_C(0x7bb8ebb2756b77e1)
	};
	float	   *rows = training_whole_rows(600, 24, 1);

	for (size_t i = 0; i < KINDS; i++)
	{
		const double options[] = {20};
		HxTraining	training = training_of(rows, 600, 24, 4, options);
		HxModel		model;

		CHECK(kinds[i]->train(&training, &model, NULL), "%s", training.problem);
		CHECK(training_hash(&model) == expected[i], "%s: 0x%016llx", hx_model_kind_name(model.kind),
			  (unsigned long long) training_hash(&model));
	}
	training_free();
}

int
main(void)
{
	hx_kernel_init();
	RUN(pq_error_falls);
	RUN(pq_finds_values);
	RUN(rq_error_falls);
	RUN(rq_prefixes);
	RUN(fsq_is_monotone);
	RUN(refusals);
	RUN(same_everywhere);
	RUN(golden);
	return unit_summary();
}

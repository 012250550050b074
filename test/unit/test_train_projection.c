/*
 * test_train_projection.c
 *	  The trainers of models that give vectors: projection, relative, weights.
 */
#include "training.h"

#include "hash/trainers.h"

static const HxTrainer *const kinds[] = {
	&hx_trainer_projection, &hx_trainer_relative, &hx_trainer_weights
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static float *
sample_rows(size_t count, size_t d)
{
	return training_clusters(count, d, 5, 2);
}

/* What the model makes of all rows. */
static float *
vectors_of(const HxModel *model, const float *rows, size_t count)
{
	float	   *vectors = training_allocate(NULL, count * model->outputs * sizeof(float));
	float	   *scratch = training_allocate(NULL, hx_model_scratch(model) * sizeof(float));

	for (size_t i = 0; i < count; i++)
		CHECK(hx_model_run_vector(model, rows + i * model->dims, scratch,
								  vectors + i * model->outputs), "row %zu", i);
	return vectors;
}

static double *
mean_of(const float *rows, size_t count, size_t d)
{
	double	   *mean = training_allocate(NULL, d * sizeof(double));

	memset(mean, 0, d * sizeof(double));
	for (size_t i = 0; i < count * d; i++)
		mean[i % d] += rows[i] / (double) count;
	return mean;
}

static double
dot(const float *x, const float *y, size_t n)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double) x[i] * y[i];
	return sum;
}

/* The cosine of x - mean_x and y - mean_y. */
static double
cosine(const float *x, const float *y, const double *mean, size_t n)
{
	double		xy = 0;
	double		xx = 0;
	double		yy = 0;

	for (size_t i = 0; i < n; i++)
	{
		xy += (x[i] - mean[i]) * (y[i] - mean[i]);
		xx += (x[i] - mean[i]) * (x[i] - mean[i]);
		yy += (y[i] - mean[i]) * (y[i] - mean[i]);
	}
	return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
}

static void
projection_is_pca(void)
{
	enum
	{
		COUNT = 300, D = 12, M = 5
	};
	const double options[] = {1, 0.5};
	float	   *rows = sample_rows(COUNT, D);
	const double *mean = mean_of(rows, COUNT, D);
	HxTraining	training = training_of(rows, COUNT, D, M, options);
	double		covariance[D * D];
	double		values[D];
	double		axes[D * D];
	const float *vectors;
	HxModel		model;

	CHECK(hx_trainer_projection.train(&training, &model, NULL), "%s", training.problem);
	CHECK(model.kind == HX_MODEL_PROJECTION && model.outputs == M, "shape");
	vectors = vectors_of(&model, rows, COUNT);
	naive_covariance(rows, D, rows, D, COUNT, covariance);
	naive_eigen(covariance, D, values, axes);
	for (size_t j = 0; j < M; j++)
	{
		double		sign = 0;

		for (size_t i = 0; i < COUNT; i++)
		{
			double		component = 0;

			for (size_t k = 0; k < D; k++)
				component += (rows[i * D + k] - mean[k]) * axes[k * D + j];
			if (sign == 0)
				sign = component * vectors[i * M + j] > 0 ? 1 : -1;
			CHECK(fabs(component - sign * vectors[i * M + j]) < 1e-4, "row %zu, axis %zu", i, j);
		}
	}
	training_free();
}

/* All axes together are a rotation: inner products without a centre, and distances, stay. */
static void
projection_keeps_distances(void)
{
	enum
	{
		COUNT = 60, D = 16
	};
	float	   *rows = sample_rows(COUNT, D);

	for (int centre = 0; centre <= 1; centre++)
	{
		const double options[] = {centre, 0.5};
		HxTraining	training = training_of(rows, COUNT, D, D, options);
		HxModel		model;
		const float *vectors;

		CHECK(hx_trainer_projection.train(&training, &model, NULL), "%s", training.problem);
		vectors = vectors_of(&model, rows, COUNT);
		for (size_t i = 0; i < COUNT; i++)
		{
			for (size_t j = 0; j < i; j++)
			{
				const float *x = rows + i * D;
				const float *y = rows + j * D;
				const float *px = vectors + i * D;
				const float *py = vectors + j * D;

				CHECK(fabs(hx_kernels->l2_squared(x, y, D) - hx_kernels->l2_squared(px, py, D)) <
					  1e-3, "distance of %zu and %zu", i, j);
				if (!centre)
					CHECK(fabs(dot(x, y, D) - dot(px, py, D)) < 1e-3, "product of %zu and %zu", i,
						  j);
			}
		}
	}
	training_free();
}

/* Rows whose deviation is `first` in the first half of the dimensions, `second` in the others. */
static float *
two_halves(size_t count, size_t d, double first, double second)
{
	float	   *rows = training_allocate(NULL, count * d * sizeof(float));

	for (size_t i = 0; i < count * d; i++)
		rows[i] = (float) ((i % d < d / 2 ? first : second) * unit_normal());
	return rows;
}

/* The mean squared error of inner products of rows and queries after projecting both. */
static double
product_error(const HxModel *model, const float *rows, const float *queries, size_t count)
{
	const float *x = vectors_of(model, rows, count);
	const float *q = vectors_of(model, queries, count);
	const size_t d = model->dims;
	const size_t m = model->outputs;
	double		sum = 0;

	for (size_t i = 0; i < count; i++)
	{
		for (size_t j = 0; j < count; j++)
		{
			const double error =
				dot(rows + i * d, queries + j * d, d) - dot(x + i * m, q + j * m, m);

			sum += error * error;
		}
	}
	return sum / (double) (count * count);
}

/* Where data and queries vary in different directions, queries turn the axes towards theirs. */
static void
projection_for_queries(void)
{
	enum
	{
		COUNT = 400, D = 12, M = 6
	};
	float	   *rows = two_halves(COUNT, D, 2, 1);
	float	   *queries = two_halves(COUNT, D, 0.2, 3);
	double		shares[5];
	double		blind = 0;

	for (int step = 0; step <= 4; step++)
	{
		const double options[] = {0, step / 4.0};
		HxTraining	training = training_of(rows, COUNT, D, M, options);
		HxModel		model;
		HxModel		second;
		const float *w;

		training.second_rows = queries;
		training.second_dims = D;
		CHECK(hx_trainer_projection.train(&training, &model, &second), "%s", training.problem);
		CHECK(training_hash(&model) == training_hash(&second), "two different models");
		w = model.steps[0].params;
		shares[step] = 0;
		for (size_t i = D / 2; i < D; i++)
			for (size_t j = 0; j < M; j++)
				shares[step] += (double) w[i * M + j] * w[i * M + j] / M;
		CHECK(step == 0 || shares[step] >= shares[step - 1] - 1e-6, "weight %g: %g after %g",
			  step / 4.0, shares[step], shares[step - 1]);
		if (step == 0)
			blind = product_error(&model, rows, queries, COUNT);
		if (step == 2)
			CHECK(product_error(&model, rows, queries, COUNT) < blind / 5, "%g, blind %g",
				  product_error(&model, rows, queries, COUNT), blind);
	}
	CHECK(shares[0] < 0.05 && shares[4] > 0.95, "%g, %g", shares[0], shares[4]);
	training_free();
}

static void
relative_is_cosines(void)
{
	enum
	{
		COUNT = 100, D = 9, ANCHORS = 20
	};
	float	   *rows = sample_rows(COUNT, D);
	const double *mean = mean_of(rows, COUNT, D);
	HxTraining	training = training_of(rows, COUNT, D, ANCHORS, NULL);
	const float *vectors;
	HxModel		model;

	CHECK(hx_trainer_relative.train(&training, &model, NULL), "%s", training.problem);
	CHECK(model.kind == HX_MODEL_RELATIVE && model.outputs == ANCHORS, "shape");
	vectors = vectors_of(&model, rows, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		for (size_t j = 0; j < ANCHORS; j++)
			CHECK(fabs(vectors[i * ANCHORS + j] -
					   cosine(rows + i * D, rows + j * D, mean, D)) < 1e-5, "row %zu, anchor %zu",
				  i, j);
	training_free();
}

/* Two spaces of which one is the other, turned, scaled and moved, get the same vectors. */
static void
relative_in_two_spaces(void)
{
	enum
	{
		COUNT = 200, D = 10, D2 = 14, ANCHORS = 30
	};
	HxCompute	compute = {.memory.allocate = training_allocate};
	float	   *rows = sample_rows(COUNT, D);
	float	   *others = training_allocate(NULL, COUNT * D2 * sizeof(float));
	double		q[D2 * D2];
	HxTraining	training = training_of(rows, COUNT, D, ANCHORS, NULL);
	const float *first_vectors;
	const float *second_vectors;
	HxModel		model;
	HxModel		second;

	hx_random_orthogonal(&compute, 3, D2, q);
	for (size_t i = 0; i < COUNT; i++)
	{
		for (size_t k = 0; k < D2; k++)
		{
			double		sum = 5;

			for (size_t j = 0; j < D; j++)
				sum += 3 * rows[i * D + j] * q[j * D2 + k];
			others[i * D2 + k] = (float) sum;
		}
	}
	training.second_rows = others;
	training.second_dims = D2;
	CHECK(hx_trainer_relative.train(&training, &model, &second), "%s", training.problem);
	CHECK(model.dims == D && second.dims == D2 && second.outputs == ANCHORS, "shapes");
	first_vectors = vectors_of(&model, rows, COUNT);
	second_vectors = vectors_of(&second, others, COUNT);
	for (size_t i = 0; i < COUNT * ANCHORS; i++)
		CHECK(fabs(first_vectors[i] - second_vectors[i]) < 1e-4, "%g and %g",
			  (double) first_vectors[i], (double) second_vectors[i]);
	training_free();
}

/* A row that is the mean itself has no direction, in either column, and is passed over. */
static void
relative_skips_mean(void)
{
	static const float rows[] = {0, 0, 1, 2, -1, -2, 3, 1, -3, -1};
	static const float others[] = {1, 1, 0, 0, -1, -1, 2, 0, -2, 0};
	HxTraining	training = training_of(rows, 5, 2, 3, NULL);
	HxModel		model;
	HxModel		second;
	const float *vectors;

	training.second_rows = others;
	training.second_dims = 2;
	CHECK(hx_trainer_relative.train(&training, &model, &second), "%s", training.problem);
	vectors = vectors_of(&model, rows, 5);
	CHECK(vectors[2 * 3] > 0.9999f && vectors[3 * 3 + 1] > 0.9999f && vectors[4 * 3 + 2] > 0.9999f,
		  "rows 2, 3 and 4 are the anchors");
	CHECK(vectors[0] == 0 && vectors[1] == 0 && vectors[2] == 0, "the mean has cosines 0");
	training_free();
}

static void
weights_are_deviations(void)
{
	enum
	{
		COUNT = 300, D = 8
	};
	float	   *rows = sample_rows(COUNT, D);
	double		covariance[D * D];

	/* A number that no float is exactly: the mean must still be that very number. */
	for (size_t i = 0; i < COUNT; i++)
		rows[i * D + 3] = 0.1f;
	naive_covariance(rows, D, rows, D, COUNT, covariance);
	for (int whole = 0; whole <= 1; whole++)
	{
		const double options[] = {whole};
		HxTraining	training = training_of(rows, COUNT, D, D, options);
		HxModel		model;
		const float *vectors;

		CHECK(hx_trainer_weights.train(&training, &model, NULL), "%s", training.problem);
		vectors = vectors_of(&model, rows, COUNT);
		for (size_t j = 0; j < D; j++)
		{
			const double expected =
				j == 3 ? 0 : pow(covariance[j * D + j], whole ? -0.5 : -0.25);

			CHECK(fabs(model.steps[0].params[j] - expected) < 1e-5, "weight %zu: %g, not %g", j,
				  (double) model.steps[0].params[j], expected);
			CHECK(vectors[j] == rows[j] * model.steps[0].params[j], "number %zu", j);
		}
	}
	training_free();
}

static void
check_refusal(const HxTrainer *trainer, const HxTraining *sample, const char *expected)
{
	double		options[HX_TRAINER_MAX_OPTIONS];
	HxTraining	training = *sample;
	HxModel		model;
	HxModel		second;

	training_fallbacks(trainer, options);
	training.options = options;
	CHECK(!trainer->train(&training, &model, training.second_rows != NULL ? &second : NULL), "%s",
		  expected);
	CHECK(strcmp(training.problem, expected) == 0, "%s", training.problem);
}

static void
refusals(void)
{
	float	   *rows = sample_rows(50, 8);
	float		same[40 * 8];
	HxTraining	training = training_of(rows, 0, 8, 8, NULL);

	for (size_t i = 0; i < 40 * 8; i++)
		same[i] = 0.1f * (float) (i % 8);
	for (size_t i = 0; i < KINDS; i++)
		check_refusal(kinds[i], &training, "There are no rows to learn from.");

	training = training_of(rows, 50, 8, 9, NULL);
	check_refusal(&hx_trainer_projection, &training,
				  "A projection of 8 dimensions gives at most as many, not 9.");
	check_refusal(&hx_trainer_weights, &training,
				  "Weights keep the number of dimensions: 8, not 9.");
	training.outputs = 51;
	check_refusal(&hx_trainer_relative, &training,
				  "The sample has fewer rows that can be anchors than asked for: 50, not 51.");

	training = training_of(same, 40, 8, 4, NULL);
	check_refusal(&hx_trainer_projection, &training, "All rows of the sample are the same.");
	check_refusal(&hx_trainer_relative, &training,
				  "The sample has fewer rows that can be anchors than asked for: 0, not 4.");

	training = training_of(rows, 40, 8, 4, NULL);
	training.second_rows = rows;
	training.second_dims = 4;
	check_refusal(&hx_trainer_projection, &training,
				  "Queries of 4 dimensions cannot be asked of vectors of 8.");
	training_free();
}

/* The second of two models comes from the same numbers in the same way. */
static void
same_everywhere(void)
{
	float	   *rows = sample_rows(2000, 60);
	float	   *others = sample_rows(2000, 60);

	for (size_t i = 0; i < KINDS; i++)
	{
		double		options[HX_TRAINER_MAX_OPTIONS];
		HxTraining	training = training_of(rows, 2000, 60, 60, options);

		training_fallbacks(kinds[i], options);
		training_is_same_everywhere(kinds[i], &training);
		if (kinds[i]->second_optional)
		{
			training.second_rows = others;
			training.second_dims = 60;
			training_is_same_everywhere(kinds[i], &training);
		}
	}
	training_free();
}

/* Models that must be the same on every machine. */
static void
golden(void)
{
	static const uint64_t expected[KINDS] = {
		UINT64_C(0x71a5322a2bcf9596), UINT64_C(0x6c6b4fe0f78b4045),
		UINT64_C(0xef8331e7f59d5b45)
	};
	float	   *rows = training_whole_rows(600, 24, 1);

	for (size_t i = 0; i < KINDS; i++)
	{
		double		options[HX_TRAINER_MAX_OPTIONS];
		HxTraining	training = training_of(rows, 600, 24, 24, options);
		HxModel		model;

		training_fallbacks(kinds[i], options);
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
	RUN(projection_is_pca);
	RUN(projection_keeps_distances);
	RUN(projection_for_queries);
	RUN(relative_is_cosines);
	RUN(relative_in_two_spaces);
	RUN(relative_skips_mean);
	RUN(weights_are_deviations);
	RUN(refusals);
	RUN(same_everywhere);
	RUN(golden);
	return unit_summary();
}

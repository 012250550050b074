/*
 * test_train_linear.c
 *	  The trainers of signs of projections against what their definitions say.
 */
#include "training.h"

#include "hash/hyperplane.h"
#include "hash/itq.h"
#include "hash/trainers.h"
#include "math/rotation.h"

static const HxTrainer *const kinds[] = {
	&hx_trainer_simhash, &hx_trainer_sparse, &hx_trainer_pca, &hx_trainer_itq
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void
table(void)
{
	for (const HxTrainer *const *trainer = hx_trainers; *trainer != NULL; trainer++)
	{
		const char *name = hx_model_kind_name((*trainer)->kind);

		CHECK(name != NULL && hx_trainer_find(name) == *trainer, "%s", name);
		CHECK((*trainer)->meaning != NULL && (*trainer)->train != NULL, "%s", name);
		CHECK((*trainer)->sample_size(16000, 65536) > 0, "%s", name);
		for (const HxTrainerOption *option = (*trainer)->options; option->name != NULL; option++)
			CHECK(option->fallback >= option->least && option->fallback <= option->most &&
				  option->meaning != NULL, "%s: %s", name, option->name);
	}
	for (size_t i = 0; i < KINDS; i++)
		CHECK(hx_trainer_find(hx_model_kind_name(kinds[i]->kind)) == kinds[i], "%zu", i);
	CHECK(hx_trainer_find("layers") == NULL && hx_trainer_find("") == NULL, "no such trainers");
}

/* Rows that vary along all axes. */
static float *
sample_rows(size_t count, size_t d)
{
	return training_clusters(count, d, 5, 2);
}

/* The mean, as a model keeps it. */
static float *
float_mean(const float *rows, size_t count, size_t d)
{
	float	   *mean = training_allocate(NULL, d * sizeof(float));

	for (size_t j = 0; j < d; j++)
	{
		double		sum = 0;

		for (size_t i = 0; i < count; i++)
			sum += rows[i * d + j];
		mean[j] = (float) (sum / (double) count);
	}
	return mean;
}

static void
simhash_is_hyperplane(void)
{
	const uint32_t d = 50;
	const uint32_t m = 200;
	float	   *rows = sample_rows(300, d);
	float	   *mean = float_mean(rows, 300, d);

	for (int centred = 0; centred <= 1; centred++)
	{
		const double options[] = {centred};
		HxTraining	training = training_of(rows, 300, d, m, options);
		HxModel		model;
		uint8_t    *codes;

		CHECK(hx_trainer_simhash.train(&training, &model, NULL), "%s", training.problem);
		codes = training_codes(&model, rows, 300);
		for (size_t i = 0; i < 300; i++)
		{
			float		x[50];
			float		scratch[64];
			uint8_t		code[25];

			for (size_t j = 0; j < d; j++)
				x[j] = rows[i * d + j] - (centred ? mean[j] : 0);
			hx_simhash(x, d, m, 7, scratch, code);
			CHECK(memcmp(code, codes + i * 25, 25) == 0, "row %zu", i);
		}
	}
	training_free();
}

/* Each bit of a sparse model adds up so many different inputs; all are used alike. */
static void
sparse_choices(void)
{
	static const struct
	{
		uint32_t	dims;
		double		density;
		uint32_t	chosen;
	}			cases[] = {{1, 0, 1}, {2, 0, 1}, {60, 0, 8}, {64, 0, 8}, {100, 0, 11},
						   {1000, 0, 32},
		{64, 0.25, 16}, {64, 1, 64}, {64, 0.001, 1}};

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
	{
		const uint32_t d = cases[k].dims;
		const uint32_t n = (uint32_t) hx_rotation_size(d);
		const uint32_t m = 2000;
		const double options[] = {1, cases[k].density};
		HxTraining	training = training_of(sample_rows(20, d), 20, d, m, options);
		unsigned   *used = training_allocate(NULL, n * sizeof(unsigned));
		size_t	   *last = training_allocate(NULL, n * sizeof(size_t));
		const double expected = (double) m * cases[k].chosen / n;
		unsigned	minus = 0;
		unsigned	repeated = 0;
		HxModel		model;
		const HxStep *step;

		CHECK(hx_trainer_sparse.train(&training, &model, NULL), "%s", training.problem);
		step = &model.steps[2];
		CHECK(model.steps[1].op == HX_STEP_ROTATE && model.steps[1].outputs == n &&
			  step->op == HX_STEP_SPARSE && step->detail == cases[k].chosen,
			  "%u dims: %u chosen", d, step->detail);
		memset(used, 0, n * sizeof(unsigned));
		memset(last, 0xff, n * sizeof(size_t));
		for (size_t i = 0; i < step->param_count; i++)
		{
			const size_t input = (size_t) fabsf(step->params[i]) - 1;

			repeated += last[input] == i / step->detail;
			last[input] = i / step->detail;
			used[input]++;
			minus += step->params[i] < 0;
		}
		CHECK(repeated == 0, "%u inputs stand twice", repeated);
		CHECK(fabs(minus - step->param_count / 2.0) < 5 * sqrt(step->param_count / 4.0), "%u minus",
			  minus);
		for (size_t i = 0; i < n; i++)
			CHECK(fabs(used[i] - expected) <= 6 * sqrt(expected),
				  "%u dims: input %zu, %u times instead of %g",
				  d, i, used[i], expected);
	}
	training_free();
}

/* The rotation before it decides all bits even of a vector with one number, by the angle. */
static void
sparse_guard(void)
{
	const uint32_t d = 512;
	const uint32_t m = 1024;
	const double options[] = {0, 0};
	float	   *rows = training_allocate(NULL, 64 * d * sizeof(float));
	HxTraining	training = training_of(rows, 64, d, m, options);
	uint8_t    *codes;
	HxModel		model;

	memset(rows, 0, 64 * d * sizeof(float));
	for (size_t i = 0; i < 64; i++)
		rows[i * d + i * 7] = 3;
	CHECK(hx_trainer_sparse.train(&training, &model, NULL), "%s", training.problem);
	codes = training_codes(&model, rows, 64);
	for (size_t i = 0; i < 64; i++)
	{
		const double ones = (double) hx_kernels->popcount(codes + i * m / 8, m / 8);

		CHECK(fabs(ones - m / 2.0) < 110, "axis %zu: %g ones", i * 7, ones);
		for (size_t j = 0; j < i; j++)
		{
			const double differ = (double) hx_kernels->hamming(codes + i * m / 8, codes + j * m / 8,
															   m / 8);

			CHECK(fabs(differ - m / 2.0) < 130, "axes %zu and %zu: %g", i * 7, j * 7, differ);
		}
	}
	training_free();
}

/* rows = sum over k of g_k sqrt(variance_k) axis_k with given orthonormal axes. */
static float *
rows_of_axes(size_t count, size_t d, const double *variances, const double *axes)
{
	float	   *rows = training_allocate(NULL, count * d * sizeof(float));

	for (size_t i = 0; i < count; i++)
	{
		double		x[64] = {0};

		for (size_t k = 0; k < d; k++)
		{
			const double g = unit_normal() * sqrt(variances[k]);

			for (size_t j = 0; j < d; j++)
				x[j] += g * axes[j * d + k];
		}
		for (size_t j = 0; j < d; j++)
			rows[i * d + j] = (float) (x[j] + 10);
	}
	return rows;
}

static void
pca_of_known_covariance(void)
{
	enum
	{
		D = 24, M = 10, COUNT = 20000
	};
	double		variances[D];
	double		axes[D * D];
	double		symmetric[D * D];
	double		ignored[D];
	float	   *rows;
	HxTraining	training;
	HxModel		model;
	const HxStep *step;

	for (size_t i = 0; i < D; i++)
	{
		variances[i] = pow(0.7, (double) i);
		for (size_t j = 0; j <= i; j++)
			symmetric[i * D + j] = symmetric[j * D + i] = unit_normal();
	}
	naive_eigen(symmetric, D, ignored, axes);
	rows = rows_of_axes(COUNT, D, variances, axes);

	training = training_of(rows, COUNT, D, M, NULL);
	CHECK(hx_trainer_pca.train(&training, &model, NULL), "%s", training.problem);
	step = &model.steps[1];
	CHECK(step->op == HX_STEP_LINEAR && step->param_count == D * M + M, "linear");
	for (size_t k = 0; k < M; k++)
	{
		double		cosine = 0;
		double		square = 0;

		for (size_t j = 0; j < D; j++)
		{
			cosine += step->params[j * M + k] * axes[j * D + k];
			square += (double) step->params[j * M + k] * step->params[j * M + k];
		}
		CHECK(fabs(square - 1) < 1e-5, "axis %zu has length %g", k, sqrt(square));
		CHECK(fabs(cosine) > 0.99, "axis %zu: cosine %g", k, cosine);
		CHECK(step->params[D * M + k] == 0, "bias");
	}
	training_free();
}

/* The same axes as an eigenvector solver of another method finds in the sample. */
static void
pca_of_sample(void)
{
	enum
	{
		D = 12
	};
	float	   *rows = sample_rows(500, D);
	HxTraining	training = training_of(rows, 500, D, D, NULL);
	double		covariance[D * D];
	double		values[D];
	double		vectors[D * D];
	HxModel		model;

	CHECK(hx_trainer_pca.train(&training, &model, NULL), "%s", training.problem);
	naive_covariance(rows, D, rows, D, 500, covariance);
	naive_eigen(covariance, D, values, vectors);
	for (size_t k = 0; k < D; k++)
	{
		double		cosine = 0;

		for (size_t j = 0; j < D; j++)
			cosine += model.steps[1].params[j * D + k] * vectors[j * D + k];
		CHECK(fabs(fabs(cosine) - 1) < 1e-5, "axis %zu: cosine %g", k, cosine);
	}
	training_free();
}

/* |sign(V R) - V R|^2. */
static double
quantisation_loss(const double *v, size_t count, size_t m, const double *rotation)
{
	double	   *rotated = training_allocate(NULL, count * m * sizeof(double));
	double		loss = 0;

	naive_multiply(v, rotation, count, m, m, rotated);
	for (size_t i = 0; i < count * m; i++)
		loss += (fabs(rotated[i]) - 1) * (fabs(rotated[i]) - 1);
	return loss;
}

/* Numbers of different variances, as principal components are. */
static double *
component_rows(size_t count, size_t m)
{
	double	   *v = training_allocate(NULL, count * m * sizeof(double));

	for (size_t i = 0; i < count * m; i++)
		v[i] = (unit_normal() + (i / m % 3 == 0)) / (1 + (double) (i % m) / 4);
	return v;
}

static void
itq_loss_falls(void)
{
	enum
	{
		M = 16, COUNT = 1000
	};
	HxCompute	compute = {.memory.allocate = training_allocate};
	double	   *v = component_rows(COUNT, M);
	double		identity[M * M];
	double		rotation[M * M];
	double		product[M * M];
	double		loss = 1e300;

	for (int iterations = 0; iterations <= 60; iterations++)
	{
		double		next;

		hx_itq_rotation(&compute, v, COUNT, M, iterations, 3, rotation);
		next = quantisation_loss(v, COUNT, M, rotation);
		CHECK(next <= loss * (1 + 1e-12), "iteration %d: %.15g after %.15g", iterations, next,
			  loss);
		loss = next;
	}
	for (size_t i = 0; i < M * M; i++)
		identity[i] = i % (M + 1) == 0;
	CHECK(loss < quantisation_loss(v, COUNT, M, identity), "not better than no rotation");

	for (size_t i = 0; i < M; i++)
	{
		for (size_t j = 0; j < M; j++)
		{
			product[i * M + j] = 0;
			for (size_t k = 0; k < M; k++)
				product[i * M + j] += rotation[k * M + i] * rotation[k * M + j];
			CHECK(fabs(product[i * M + j] - (i == j)) < 1e-12, "columns %zu and %zu: %g", i, j,
				  product[i * M + j]);
		}
	}
	training_free();
}

/* R = U V^T of V^T B = U S V^T, by way of (A A^T)^-1/2 A. */
static void
naive_procrustes(const double *a, size_t m, double *rotation)
{
	double		square[64];
	double		values[8];
	double		vectors[64];
	double		root[64];

	for (size_t i = 0; i < m; i++)
	{
		for (size_t j = 0; j < m; j++)
		{
			square[i * m + j] = 0;
			for (size_t k = 0; k < m; k++)
				square[i * m + j] += a[i * m + k] * a[j * m + k];
		}
	}
	naive_eigen(square, m, values, vectors);
	for (size_t i = 0; i < m; i++)
	{
		for (size_t j = 0; j < m; j++)
		{
			root[i * m + j] = 0;
			for (size_t k = 0; k < m; k++)
				root[i * m + j] += vectors[i * m + k] * vectors[j * m + k] / sqrt(values[k]);
		}
	}
	naive_multiply(root, a, m, m, m, rotation);
}

/* Gong and Lazebnik's algorithm as they write it, from the same first rotation. */
static void
itq_against_definition(void)
{
	enum
	{
		M = 8, COUNT = 400
	};
	HxCompute	compute = {.memory.allocate = training_allocate};
	double	   *v = component_rows(COUNT, M);
	double	   *rotated = training_allocate(NULL, COUNT * M * sizeof(double));
	double		naive[M * M];
	double		rotation[M * M];

	hx_random_orthogonal(&compute, 5, M, naive);
	for (int iterations = 0; iterations <= 20; iterations++)
	{
		double		product[M * M] = {0};
		double		worst = 0;

		hx_itq_rotation(&compute, v, COUNT, M, iterations, 5, rotation);
		for (size_t i = 0; i < M * M; i++)
			worst = fmax(worst, fabs(rotation[i] - naive[i]));
		CHECK(worst < 1e-9, "iteration %d: off by %g", iterations, worst);

		naive_multiply(v, naive, COUNT, M, M, rotated);
		for (size_t i = 0; i < COUNT; i++)
		{
			for (size_t j = 0; j < M; j++)
			{
				for (size_t k = 0; k < M; k++)
					product[j * M + k] += v[i * M + j] * (rotated[i * M + k] > 0 ? 1 : -1);
			}
		}
		naive_procrustes(product, M, naive);
	}
	training_free();
}

/* The whole: mean, axes and rotation, against the projections in double. */
static void
itq_model(void)
{
	enum
	{
		D = 20, M = 8, COUNT = 500
	};
	const double options[] = {50};
	float	   *rows = sample_rows(COUNT, D);
	HxTraining	training = training_of(rows, COUNT, D, M, options);
	double		covariance[D * D];
	double		product[M * M] = {0};
	double		variance = 0;
	double		explained = 0;
	double		values[D];
	double		vectors[D * D];
	HxModel		model;
	const float *w;

	CHECK(hx_trainer_itq.train(&training, &model, NULL), "%s", training.problem);
	CHECK(model.kind == HX_MODEL_ITQ && model.outputs == M && model.step_count == 3, "shape");
	w = model.steps[1].params;
	naive_covariance(rows, D, rows, D, COUNT, covariance);

	/* The columns are orthonormal, and hold as much variance as the M best axes. */
	for (size_t i = 0; i < M; i++)
	{
		for (size_t j = 0; j < M; j++)
		{
			for (size_t k = 0; k < D; k++)
				product[i * M + j] += (double) w[k * M + i] * w[k * M + j];
			CHECK(fabs(product[i * M + j] - (i == j)) < 1e-6, "columns %zu and %zu", i, j);
		}
		for (size_t k = 0; k < D; k++)
		{
			for (size_t l = 0; l < D; l++)
				explained += w[k * M + i] * covariance[k * D + l] * w[l * M + i];
		}
	}
	naive_eigen(covariance, D, values, vectors);
	for (size_t k = 0; k < M; k++)
		variance += values[k];
	CHECK(fabs(explained / variance - 1) < 1e-6, "%g of %g", explained, variance);
	training_free();
}

/* What cannot be done is said in a sentence. */
static void
check_refusal(const HxTrainer *trainer, const float *rows, size_t count, uint32_t dims,
			  uint32_t bits,
			  const char *expected)
{
	double		options[HX_TRAINER_MAX_OPTIONS];
	HxTraining	training = training_of(rows, count, dims, bits, options);
	HxModel		model;

	training_fallbacks(trainer, options);
	CHECK(!trainer->train(&training, &model, NULL), "%s", expected);
	CHECK(strcmp(training.problem, expected) == 0, "%s", training.problem);
}

static void
refusals(void)
{
	float	   *rows = sample_rows(100, 8);
	float		same[40 * 8];

	for (size_t i = 0; i < 40 * 8; i++)
		same[i] = 0.1f * (float) (i % 8);
	for (size_t i = 0; i < KINDS; i++)
		check_refusal(kinds[i], rows, 0, 8, 4, "There are no rows to learn from.");
	for (size_t i = 2; i < KINDS; i++)
	{
		check_refusal(kinds[i], rows, 100, 8, 9,
					  "There is at most one bit a dimension: 8 dimensions do not give 9 bits.");
		check_refusal(kinds[i], rows, 5, 8, 8,
					  "The sample (rows: 5) varies in fewer directions than asked for: 4, not 8.");
		check_refusal(kinds[i], same, 40, 8, 2,
					  "The sample (rows: 40) varies in fewer directions than asked for: 0, not 2.");
	}
	training_free();
}

/* Medians split every bit of the sample in half, with and without ties. */
static void
medians(void)
{
	for (size_t i = 0; i < KINDS; i++)
	{
		for (size_t count = 200; count <= 201; count++)
		{
			const uint32_t d = 20;
			const uint32_t m = 16;
			double		options[HX_TRAINER_MAX_OPTIONS];
			float	   *rows = sample_rows(count, d);
			HxTraining	training = training_of(rows, count, d, m, options);
			HxModel		model;
			uint8_t    *codes;

			training_fallbacks(kinds[i], options);
			training.median = true;
			CHECK(kinds[i]->train(&training, &model, NULL), "%s", training.problem);
			codes = training_codes(&model, rows, count);
			for (size_t bit = 0; bit < m; bit++)
			{
				size_t		ones = 0;

				for (size_t row = 0; row < count; row++)
					ones += training_bit(codes + row * m / 8, bit);
				CHECK(ones == count / 2, "%s: %zu of %zu", hx_model_kind_name(kinds[i]->kind), ones,
					  count);
			}
		}
	}
	training_free();
}

/* Thresholds alone, of numbers with many ties: medians as sorting finds them. */
static int
compare_floats(const void *a, const void *b)
{
	const float x = *(const float *) a;
	const float y = *(const float *) b;

	return (x > y) - (x < y);
}

static void
medians_by_sorting(void)
{
	for (size_t count = 1; count < 60; count++)
	{
		float	   *rows = training_allocate(NULL, count * 3 * sizeof(float));
		HxTraining	training = training_of(rows, count, 3, 3, NULL);
		const float *thresholds;
		HxModel		model;

		for (size_t i = 0; i < count * 3; i++)
			rows[i] = (float) unit_below(i % 3 == 0 ? 1000000 : 4) - 2;
		training.median = true;
		hx_model_init(&model, HX_MODEL_LAYERS, 3);
		hx_model_add(&model, HX_STEP_TRUNCATE, 3, 0, 0, NULL, 0);
		thresholds = hx_training_thresholds(&training, &model, training.rows);
		for (size_t j = 0; j < 3; j++)
		{
			float		sorted[60];

			for (size_t i = 0; i < count; i++)
				sorted[i] = rows[i * 3 + j];
			qsort(sorted, count, sizeof(float), compare_floats);
			CHECK(thresholds[j] == (sorted[(count - 1) / 2] + sorted[count / 2]) / 2,
				  "%zu numbers: %g", count,
				  (double) thresholds[j]);
		}
	}
	training_free();
}

static void
same_everywhere(void)
{
	float	   *rows = sample_rows(3000, 70);

	for (size_t i = 0; i < KINDS; i++)
	{
		double		options[HX_TRAINER_MAX_OPTIONS];
		HxTraining	training = training_of(rows, 3000, 70, 33, options);

		training_fallbacks(kinds[i], options);
		training.median = i % 2 == 1;
		training_is_same_everywhere(kinds[i], &training);
	}
	training_free();
}

/* Models that must be the same on every machine. */
static void
golden(void)
{
	static const uint64_t expected[KINDS] = {
		UINT64_C(0xdd23f8385146e3ab), UINT64_C(0x2205a35263a195d5),
		UINT64_C(0x87a6559f0d0c5324), UINT64_C(0x9350126648359efd)
	};
	float	   *rows = training_whole_rows(1000, 40, 1);

	for (size_t i = 0; i < KINDS; i++)
	{
		double		options[HX_TRAINER_MAX_OPTIONS];
		HxTraining	training = training_of(rows, 1000, 40, 24, options);
		HxModel		model;

		training_fallbacks(kinds[i], options);
		CHECK(kinds[i]->train(&training, &model, NULL), "%s", training.problem);
		CHECK(training_hash(&model) == expected[i], "%s: 0x%016llx", hx_model_kind_name(model.kind),
			  (unsigned long long) training_hash(&model));
	}
	training_free();
}

/* The seed decides, where there is chance. */
static void
seeds(void)
{
	float	   *rows = sample_rows(500, 20);

	for (size_t i = 0; i < KINDS; i++)
	{
		double		options[HX_TRAINER_MAX_OPTIONS];
		HxTraining	training = training_of(rows, 500, 20, 16, options);
		HxModel		model[2];
		uint8_t    *codes[2];

		training_fallbacks(kinds[i], options);
		for (uint64_t seed = 0; seed < 2; seed++)
		{
			training.seed = seed;
			CHECK(kinds[i]->train(&training, &model[seed], NULL), "%s", training.problem);
			codes[seed] = training_codes(&model[seed], rows, 500);
		}
		CHECK((memcmp(codes[0], codes[1], 1000) == 0) == (kinds[i] == &hx_trainer_pca), "%s",
			  hx_model_kind_name(kinds[i]->kind));
	}
	training_free();
}

int
main(void)
{
	hx_kernel_init();
	RUN(table);
	RUN(simhash_is_hyperplane);
	RUN(sparse_choices);
	RUN(sparse_guard);
	RUN(pca_of_known_covariance);
	RUN(pca_of_sample);
	RUN(itq_loss_falls);
	RUN(itq_against_definition);
	RUN(itq_model);
	RUN(refusals);
	RUN(medians);
	RUN(medians_by_sorting);
	RUN(same_everywhere);
	RUN(golden);
	RUN(seeds);
	return unit_summary();
}

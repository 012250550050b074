/*
 * training.h
 *	  What the tests of trainers share: memory, samples, running models, and small
 *	  matrices solved in the plainest way.
 */
#ifndef HX_UNIT_TRAINING_H
#define HX_UNIT_TRAINING_H

#include "unit.h"

#include <math.h>

#include "hash/train.h"

/* Memory of one training; given back by training_free(). */
static void *training_blocks[4096];
static size_t training_block_count;

static inline void *
training_allocate(void *context, size_t bytes)
{
	void	   *block = bytes < SIZE_MAX / 2 ? aligned_alloc(64,
															 (bytes + 63) / 64 * 64 + 64) : NULL;

	(void) context;
	if (block == NULL || training_block_count == 4096)
	{
		printf("# out of memory: %zu bytes\n", bytes);
		exit(2);
	}
	training_blocks[training_block_count++] = block;
	return block;
}

static inline void
training_free(void)
{
	while (training_block_count > 0)
		free(training_blocks[--training_block_count]);
}

static inline HxTraining
training_of(const float *rows, size_t count, uint32_t dims, uint32_t outputs, const double *options)
{
	return (HxTraining) {
		.rows = rows, .count = count, .dims = dims, .outputs = outputs, .seed = 7,
		.options = options, .compute.memory.allocate = training_allocate,
	};
}

/* The options of a trainer, as when the caller says nothing. */
static inline void
training_fallbacks(const HxTrainer *trainer, double *options)
{
	for (int i = 0; i < HX_TRAINER_MAX_OPTIONS; i++)
		options[i] = trainer->options[i].name != NULL ? trainer->options[i].fallback : 0;
}

/* Bytes of the stored form of a model that must be in order. */
static inline uint8_t *
training_store(const HxModel *model, size_t *size)
{
	char		problem[256] = "";
	uint8_t    *bytes;

	CHECK(hx_model_check(model, NULL, problem, sizeof(problem)) == NULL, "%s", problem);
	*size = hx_model_stored_size(model);
	bytes = training_allocate(NULL, *size);
	hx_model_store(model, NULL, bytes);
	return bytes;
}

/* 64 bits of the stored form (FNV-1a), to compare with those of other machines. */
static inline uint64_t
training_hash(const HxModel *model)
{
	size_t		size;
	const uint8_t *bytes = training_store(model, &size);
	uint64_t	hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* Whole numbers, which no machine rounds, in columns that have to do with each other. */
static inline float *
training_whole_rows(size_t count, size_t d, uint64_t seed)
{
	float	   *rows = training_allocate(NULL, count * d * sizeof(float));

	unit_state = UINT64_C(0x9b60933458e17d7d) ^ seed;
	for (size_t i = 0; i < count; i++)
	{
		int			last = 0;

		for (size_t j = 0; j < d; j++)
		{
			last = last / 2 + (int) unit_below(201) - 90;
			rows[i * d + j] = (float) last;
		}
	}
	return rows;
}

/* count codes, one after the other. */
static inline uint8_t *
training_codes(const HxModel *model, const float *rows, size_t count)
{
	const size_t bytes = (model->outputs + 7) / 8;
	uint8_t    *codes = training_allocate(NULL, count * bytes);
	float	   *scratch = training_allocate(NULL, hx_model_scratch(model) * sizeof(float));

	for (size_t i = 0; i < count; i++)
		CHECK(hx_model_run_code(model, rows + i * model->dims, scratch, codes + i * bytes),
			  "row %zu", i);
	return codes;
}

static inline bool
training_bit(const uint8_t *code, size_t bit)
{
	return code[bit / 8] >> (7 - bit % 8) & 1;
}

/* Rows of `groups` clusters round random centres of length `spread` a dimension, off the origin. */
static inline float *
training_clusters(size_t count, size_t d, size_t groups, double spread)
{
	float	   *rows = training_allocate(NULL, count * d * sizeof(float));
	float	   *centres = training_allocate(NULL, groups * d * sizeof(float));

	for (size_t i = 0; i < groups * d; i++)
		centres[i] = (float) (spread * unit_normal() + 1);
	for (size_t i = 0; i < count; i++)
	{
		const float *centre = centres + unit_below((unsigned) groups) * d;

		for (size_t j = 0; j < d; j++)
			rows[i * d + j] = (float) (centre[j] + unit_normal() / (1 + (double) (j % 4)));
	}
	return rows;
}

/* Eigenvalues, descending, and eigenvectors, as columns, of a symmetric matrix: Jacobi's method. */
static inline void
naive_eigen(double *a, size_t n, double *values, double *vectors)
{
	for (size_t i = 0; i < n * n; i++)
		vectors[i] = i % (n + 1) == 0;
	for (int sweep = 0; sweep < 60; sweep++)
	{
		for (size_t p = 0; p < n; p++)
		{
			for (size_t q = p + 1; q < n; q++)
			{
				double		angle = 0.5 * atan2(2 * a[p * n + q], a[p * n + p] - a[q * n + q]);
				double		c = cos(angle);
				double		s = sin(angle);

				for (size_t k = 0; k < n; k++)
				{
					double		x = a[k * n + p];
					double		y = a[k * n + q];

					a[k * n + p] = c * x + s * y;
					a[k * n + q] = c * y - s * x;
					x = vectors[k * n + p];
					y = vectors[k * n + q];
					vectors[k * n + p] = c * x + s * y;
					vectors[k * n + q] = c * y - s * x;
				}
				for (size_t k = 0; k < n; k++)
				{
					double		x = a[p * n + k];
					double		y = a[q * n + k];

					a[p * n + k] = c * x + s * y;
					a[q * n + k] = c * y - s * x;
				}
			}
		}
	}
	for (size_t i = 0; i < n; i++)
		values[i] = a[i * n + i];
	for (size_t i = 0; i < n; i++)
	{
		for (size_t j = i + 1; j < n; j++)
		{
			if (values[j] > values[i])
			{
				double		swap = values[i];

				values[i] = values[j];
				values[j] = swap;
				for (size_t k = 0; k < n; k++)
				{
					swap = vectors[k * n + i];
					vectors[k * n + i] = vectors[k * n + j];
					vectors[k * n + j] = swap;
				}
			}
		}
	}
}

/* c (m x n) = a (m x k) b (k x n). */
static inline void
naive_multiply(const double *a, const double *b, size_t m, size_t k, size_t n, double *c)
{
	for (size_t i = 0; i < m; i++)
	{
		for (size_t j = 0; j < n; j++)
		{
			c[i * n + j] = 0;
			for (size_t l = 0; l < k; l++)
				c[i * n + j] += a[i * k + l] * b[l * n + j];
		}
	}
}

/* c (dx x dy): the mean over rows of the products of x and y, each less its mean. */
static inline void
naive_covariance(const float *x, size_t dx, const float *y, size_t dy, size_t count, double *c)
{
	double	   *mean_x = training_allocate(NULL, dx * sizeof(double));
	double	   *mean_y = training_allocate(NULL, dy * sizeof(double));

	memset(c, 0, dx * dy * sizeof(double));
	memset(mean_x, 0, dx * sizeof(double));
	memset(mean_y, 0, dy * sizeof(double));
	for (size_t i = 0; i < count; i++)
	{
		for (size_t j = 0; j < dx; j++)
			mean_x[j] += (double) x[i * dx + j] / (double) count;
		for (size_t j = 0; j < dy; j++)
			mean_y[j] += (double) y[i * dy + j] / (double) count;
	}
	for (size_t i = 0; i < count; i++)
	{
		for (size_t j = 0; j < dx; j++)
		{
			for (size_t k = 0; k < dy; k++)
				c[j * dy + k] +=
					(x[i * dx + j] - mean_x[j]) * (y[i * dy + k] - mean_y[k]) / (double) count;
		}
	}
}

/*
 * Trains with one thread at the generic level, then with 1 to 4 threads at every level:
 * the stored models must be the same.
 */
static inline void
training_is_same_everywhere(const HxTrainer *trainer, const HxTraining *sample)
{
	HxTraining	training = *sample;
	HxModel		model;
	HxModel		second;
	size_t		size[2];
	uint8_t    *expected[2] = {NULL, NULL};

	for (int level = HX_SIMD_GENERIC; level < HX_SIMD_LEVELS; level++)
	{
		if (!hx_kernel_use((HxSimdLevel) level))
			continue;
		for (int threads = 1; threads <= 4; threads++)
		{
			size_t		got_size;
			uint8_t    *got;

			training = *sample;
			hx_team_start(threads);
			CHECK(trainer->train(&training, &model, &second), "%s", training.problem);
			hx_team_end();
			for (int i = 0; i < (trainer->two_columns ? 2 : 1); i++)
			{
				got = training_store(i == 0 ? &model : &second, &got_size);
				if (expected[i] == NULL)
				{
					expected[i] = got;
					size[i] = got_size;
				}
				CHECK(got_size == size[i] && memcmp(got, expected[i], got_size) == 0,
					  "%s, %s, %d threads",
					  hx_model_kind_name(trainer->kind), hx_kernel_level_name((HxSimdLevel) level),
					  threads);
			}
		}
	}
	hx_kernel_init();
}

#endif							/* HX_UNIT_TRAINING_H */

/*
 * test_train_ksh.c
 *	  The trainer of kernelised codes against its definition, and what its codes are
 *	  worth.
 */
#include "training.h"

#include "hash/trainers.h"

#define COUNT 400
#define D 12
#define MOST_ANCHORS 16

static float *
sample_rows(size_t count, size_t d)
{
	return training_clusters(count, d, 8, 1.5);
}

/* Options in their order: anchors, rounds of refining, share of pairs, axes (0: all dimensions). */
static HxModel
train(const float *rows, uint32_t bits, double anchors, double refine)
{
	const double options[] = {anchors, refine, 0.05, 0};
	HxTraining	training = training_of(rows, COUNT, D, bits, options);
	HxModel		model;

	CHECK(hx_trainer_ksh.train(&training, &model, NULL), "%s", training.problem);
	CHECK(model.kind == HX_MODEL_KSH && model.outputs == bits && model.step_count == 5 &&
		  model.steps[2].op == HX_STEP_GAUSSIAN && model.steps[2].outputs == (uint32_t) anchors &&
		  model.steps[3].op == HX_STEP_LINEAR, "shape");
	return model;
}

/* What the steps before the weights give: the centred kernel, COUNT x anchors. */
static double *
kernel_of(const HxModel *model, const float *rows)
{
	const size_t m = model->steps[2].outputs;
	HxModel		part = *model;
	double	   *kernel = training_allocate(NULL, COUNT * m * sizeof(double));
	float	   *scratch = training_allocate(NULL, hx_model_scratch(model) * sizeof(float));
	float		out[MOST_ANCHORS];

	part.step_count = 3;
	part.outputs = (uint32_t) m;
	for (size_t i = 0; i < COUNT; i++)
	{
		CHECK(hx_model_run_vector(&part, rows + i * D, scratch, out), "row %zu", i);
		for (size_t j = 0; j < m; j++)
			kernel[i * m + j] = out[j];
	}
	return kernel;
}

/* Squared distances of rows less their mean, at length 1. */
static double *
distances_of(const float *rows)
{
	double	   *f = training_allocate(NULL, COUNT * D * sizeof(double));
	double	   *squares = training_allocate(NULL, COUNT * COUNT * sizeof(double));
	double		mean[D] = {0};

	for (size_t i = 0; i < COUNT * D; i++)
		mean[i % D] += rows[i] / (double) COUNT;
	for (size_t i = 0; i < COUNT; i++)
	{
		double		norm = 0;

		for (size_t j = 0; j < D; j++)
		{
			f[i * D + j] = rows[i * D + j] - mean[j];
			norm += f[i * D + j] * f[i * D + j];
		}
		for (size_t j = 0; j < D; j++)
			f[i * D + j] /= sqrt(norm);
	}
	for (size_t i = 0; i < COUNT; i++)
	{
		for (size_t j = 0; j < COUNT; j++)
		{
			squares[i * COUNT + j] = 0;
			for (size_t k = 0; k < D; k++)
				squares[i * COUNT + j] +=
					(f[i * D + k] - f[j * D + k]) * (f[i * D + k] - f[j * D + k]);
		}
	}
	return squares;
}

static int
compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *) a;
	const double y = *(const double *) b;

	return (x > y) - (x < y);
}

/* All labels: a half for each direction in which a pair is among the 5 % nearest or farthest. */
static double *
labels_of(const double *squares)
{
	const size_t t = COUNT / 20;
	double	   *labels = training_allocate(NULL, COUNT * COUNT * sizeof(double));

	memset(labels, 0, COUNT * COUNT * sizeof(double));
	for (size_t i = 0; i < COUNT; i++)
	{
		double		sorted[COUNT];

		memcpy(sorted, squares + i * COUNT, sizeof(sorted));
		qsort(sorted, COUNT, sizeof(double), compare_doubles);
		for (size_t j = 0; j < COUNT; j++)
		{
			const double square = squares[i * COUNT + j];
			const double label =
				(square <= sorted[t]) * 0.5 - (square >= sorted[COUNT - t]) * 0.5;

			if (i != j)
			{
				labels[i * COUNT + j] += label;
				labels[j * COUNT + i] += label;
			}
		}
	}
	return labels;
}

/* x^T A x. */
static double
form(const double *a, const double *x, size_t n)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			sum += x[i] * a[i * n + j] * x[j];
	return sum;
}

/*
 * The direction a that makes a^T K^T S K a greatest for a^T (K^T K + ridge) a = 1, by way of
 * the inverse root of the latter.
 */
static void
relaxed_answer(const double *kernel, const double *labels, size_t m, double *a)
{
	double	   *labelled = training_allocate(NULL, COUNT * m * sizeof(double));
	double	   *transposed = training_allocate(NULL, COUNT * m * sizeof(double));
	double		gain[MOST_ANCHORS * MOST_ANCHORS];
	double		square[MOST_ANCHORS * MOST_ANCHORS];
	double		root[MOST_ANCHORS * MOST_ANCHORS] = {0};
	double		half[MOST_ANCHORS * MOST_ANCHORS];
	double		whole[MOST_ANCHORS * MOST_ANCHORS];
	double		values[MOST_ANCHORS];
	double		vectors[MOST_ANCHORS * MOST_ANCHORS];
	double		trace = 0;

	for (size_t i = 0; i < COUNT * m; i++)
		transposed[i % m * COUNT + i / m] = kernel[i];
	naive_multiply(labels, kernel, COUNT, COUNT, m, labelled);
	naive_multiply(transposed, labelled, m, COUNT, m, gain);
	naive_multiply(transposed, kernel, m, COUNT, m, square);
	for (size_t i = 0; i < m; i++)
		trace += square[i * m + i];
	for (size_t i = 0; i < m; i++)
		square[i * m + i] += 1e-2 * trace / (double) m;
	naive_eigen(square, m, values, vectors);
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < m; j++)
			for (size_t k = 0; k < m; k++)
				root[i * m + j] += vectors[i * m + k] * vectors[j * m + k] / sqrt(values[k]);
	naive_multiply(root, gain, m, m, m, half);
	naive_multiply(half, root, m, m, m, whole);
	naive_eigen(whole, m, values, vectors);
	for (size_t i = 0; i < m; i++)
	{
		a[i] = 0;
		for (size_t k = 0; k < m; k++)
			a[i] += root[i * m + k] * vectors[k * m];
	}
}

/* The kernel of the model's steps is centred, and of the mean squared distance. */
static void
kernel(void)
{
	enum
	{
		M = 10
	};
	float	   *rows = sample_rows(COUNT, D);
	const HxModel model = train(rows, 4, M, 0);
	const double *values = kernel_of(&model, rows);
	const HxStep *step = &model.steps[2];
	double		log_sum = 0;

	for (size_t j = 0; j < M; j++)
	{
		double		sum = 0;

		for (size_t i = 0; i < COUNT; i++)
		{
			const double raw = values[i * M + j] + step->params[1 + D * M + j];

			CHECK(raw > 0 && raw <= 1 + 1e-6, "%g", raw);
			sum += values[i * M + j];
			log_sum -= log(raw);
		}
		CHECK(fabs(sum / COUNT) < 1e-5, "anchor %zu: mean %g", j, sum / COUNT);
	}
	/* -log k = distance / (2 * mean distance), so its mean is 1/2. */
	CHECK(fabs(log_sum / (COUNT * M) - 0.5) < 1e-4, "%g", log_sum / (COUNT * M));
	training_free();
}

/* Without refining, each bit is the relaxed answer to what the bits before left of the labels. */
static void
bits_against_definition(void)
{
	enum
	{
		M = 10, BITS = 4
	};
	float	   *rows = sample_rows(COUNT, D);
	const HxModel model = train(rows, BITS, M, 0);
	const double *k = kernel_of(&model, rows);
	double	   *left = labels_of(distances_of(rows));
	const uint8_t *codes = training_codes(&model, rows, COUNT);

	for (size_t i = 0; i < COUNT * COUNT; i++)
		left[i] *= BITS;
	for (size_t bit = 0; bit < BITS; bit++)
	{
		double		a[M];
		double		aa = 0;
		double		ww = 0;
		double		aw = 0;

		relaxed_answer(k, left, M, a);
		for (size_t j = 0; j < M; j++)
		{
			const double w = model.steps[3].params[j * BITS + bit];

			aa += a[j] * a[j];
			ww += w * w;
			aw += a[j] * w;
		}
		CHECK(fabs(aw) / sqrt(aa * ww) > 0.9999, "bit %zu: cosine %g", bit, aw / sqrt(aa * ww));
		for (size_t i = 0; i < COUNT; i++)
			for (size_t j = 0; j < COUNT; j++)
				left[i * COUNT + j] -= training_bit(codes + i, bit) == training_bit(codes + j, bit)
					? 1 : -1;
	}
	training_free();
}

/* h^T S h of the first bit's signs. */
static double
first_objective(const HxModel *model, const float *rows, const double *labels)
{
	const uint8_t *codes = training_codes(model, rows, COUNT);
	double		h[COUNT];

	for (size_t i = 0; i < COUNT; i++)
		h[i] = training_bit(codes + i * ((model->outputs + 7) / 8), 0) ? 1 : -1;
	return form(labels, h, COUNT);
}

static void
refining_helps(void)
{
	int			better = 0;

	for (int sample = 0; sample < 10; sample++)
	{
		float	   *rows = sample_rows(COUNT, D);
		const double *labels = labels_of(distances_of(rows));
		const HxModel plain = train(rows, 1, 12, 0);
		const HxModel refined = train(rows, 1, 12, 30);
		const double before = first_objective(&plain, rows, labels);
		const double after = first_objective(&refined, rows, labels);

		CHECK(after >= before, "%g after %g", after, before);
		better += after > before;
	}
	CHECK(better >= 5, "better in %d cases", better);
	training_free();
}

/*
 * With axes, rows and anchors are compared along a few orthonormal directions, which hold all
 * but a twentieth of what the best ones hold.
 */
static void
along_axes(void)
{
	enum
	{
		AXES = 5, M = 10
	};
	float	   *rows = sample_rows(COUNT, D);
	const double options[] = {M, 0, 0.05, AXES};
	HxTraining	training = training_of(rows, COUNT, D, 4, options);
	double		moments[D * D] = {0};
	double		values[D];
	double		vectors[D * D];
	double		best = 0;
	double		held = 0;
	const float *w;
	HxModel		model;
	HxModel		part;

	CHECK(hx_trainer_ksh.train(&training, &model, NULL), "%s", training.problem);
	CHECK(model.step_count == 6 && model.steps[2].op == HX_STEP_LINEAR &&
		  model.steps[2].outputs == AXES && model.steps[3].op == HX_STEP_GAUSSIAN, "shape");
	w = model.steps[2].params;
	for (size_t j = 0; j < AXES; j++)
	{
		for (size_t k = 0; k <= j; k++)
		{
			double		product = 0;

			for (size_t i = 0; i < D; i++)
				product += (double) w[i * AXES + j] * w[i * AXES + k];
			CHECK(fabs(product - (j == k)) < 1e-5, "columns %zu and %zu: %g", j, k, product);
		}
	}
	part = model;
	for (size_t row = 0; row < COUNT; row++)
	{
		float		scratch[4 * D + 2 * M];
		float		f[D];
		float		along[AXES];

		part.step_count = 2;
		part.outputs = D;
		CHECK(hx_model_run_vector(&part, rows + row * D, scratch, f), "row %zu", row);
		part.step_count = 3;
		part.outputs = AXES;
		CHECK(hx_model_run_vector(&part, rows + row * D, scratch, along), "row %zu", row);
		for (size_t j = 0; j < AXES; j++)
			held += (double) along[j] * along[j];
		for (size_t i = 0; i < D; i++)
			for (size_t j = 0; j < D; j++)
				moments[i * D + j] += (double) f[i] * f[j];
	}
	naive_eigen(moments, D, values, vectors);
	for (size_t j = 0; j < AXES; j++)
		best += values[j];
	CHECK(held > 0.95 * best && held < best * 1.0001, "%g of %g", held, best);
	training_free();
}

/* Similar pairs have nearer codes than dissimilar ones, and no bit is wasted. */
static void
codes_tell_pairs_apart(void)
{
	enum
	{
		BITS = 32, BYTES = BITS / 8
	};
	float	   *rows = sample_rows(COUNT, D);
	const double *labels = labels_of(distances_of(rows));
	const double options[] = {100, 10, 0.05, 0};
	HxTraining	training = training_of(rows, COUNT, D, BITS, options);
	double		near = 0;
	double		far = 0;
	double		near_count = 0;
	double		far_count = 0;
	const uint8_t *codes;
	HxModel		model;

	CHECK(hx_trainer_ksh.train(&training, &model, NULL), "%s", training.problem);
	codes = training_codes(&model, rows, COUNT);
	for (size_t i = 0; i < COUNT; i++)
	{
		for (size_t j = 0; j < i; j++)
		{
			const double distance =
				(double) hx_kernels->hamming(codes + i * BYTES, codes + j * BYTES, BYTES);

			if (labels[i * COUNT + j] > 0)
			{
				near += distance;
				near_count++;
			}
			else if (labels[i * COUNT + j] < 0)
			{
				far += distance;
				far_count++;
			}
		}
	}
	CHECK(near / near_count < BITS * 0.25, "similar pairs: %g bits", near / near_count);
	CHECK(far / far_count > BITS * 0.5, "dissimilar pairs: %g bits", far / far_count);
	for (size_t bit = 0; bit < BITS; bit++)
	{
		size_t		ones = 0;

		for (size_t i = 0; i < COUNT; i++)
			ones += training_bit(codes + i * BYTES, bit);
		CHECK(ones > COUNT / 20 && ones < COUNT - COUNT / 20, "bit %zu: %zu ones", bit, ones);
		for (size_t other = 0; other < bit; other++)
		{
			size_t		same = 0;

			for (size_t i = 0; i < COUNT; i++)
				same += training_bit(codes + i * BYTES, bit) ==
					training_bit(codes + i * BYTES, other);
			CHECK(same > 0 && same < COUNT, "bits %zu and %zu are one", bit, other);
		}
	}
	training_free();
}

static void
check_refusal(const float *rows, size_t count, uint32_t bits, double anchors,
			  const char *expected)
{
	const double options[] = {anchors, 5, 0.05, 0};
	HxTraining	training = training_of(rows, count, D, bits, options);
	HxModel		model;

	CHECK(!hx_trainer_ksh.train(&training, &model, NULL), "%s", expected);
	CHECK(strcmp(training.problem, expected) == 0, "%s", training.problem);
}

static void
refusals(void)
{
	float	   *rows = sample_rows(100, D);
	float		same[60 * D];

	for (size_t i = 0; i < 60 * D; i++)
		same[i] = 0.1f * (float) (i % D);
	check_refusal(rows, 0, 8, 10,
				  "The sample (rows: 0) is too small for 10 anchors and pairs of them.");
	check_refusal(rows, 100, 8, 101,
				  "The sample (rows: 100) is too small for 101 anchors and pairs of them.");
	check_refusal(rows, 2, 2, 2,
				  "The sample (rows: 2) is too small for 2 anchors and pairs of them.");
	check_refusal(rows, 100, 11, 10,
				  "There is at most one bit an anchor: 10 anchors do not give 11 bits.");
	check_refusal(same, 60, 8, 10, "All rows of the sample are the same.");
	training_free();
}

/* Medians split every bit of the sample in half. */
static void
medians(void)
{
	const double options[] = {40, 5, 0.05, 6};
	float	   *rows = sample_rows(COUNT, D);
	HxTraining	training = training_of(rows, COUNT, D, 16, options);
	const uint8_t *codes;
	HxModel		model;

	training.median = true;
	CHECK(hx_trainer_ksh.train(&training, &model, NULL), "%s", training.problem);
	codes = training_codes(&model, rows, COUNT);
	for (size_t bit = 0; bit < 16; bit++)
	{
		size_t		ones = 0;

		for (size_t i = 0; i < COUNT; i++)
			ones += training_bit(codes + i * 2, bit);
		CHECK(ones == COUNT / 2, "bit %zu: %zu of %d", bit, ones, COUNT);
	}
	training_free();
}

static void
same_everywhere(void)
{
	const double options[] = {60, 3, 0.02, 7};
	HxTraining	training = training_of(sample_rows(1200, 20), 1200, 20, 6, options);

	training_is_same_everywhere(&hx_trainer_ksh, &training);
	training_free();
}

static void
check_golden(double axes, uint64_t expected)
{
	const double options[] = {40, 5, 0.05, axes};
	HxTraining	training = training_of(training_whole_rows(500, D, 1), 500, D, 16, options);
	HxModel		model;

	CHECK(hx_trainer_ksh.train(&training, &model, NULL), "%s", training.problem);
	CHECK(training_hash(&model) == expected, "0x%016llx", (unsigned long long) training_hash(&model));
	training_free();
}

/* Models that must be the same on every machine. */
static void
golden(void)
{
	check_golden(0, UINT64_C(0x17d6b7129b2d9035));
	check_golden(5, UINT64_C(0x24c913c801bd5312));
}

int
main(void)
{
	hx_kernel_init();
	RUN(kernel);
	RUN(bits_against_definition);
	RUN(refining_helps);
	RUN(along_axes);
	RUN(codes_tell_pairs_apart);
	RUN(refusals);
	RUN(medians);
	RUN(same_everywhere);
	RUN(golden);
	return unit_summary();
}

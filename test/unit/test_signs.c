/*
 * test_signs.c
 *	  Signs from whole numbers, and of sums of a few numbers: at every SIMD level the bits of
 *	  the frozen sums, however near to the threshold these are; and the kernels under them.
 */
#include "training.h"

#include <float.h>

#include "hash/signs.h"

#define MAX_N 400
#define MAX_M 200

/* Parameters of a linear step, and thresholds. */
static float params[MAX_N * MAX_M + MAX_M];
static float thresholds[MAX_M];
static float x[MAX_N];

static HxModel
model_of(uint32_t n, uint32_t m)
{
	HxModel		model;
	char		problem[256] = "";

	hx_model_init(&model, HX_MODEL_LAYERS, n);
	hx_model_add(&model, HX_STEP_LINEAR, m, 0, 0, params, n * m + m);
	hx_model_add(&model, HX_STEP_SIGN, m, 0, 0, thresholds, m);
	CHECK(hx_model_check(&model, NULL, problem, sizeof(problem)) == NULL, "%s", problem);
	return model;
}

/* volatile: each product and each sum is rounded to a float. */
static bool
naive_bit(uint32_t n, uint32_t m, uint32_t j)
{
	volatile float sum = params[n * m + j];

	for (uint32_t i = 0; i < n; i++)
	{
		volatile float product = params[i * m + j] * x[i];

		sum = sum + product;
	}
	return sum > thresholds[j];
}

/* Whether whole numbers are asked at all at the level in use. */
static bool
are_asked(void)
{
	return hx_kernels->matvec_whole != NULL;
}

/* The code at every level, against the plain sums; `finds`: whole numbers must do it. */
static void
check_codes(uint32_t n, uint32_t m, bool finds)
{
	HxModel		model = model_of(n, m);
	size_t		size = hx_signs_size(&model);
	HxSigns    *signs = hx_signs_make(&model, NULL, training_allocate(NULL, size));
	float	   *scratch = training_allocate(NULL, hx_model_scratch(&model) * sizeof(float));
	uint8_t		code[(MAX_M + 7) / 8 + 1];

	for (int level = HX_SIMD_GENERIC; level < HX_SIMD_LEVELS; level++)
	{
		if (!hx_kernel_use((HxSimdLevel) level))
			continue;
		memset(code, 0xa5, sizeof(code));
		if (signs != NULL)
			CHECK(hx_signs_find(signs, x, code) == (finds && are_asked()), "%u x %u, %s", n, m,
				  hx_kernel_level_name((HxSimdLevel) level));
		CHECK(hx_signs_run_code(signs, &model, x, scratch, code), "%u x %u", n, m);
		for (uint32_t j = 0; j < m; j++)
			CHECK(training_bit(code, j) == naive_bit(n, m, j), "%u x %u, bit %u, %s", n, m, j,
				  hx_kernel_level_name((HxSimdLevel) level));
		for (uint32_t j = m; j < (m + 7) / 8 * 8; j++)
			CHECK(!training_bit(code, j), "unused bit %u", j);
		CHECK(code[(m + 7) / 8] == 0xa5, "beyond the code");
	}
	hx_kernel_init();
	training_free();
}

static void
fill(uint32_t n, uint32_t m, double weight, double length)
{
	for (uint32_t i = 0; i < n * m; i++)
		params[i] = (float) (weight * unit_normal());
	for (uint32_t j = 0; j < m; j++)
		params[n * m + j] = thresholds[j] = 0;
	for (uint32_t i = 0; i < n; i++)
		x[i] = (float) (length * unit_normal());
}

static void
usual_matrices(void)
{
	static const uint32_t shapes[][2] = {{64, 64}, {100, 200}, {399, 65}, {400, 63}, {33, 130}};

	for (size_t k = 0; k < sizeof(shapes) / sizeof(shapes[0]); k++)
	{
		const uint32_t n = shapes[k][0];
		const uint32_t m = shapes[k][1];

		for (int round = 0; round < 20; round++)
		{
			fill(n, m, 1, 1);
			check_codes(n, m, true);
			for (uint32_t j = 0; j < m; j++)
			{
				params[n * m + j] = (float) unit_normal();
				thresholds[j] = (float) (5 * unit_normal());
			}
			check_codes(n, m, true);
		}
	}
}

/* Thresholds at the sums themselves, and one float below and above. */
static void
on_the_threshold(void)
{
	const uint32_t n = 300;
	const uint32_t m = 96;

	for (int round = 0; round < 20; round++)
	{
		fill(n, m, 1, 1);
		for (uint32_t j = 0; j < m; j++)
		{
			volatile float sum = params[n * m + j] = (float) unit_normal();

			for (uint32_t i = 0; i < n; i++)
			{
				volatile float product = params[i * m + j] * x[i];

				sum = sum + product;
			}
			thresholds[j] = j % 3 == 0 ? sum : nextafterf(sum, j % 3 == 1 ? 100 : -100);
			/* Where all are so near, whole numbers are not asked. */
			if (round % 2 == 0 && j % 16 != 5)
				thresholds[j] = j % 2 == 0 ? 1000 : -1000;
		}
		check_codes(n, m, round % 2 == 0);
	}
}

/* After many vectors asked in vain, whole numbers are asked ever less, but not given up. */
static void
asked_in_vain(void)
{
	const uint32_t n = 300;
	const uint32_t m = 96;
	HxModel		model;
	HxSigns    *signs;
	uint8_t		code[(MAX_M + 7) / 8];
	int			calls = 0;

	if (!are_asked())
		return;
	fill(n, m, 1, 1);
	for (uint32_t j = 0; j < m; j++)
	{
		volatile float sum = 0;

		for (uint32_t i = 0; i < n; i++)
		{
			volatile float product = params[i * m + j] * x[i];

			sum = sum + product;
		}
		thresholds[j] = sum;
	}
	model = model_of(n, m);
	signs = hx_signs_make(&model, NULL, training_allocate(NULL, hx_signs_size(&model)));
	for (int i = 0; i < 1000; i++)
		CHECK(!hx_signs_find(signs, x, code), "call %d", i);
	for (uint32_t i = 0; i < n; i++)
		x[i] = (float) unit_normal();
	while (calls < 1000 && !hx_signs_find(signs, x, code))
		calls++;
	CHECK(calls > 1 && calls < 256, "asked again after %d calls", calls);
	CHECK(hx_signs_find(signs, x, code), "and again");
	for (uint32_t j = 0; j < m; j++)
		CHECK(training_bit(code, j) == naive_bit(n, m, j), "bit %u", j);
	memset(thresholds, 0, sizeof(thresholds));
	training_free();
}

/* Numbers of most unlike sizes in one column, one vector; columns of most unlike lengths. */
static void
uneven(void)
{
	for (int round = 0; round < 40; round++)
	{
		fill(200, 100, 1, 1);
		for (uint32_t i = 0; i < 200 * 100; i++)
			params[i] *= ldexpf(1, (int) unit_below(24) - 12 - (int) (i % 100) / 6);
		for (uint32_t i = 0; i < 200; i++)
			x[i] *= ldexpf(1, (int) unit_below(30) - 15);
		check_codes(200, 100, true);
	}
	/* All of the length in one number. */
	fill(200, 100, 1, 0x1p-30);
	x[7] = 1000;
	params[7 * 100 + 3] = 1e6f;
	check_codes(200, 100, true);
}

/* Sums that are 0: the bit is 0. */
static void
zeros(void)
{
	fill(100, 64, 1, 1);
	for (uint32_t i = 0; i < 100; i++)
	{
		x[i] = i % 2 == 0 ? 1 : -1;
		for (uint32_t j = 0; j < 64; j++)
			params[i * 64 + j] = (float) (j + 1);
	}
	check_codes(100, 64, false);
}

/* What is too long or too short goes the plain way, and a vector of zeros. */
static void
out_of_range(void)
{
	fill(100, 64, 1, 0x1p-60);
	check_codes(100, 64, false);
	fill(100, 64, 1, 0x1p50);
	check_codes(100, 64, false);
	fill(100, 64, 1, 0);
	check_codes(100, 64, false);
	fill(100, 64, 0x1p-60, 1);
	check_codes(100, 64, false);
	fill(100, 64, 1, 1);
	thresholds[5] = 1e30f;
	check_codes(100, 64, false);
	fill(100, 64, 1, 1);
	for (uint32_t i = 0; i < 100; i++)
		params[i * 64 + 9] = 0;
	check_codes(100, 64, false);
}

/* Sums of a few numbers with signs: the frozen ones, in order, at every level. */
static void
sums_of_few(void)
{
	static const uint32_t shapes[][3] = {
		{1, 1, 1}, {64, 9, 1}, {100, 64, 7}, {399, 65, 20}, {400, 7, 3}
	};
	static float places[MAX_M * 20];

	for (size_t k = 0; k < 10 * sizeof(shapes) / sizeof(shapes[0]); k++)
	{
		const uint32_t n = shapes[k / 10][0];
		const uint32_t m = shapes[k / 10][1];
		const uint32_t each = shapes[k / 10][2];
		HxModel		model;
		HxSigns    *signs;
		float	   *scratch;
		char		problem[256] = "";

		for (uint32_t i = 0; i < n; i++)
			x[i] = (float) unit_normal() * ldexpf(1, (int) unit_below(20) - 10);
		for (uint32_t i = 0; i < m * each; i++)
			places[i] = (float) (1 + unit_below(n)) * (unit_below(2) == 0 ? 1 : -1);
		hx_model_init(&model, HX_MODEL_SPARSE, n);
		hx_model_add(&model, HX_STEP_SPARSE, m, each, 0, places, m * each);
		hx_model_add(&model, HX_STEP_SIGN, m, 0, 0, thresholds, m);
		CHECK(hx_model_check(&model, NULL, problem, sizeof(problem)) == NULL, "%s", problem);
		signs = hx_signs_make(&model, NULL, training_allocate(NULL, hx_signs_size(&model)));
		scratch = training_allocate(NULL, hx_model_scratch(&model) * sizeof(float));
		for (uint32_t j = 0; j < m; j++)
		{
			volatile float sum = 0;

			for (uint32_t i = 0; i < each; i++)
			{
				const float place = places[j * each + i];

				sum = place > 0 ? sum + x[(int) place - 1] : sum - x[(int) -place - 1];
			}
			thresholds[j] = j % 4 == 0 ? sum : j % 4 == 1 ? nextafterf(sum, -1e9f) : 0;
			params[j] = sum > thresholds[j];
		}
		for (int level = HX_SIMD_GENERIC; level < HX_SIMD_LEVELS; level++)
		{
			uint8_t		code[(MAX_M + 7) / 8 + 1];
			uint8_t		plain[(MAX_M + 7) / 8 + 1];

			if (!hx_kernel_use((HxSimdLevel) level))
				continue;
			memset(code, 0xa5, sizeof(code));
			memset(plain, 0xa5, sizeof(plain));
			CHECK(hx_signs_find(signs, x, code), "%u of %u", each, n);
			CHECK(hx_model_run_code(&model, x, scratch, plain), "%u of %u", each, n);
			CHECK(memcmp(code, plain, sizeof(code)) == 0, "%u x %u of %u", m, each, n);
			for (uint32_t j = 0; j < m; j++)
				CHECK(training_bit(code, j) == (params[j] > 0), "bit %u of %u x %u", j, m, n);
		}
		/* A sum beyond the range of floats: as run step by step. */
		if (each > 1)
		{
			uint8_t		code[(MAX_M + 7) / 8 + 1];

			for (uint32_t i = 0; i < n; i++)
				x[i] = FLT_MAX;
			for (uint32_t i = 0; i < each; i++)
				places[i] = 1;
			signs = hx_signs_make(&model, NULL, signs);
			CHECK(!hx_signs_find(signs, x, code), "infinite");
			CHECK(!hx_signs_run_code(signs, &model, x, scratch, code), "infinite");
		}
		hx_kernel_init();
		training_free();
	}
	memset(thresholds, 0, sizeof(thresholds));
}

/* Which models have signs of this sort. */
static void
sizes(void)
{
	HxModel		model = model_of(100, 64);

	CHECK(hx_signs_size(&model) > 100 * 64 * 6, "a matrix and signs");
	model = model_of(10, 10);
	CHECK(hx_signs_size(&model) == 0, "a small matrix");
	model.step_count = 1;
	CHECK(hx_signs_size(&model) == 0, "a matrix alone");
	hx_model_init(&model, HX_MODEL_LAYERS, 64);
	hx_model_add(&model, HX_STEP_SIGN, 64, 0, 0, thresholds, 64);
	CHECK(hx_signs_size(&model) == 0, "signs alone");
	hx_model_init(&model, HX_MODEL_LAYERS, 100);
	hx_model_add(&model, HX_STEP_LINEAR, 64, 0, 0, params, 100 * 64 + 64);
	hx_model_add(&model, HX_STEP_RELU, 64, 0, 0, NULL, 0);
	hx_model_add(&model, HX_STEP_SIGN, 64, 0, 0, thresholds, 64);
	CHECK(hx_signs_size(&model) == 0, "something between them");
}

/* Rounding: the nearest whole numbers, and the same sum at every level. */
static void
rounding(void)
{
	for (size_t n = 0; n <= 70; n++)
	{
		int16_t		out[71];
		float		expected = 0;

		for (size_t i = 0; i < n; i++)
			x[i] = (float) (unit_normal() * 500);
		for (int level = HX_SIMD_GENERIC; level < HX_SIMD_LEVELS; level++)
		{
			float		squares;

			if (!hx_kernel_use((HxSimdLevel) level))
				continue;
			out[n] = 77;
			squares = hx_kernels->round_whole(x, n, 7.5f, out);
			if (level == HX_SIMD_GENERIC)
				expected = squares;
			CHECK(squares == expected && squares <= (float) n / 4, "%zu, %g", n, (double) squares);
			for (size_t i = 0; i < n; i++)
				CHECK(out[i] == (int) rintf(x[i] * 7.5f), "%zu of %zu", i, n);
			CHECK(out[n] == 77, "beyond the end");
		}
	}
	hx_kernel_init();
}

/* Whole products, in the order of matvec_whole. */
static void
whole_products(void)
{
	static const size_t pairs[] = {1, 2, 7, 50};

	for (size_t k = 0; k < 4; k++)
	{
		const size_t panels = 1 + k % 3;
		const size_t columns = panels * HX_PANEL;
		int16_t    *w = training_allocate(NULL, columns * pairs[k] * 4);
		int16_t    *v = training_allocate(NULL, pairs[k] * 4);
		int32_t    *out = training_allocate(NULL, columns * 4);

		for (size_t i = 0; i < columns * pairs[k] * 2; i++)
			w[i] = (int16_t) ((int) unit_below(9001) - 4500);
		for (size_t i = 0; i < pairs[k] * 2; i++)
			v[i] = (int16_t) ((int) unit_below(9001) - 4500);
		for (int level = HX_SIMD_GENERIC; level < HX_SIMD_LEVELS; level++)
		{
			if (!hx_kernel_use((HxSimdLevel) level) || !are_asked())
				continue;
			hx_kernels->matvec_whole(w, pairs[k], panels, v, out);
			for (size_t j = 0; j < columns; j++)
			{
				int64_t		sum = 0;

				for (size_t i = 0; i < 2 * pairs[k]; i++)
				{
					const size_t pair = j / HX_PANEL * pairs[k] + i / 2;

					sum += w[2 * (pair * HX_PANEL + j % HX_PANEL) + i % 2] * v[i];
				}
				CHECK(out[j] == sum, "%zu pairs, column %zu, %s", pairs[k], j,
					  hx_kernel_level_name((HxSimdLevel) level));
			}
		}
		hx_kernel_init();
		training_free();
	}
}

int
main(void)
{
	hx_kernel_init();
	RUN(usual_matrices);
	RUN(on_the_threshold);
	RUN(asked_in_vain);
	RUN(uneven);
	RUN(zeros);
	RUN(out_of_range);
	RUN(sums_of_few);
	RUN(sizes);
	RUN(rounding);
	RUN(whole_products);
	return unit_summary();
}

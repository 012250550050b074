/*
 * test_model.c
 *	  Running models: every operation against a plain computation, whole models
 *	  against simhash, and the same output at every SIMD level.
 */
#include "models.h"

#include <float.h>
#include <math.h>

#include "hash/hyperplane.h"
#include "math/rotation.h"

#define N 37					/* inputs of most tests: no multiple of a register */
#define M 21

static float scratch[100000];
static float x[N];

static HxModel *
new_model(uint32_t dims)
{
	static HxModel model;

	test_params_used = 0;
	hx_model_init(&model, HX_MODEL_LAYERS, dims);
	return &model;
}

static bool
is_valid(const HxModel *model)
{
	char		problem[200];

	if (hx_model_check(model, NULL, problem, sizeof(problem)) == NULL)
		return true;
	printf("# %s\n", problem);
	return false;
}

/* Runs a model of one step with random parameters on a random vector, `out` numbers. */
static const HxStep *
run_one(HxStepOp op, uint32_t outputs, uint32_t detail, float *out)
{
	HxModel    *model = new_model(N);

	random_input_vector(x, N);
	add_test_step(model, op, HX_MODEL_INPUT, HX_MODEL_INPUT, outputs, detail);
	CHECK(is_valid(model), "%s", hx_model_step_name(op));
	CHECK(hx_model_scratch(model) <= sizeof(scratch) / sizeof(float), "scratch");
	CHECK(hx_model_run_vector(model, x, scratch, out), "%s", hx_model_step_name(op));
	return &model->steps[0];
}

static double
length_of(const float *v, size_t n)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double) v[i] * v[i];
	return sqrt(sum);
}

/* Operations whose numbers are what IEEE 754 says of one operation. */
static void
number_by_number(void)
{
	float		out[N];
	const HxStep *step;

	step = run_one(HX_STEP_CENTRE, N, 0, out);
	for (int i = 0; i < N; i++)
		CHECK(out[i] == x[i] - step->params[i], "centre %d", i);
	step = run_one(HX_STEP_SCALE, N, 0, out);
	for (int i = 0; i < N; i++)
		CHECK(out[i] == x[i] * step->params[i], "scale %d", i);
	run_one(HX_STEP_RELU, N, 0, out);
	for (int i = 0; i < N; i++)
		CHECK(out[i] == fmaxf(x[i], 0), "relu %d", i);
	run_one(HX_STEP_SIGNUM, N, 0, out);
	for (int i = 0; i < N; i++)
		CHECK(out[i] == (x[i] > 0 ? 1 : -1), "signum %d", i);
	run_one(HX_STEP_TRUNCATE, M, 0, out);
	CHECK(memcmp(out, x, M * sizeof(float)) == 0, "truncate");
	run_one(HX_STEP_TANH, N, 0, out);
	for (int i = 0; i < N; i++)
		CHECK(fabs(out[i] - tanh(x[i])) <= 1e-7, "tanh %d", i);
}

static void
signum_of_zero(void)
{
	HxModel    *model = new_model(3);
	const float zeros[] = {0, -0.0f, FLT_TRUE_MIN};
	float		out[3];

	hx_model_add(model, HX_STEP_SIGNUM, 3, 0, 0, NULL, 0);
	CHECK(hx_model_run_vector(model, zeros, scratch, out), "run");
	CHECK(out[0] == -1 && out[1] == -1 && out[2] == 1, "%g %g %g",
		  (double) out[0], (double) out[1], (double) out[2]);
}

static void
linear(void)
{
	float		out[M];
	const HxStep *step = run_one(HX_STEP_LINEAR, M, 0, out);

	for (int j = 0; j < M; j++)
	{
		volatile float sum = step->params[N * M + j];

		for (int i = 0; i < N; i++)
		{
			volatile float product = x[i] * step->params[i * M + j];

			sum = sum + product;
		}
		CHECK(out[j] == sum, "output %d", j);
	}
}

/* More outputs than a block of the rotation has. */
static void
rotate(void)
{
	float		out[200];
	float		block[64];
	const HxStep *step = run_one(HX_STEP_ROTATE, 150, 0, out);

	for (uint32_t j = 0; j < 150; j++)
	{
		if (j % 64 == 0)
			hx_rotation_apply(step->seed, j / 64, x, N, block);
		CHECK(out[j] == block[j % 64], "output %u", j);
	}
}

static void
sparse(void)
{
	float		out[M];
	const HxStep *step = run_one(HX_STEP_SPARSE, M, 5, out);

	for (int j = 0; j < M; j++)
	{
		float		sum = 0;

		for (int i = 0; i < 5; i++)
		{
			float		param = step->params[j * 5 + i];

			sum += x[abs((int) param) - 1] * (param > 0 ? 1 : -1);
		}
		CHECK(out[j] == sum, "output %d", j);
	}
}

static void
normalise(void)
{
	HxModel    *model = new_model(4);
	const float zeros[4] = {0};
	const float large[4] = {FLT_MAX, -FLT_MAX, FLT_MAX, FLT_MAX};
	const float small[4] = {FLT_TRUE_MIN, 0, -FLT_TRUE_MIN, 0};
	float		out[N];

	run_one(HX_STEP_NORMALISE, N, 0, out);
	for (int i = 0; i < N; i++)
		CHECK(fabs(out[i] - x[i] / length_of(x, N)) < 1e-7, "%d", i);

	hx_model_init(model, HX_MODEL_LAYERS, 4);
	hx_model_add(model, HX_STEP_NORMALISE, 4, 0, 0, NULL, 0);
	CHECK(hx_model_run_vector(model, zeros, scratch, out), "zeros");
	CHECK(length_of(out, 4) == 0, "zeros: %g", length_of(out, 4));
	CHECK(hx_model_run_vector(model, large, scratch, out), "large");
	CHECK(out[0] == 0.5f && out[1] == -0.5f, "large: %g", (double) out[0]);
	CHECK(hx_model_run_vector(model, small, scratch, out), "small");
	CHECK(fabs(out[0] - sqrt(0.5)) < 1e-7 && out[2] == -out[0], "small: %g", (double) out[0]);
}

static void
gaussian(void)
{
	float		out[M];
	const HxStep *step = run_one(HX_STEP_GAUSSIAN, M, 0, out);
	const float *anchors = step->params + 1;
	HxModel    *model;
	HxStep		far;

	for (int j = 0; j < M; j++)
	{
		double		distance = 0;

		for (int i = 0; i < N; i++)
			distance += pow((double) x[i] - anchors[i * M + j], 2);
		distance = exp(-distance * step->params[0]) - step->params[1 + N * M + j];
		CHECK(fabs(out[j] - distance) < 1e-5, "anchor %d: %g", j, distance);
	}

	/* So far away that the distance is beyond the floats: the kernel is 0. */
	for (int i = 0; i < N; i++)
		x[i] = 1e30f;
	far = *step;
	model = new_model(N);
	hx_model_add(model, far.op, M, 0, 0, far.params, far.param_count);
	CHECK(hx_model_run_vector(model, x, scratch, out), "far");
	for (int j = 0; j < M; j++)
		CHECK(out[j] == -far.params[1 + N * M + j], "far from anchor %d", j);
}

static void
cosines(void)
{
	HxModel    *model = new_model(N);
	float		rows[M][N];
	float	   *anchors = take_test_params(N * M);
	float		out[M];

	random_input_vector(x, N);
	for (int j = 0; j < M; j++)
	{
		double		length;

		random_input_vector(rows[j], N);
		length = length_of(rows[j], N);
		for (int i = 0; i < N; i++)
		{
			rows[j][i] = (float) (rows[j][i] / length);
			anchors[i * M + j] = rows[j][i];
		}
	}
	hx_model_add(model, HX_STEP_COSINES, M, 0, 0, anchors, N * M);
	CHECK(is_valid(model) && hx_model_run_vector(model, x, scratch, out), "run");
	for (int j = 0; j < M; j++)
	{
		double		cosine = 0;

		for (int i = 0; i < N; i++)
			cosine += (double) x[i] * rows[j][i] / length_of(x, N);
		CHECK(fabs(out[j] - cosine) < 1e-6, "anchor %d: %g", j, cosine);
	}
	memset(x, 0, sizeof(x));
	CHECK(hx_model_run_vector(model, x, scratch, out) && length_of(out, M) == 0, "zero vector");
}

/* f less the linear image of its signs, both of them one after the other: steps that look back. */
static void
graph(void)
{
	HxModel    *model = new_model(N);
	float		out[2 * N];
	float		signs[N];
	const HxStep *linear_step;
	int			image;
	int			rest;

	random_input_vector(x, N);
	add_test_step(model, HX_STEP_SIGNUM, HX_MODEL_INPUT, HX_MODEL_INPUT, N, 0);
	image = add_test_step(model, HX_STEP_LINEAR, 0, HX_MODEL_INPUT, N, 0);
	rest = add_test_step(model, HX_STEP_SUBTRACT, HX_MODEL_INPUT, image, N, 0);
	add_test_step(model, HX_STEP_CONCAT, rest, HX_MODEL_INPUT, 2 * N, 0);
	CHECK(is_valid(model) && hx_model_run_vector(model, x, scratch, out), "run");

	linear_step = &model->steps[image];
	for (int i = 0; i < N; i++)
		signs[i] = x[i] > 0 ? 1 : -1;
	for (int j = 0; j < N; j++)
	{
		float		expected;

		hx_kernels->matvec(linear_step->params, N, N, signs, linear_step->params + N * N, scratch);
		expected = x[j] - scratch[j];
		CHECK(out[j] == expected && out[N + j] == x[j], "%d", j);
	}
}

static void
sign(void)
{
	for (uint32_t n = 1; n <= N; n++)
	{
		HxModel    *model = new_model(n);
		float	   *thresholds = take_test_params(n);
		uint8_t		code[N / 8 + 2];
		uint8_t		expected[N / 8 + 2] = {0};

		random_input_vector(x, n);
		for (uint32_t j = 0; j < n; j++)
			thresholds[j] = j % 3 == 0 ? x[j] : (float) unit_normal();	/* equal: not above */
		hx_model_add(model, HX_STEP_SIGN, n, 0, 0, thresholds, n);
		for (uint32_t j = 0; j < n; j++)
			expected[j / 8] |= (uint8_t) ((x[j] > thresholds[j]) << (7 - j % 8));
		expected[(n + 7) / 8] = 0xa5;

		memset(code, 0xa5, sizeof(code));
		CHECK(is_valid(model) && hx_model_run_code(model, x, scratch, code), "%u bits", n);
		CHECK(memcmp(code, expected, (n + 7) / 8 + 1) == 0, "%u bits", n);
	}
}

/* The nearest of `count` columns, from the differences themselves. */
static uint16_t
naive_nearest(const float *centroids, int n, int count, const double *point)
{
	double		least = INFINITY;
	uint16_t	nearest = 0;

	for (int k = 0; k < count; k++)
	{
		double		distance = 0;

		for (int i = 0; i < n; i++)
			distance += pow(point[i] - centroids[i * count + k], 2);
		if (distance < least)
		{
			least = distance;
			nearest = (uint16_t) k;
		}
	}
	return nearest;
}

static void
pq(void)
{
	HxModel    *model = new_model(36);
	uint16_t	tokens[12];

	add_test_step(model, HX_STEP_PQ, HX_MODEL_INPUT, HX_MODEL_INPUT, 12, 50);
	CHECK(is_valid(model), "valid");
	for (int round = 0; round < 50; round++)
	{
		random_input_vector(x, 36);
		CHECK(hx_model_run_tokens(model, x, scratch, tokens), "run");
		for (int j = 0; j < 12; j++)
		{
			double		point[3] = {x[j * 3], x[j * 3 + 1], x[j * 3 + 2]};
			uint16_t	expected = naive_nearest(model->steps[0].params + j * 150, 3, 50, point);

			CHECK(tokens[j] == expected, "token %d: %d, not %d", j, tokens[j], expected);
		}
	}
}

static void
rq(void)
{
	HxModel    *model = new_model(N);
	uint16_t	tokens[4];

	add_test_step(model, HX_STEP_RQ, HX_MODEL_INPUT, HX_MODEL_INPUT, 4, 60);
	CHECK(is_valid(model), "valid");
	for (int round = 0; round < 50; round++)
	{
		double		rest[N];

		random_input_vector(x, N);
		for (int i = 0; i < N; i++)
			rest[i] = x[i];
		CHECK(hx_model_run_tokens(model, x, scratch, tokens), "run");
		for (int j = 0; j < 4; j++)
		{
			const float *centroids = model->steps[0].params + j * N * 60;

			CHECK(tokens[j] == naive_nearest(centroids, N, 60, rest), "token %d", j);
			for (int i = 0; i < N; i++)
				rest[i] -= centroids[i * 60 + tokens[j]];
		}
	}
}

/* Of equal centroids the first; those infinitely far away do not count. */
static void
ties(void)
{
	HxModel    *model = new_model(1);
	const float centroids[] = {FLT_MAX, 3, 1, -1, 1};
	const float zero = 0;
	const float far = -FLT_MAX;
	uint16_t	token;

	hx_model_add(model, HX_STEP_PQ, 1, 5, 0, centroids, 5);
	CHECK(is_valid(model) && hx_model_run_tokens(model, &zero, scratch, &token) && token == 2,
		  "token %d", token);
	CHECK(!hx_model_run_tokens(model, &far, scratch, &token), "all too far");
}

/* Levels around 0, and the shift by which even numbers of levels are written in the literature. */
static void
fsq(void)
{
	const float levels[] = {2, 3, 4, 5, 8, 256, 65536};
	const int	count = sizeof(levels) / sizeof(levels[0]);
	HxModel    *model = new_model((uint32_t) count);
	float		numbers[7];
	uint16_t	tokens[7];

	hx_model_add(model, HX_STEP_FSQ, (uint32_t) count, 0, 0, levels, (uint32_t) count);
	CHECK(is_valid(model), "valid");
	for (int i = -400; i <= 400; i++)
	{
		double		z = i / 50.0 + 0.003;

		for (int k = 0; k < count; k++)
		{
			double		half = (levels[k] - 1) * 1.001 / 2;
			double		offset = (int) levels[k] % 2 == 0 ? 0.5 : 0;

			numbers[k] = (float) (z + atanh(offset / half));
		}
		CHECK(hx_model_run_tokens(model, numbers, scratch, tokens), "run");
		for (int k = 0; k < count; k++)
		{
			double		half = (levels[k] - 1) * 1.001 / 2;
			double		offset = (int) levels[k] % 2 == 0 ? 0.5 : 0;
			double		expected = rint(tanh(numbers[k]) * half - offset) + (int) levels[k] / 2;

			expected = fmin(fmax(expected, 0), levels[k] - 1);
			CHECK(tokens[k] == expected, "%g of %g levels: %d, not %g", z, (double) levels[k],
				  tokens[k], expected);
		}
	}
	memset(numbers, 0, sizeof(numbers));
	CHECK(hx_model_run_tokens(model, numbers, scratch, tokens), "run");
	CHECK(tokens[0] == 0 && tokens[1] == 1 && tokens[2] == 1 && tokens[3] == 2, "zeros");
}

/* CENTRE by zeros, ROTATE, SIGN is simhash, bit for bit. */
static void
is_simhash(void)
{
	static const uint32_t dims[] = {1, 3, 64, 100, 768};
	static const uint32_t bits[] = {1, 9, 256, 1500};
	static const float zeros[1500];
	static float v[768];
	uint8_t		code[188];
	uint8_t		expected[188];

	for (int d = 0; d < 5; d++)
	{
		for (int b = 0; b < 4; b++)
		{
			HxModel    *model = new_model(dims[d]);

			hx_model_add(model, HX_STEP_CENTRE, dims[d], 0, 0, zeros, dims[d]);
			hx_model_add(model, HX_STEP_ROTATE, bits[b], 0, 99, NULL, 0);
			hx_model_add(model, HX_STEP_SIGN, bits[b], 0, 0, zeros, bits[b]);
			CHECK(is_valid(model), "valid");
			for (int round = 0; round < 20; round++)
			{
				random_input_vector(v, dims[d]);
				hx_simhash(v, dims[d], bits[b], 99, scratch, expected);
				CHECK(hx_model_run_code(model, v, scratch, code), "run");
				CHECK(memcmp(code, expected, (bits[b] + 7) / 8) == 0, "%u dims, %u bits",
					  dims[d], bits[b]);
			}
		}
	}
}

/* Numbers beyond the range of floats are told, not turned into something. */
static void
overflow(void)
{
	HxModel    *model = new_model(2);
	const float factors[] = {FLT_MAX, FLT_MAX};
	const float zeros[] = {0, 0};
	const float two[] = {2, 2};
	const float one[] = {1, -1};
	uint8_t		code;

	hx_model_add(model, HX_STEP_SCALE, 2, 0, 0, factors, 2);
	hx_model_add(model, HX_STEP_SIGNUM, 2, 0, 0, NULL, 0);
	hx_model_add(model, HX_STEP_SIGN, 2, 0, 0, zeros, 2);
	CHECK(is_valid(model), "valid");
	CHECK(!hx_model_run_code(model, two, scratch, &code), "twice the largest float");
	CHECK(hx_model_run_code(model, one, scratch, &code) && code == 0x80, "the largest float");
}

/* Parameters that a formula gives, for what was computed apart. */
static const float *
golden_params(int sort, uint32_t count)
{
	float	   *params = take_test_params(count);

	for (uint32_t i = 0; i < count; i++)
		params[i] = (float) ((int) (i * 37 + (uint32_t) sort * 11) % 64 - 31) / 16;
	return params;
}

/* Numbers that must never change; computed apart from the C code. */
static void
golden_at(const HxKernels *kernels)
{
	static const uint32_t expected[] = {0xbf7f3336, 0xbf600b89, 0xbf6f2ddc, 0x3f7e9c5e};
	const float vector[] = {1.5f, -0.25f, 3.75f, -2, 0.625f};
	HxModel    *model = new_model(5);
	float	   *gauss = take_test_params(37);
	float	   *linear_params = take_test_params(28);
	float		out[4];

	gauss[0] = 0.375f;
	memcpy(gauss + 1, golden_params(2, 30), 30 * sizeof(float));
	memcpy(gauss + 31, golden_params(3, 6), 6 * sizeof(float));
	memcpy(linear_params, golden_params(4, 24), 24 * sizeof(float));
	memcpy(linear_params + 24, golden_params(5, 4), 4 * sizeof(float));

	hx_model_add(model, HX_STEP_CENTRE, 5, 0, 0, golden_params(1, 5), 5);
	hx_model_add(model, HX_STEP_NORMALISE, 5, 0, 0, NULL, 0);
	hx_model_add(model, HX_STEP_GAUSSIAN, 6, 0, 0, gauss, 37);
	hx_model_add(model, HX_STEP_LINEAR, 4, 0, 0, linear_params, 28);
	hx_model_add(model, HX_STEP_TANH, 4, 0, 0, NULL, 0);

	hx_kernel_use(kernels->level);
	CHECK(is_valid(model) && hx_model_run_vector(model, vector, scratch, out), "run");
	for (int i = 0; i < 4; i++)
		CHECK(memcmp(&out[i], &expected[i], 4) == 0, "%s, number %d: %a",
			  hx_kernel_level_name(kernels->level), i, (double) out[i]);
	hx_kernel_init();
}

static void
golden(void)
{
	unit_each_level(golden_at);
}

/* Random models at one level against the generic one; scratch and output as large as promised. */
static void
same_at(const HxKernels *kernels)
{
	int			failed = 0;

	for (int round = 0; round < 2000; round++)
	{
		const HxStepOp last = (HxStepOp) (1 + (unsigned) round % HX_STEP_FSQ);
		HxModel		model;
		float		v[MAX_TEST_WIDTH];
		float	   *room;
		uint8_t    *out;
		uint8_t    *expected;
		bool		runs;

		random_model(&model, last);
		CHECK(is_valid(&model), "last step %s", hx_model_step_name(last));
		random_input_vector(v, model.dims);
		room = unit_alloc((hx_model_scratch(&model) + 1) * sizeof(float));
		room[hx_model_scratch(&model)] = 4711;
		out = unit_alloc(output_bytes(&model));
		expected = unit_alloc(output_bytes(&model));

		hx_kernel_use(HX_SIMD_GENERIC);
		runs = run_any(&model, v, room, expected);
		hx_kernel_use(kernels->level);
		CHECK(run_any(&model, v, room, out) == runs, "%s", hx_model_step_name(last));
		CHECK(!runs || memcmp(out, expected, output_bytes(&model)) == 0, "%s, last step %s",
			  hx_kernel_level_name(kernels->level), hx_model_step_name(last));
		failed += !runs;
		CHECK(room[hx_model_scratch(&model)] == 4711, "scratch, last step %s",
			  hx_model_step_name(last));
		free(room);
		free(out);
		free(expected);
	}
	CHECK(failed < 20, "%d models of 2,000 left the range of floats", failed);
	hx_kernel_init();
}

static void
same_at_every_level(void)
{
	unit_each_level(same_at);
}

int
main(void)
{
	hx_kernel_init();
	RUN(number_by_number);
	RUN(signum_of_zero);
	RUN(linear);
	RUN(rotate);
	RUN(sparse);
	RUN(normalise);
	RUN(gaussian);
	RUN(cosines);
	RUN(graph);
	RUN(sign);
	RUN(pq);
	RUN(rq);
	RUN(ties);
	RUN(fsq);
	RUN(is_simhash);
	RUN(overflow);
	RUN(golden);
	RUN(same_at_every_level);
	return unit_summary();
}

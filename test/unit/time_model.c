/*
 * time_model.c
 *	  Rows a second that encoders of the usual shapes take: what the figures in
 *	  src/hash/README were made with. Measures only, checks nothing.
 */
#include "unit.h"

#include <time.h>

#include "hash/signs.h"

#define DIMS 768
#define BITS 256
#define ANCHORS 300
#define ROWS 100
#define REPEATS 100

static float rows[ROWS * DIMS];
static float params[DIMS * 1024 + 1024];
static float zeros[1024];
static HxModel model;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static void
add(HxStepOp op, uint32_t outputs, uint32_t detail, const float *values, uint32_t count)
{
	hx_model_add(&model, op, outputs, detail, 0, values, count);
}

static void
run_rows(float *scratch, HxSigns *signs)
{
	static uint8_t code[BITS / 8];
	static float vector[DIMS];
	static uint16_t tokens[DIMS];

	for (size_t i = 0; i < ROWS; i++)
	{
		const float *x = rows + i * DIMS;

		if (hx_model_output(&model) == HX_OUTPUT_CODE)
			hx_signs_run_code(signs, &model, x, scratch, code);
		else if (hx_model_output(&model) == HX_OUTPUT_VECTOR)
			hx_model_run_vector(&model, x, scratch, vector);
		else
			hx_model_run_tokens(&model, x, scratch, tokens);
	}
}

/* The best time of all repeats; signs may be NULL. */
static void
time_runs(const char *name, HxSigns *signs)
{
	float	   *scratch = unit_alloc(hx_model_scratch(&model) * sizeof(float));
	double		best = 1e9;

	for (int repeat = 0; repeat < REPEATS; repeat++)
	{
		double		start = now();

		run_rows(scratch, signs);
		if (now() - start < best)
			best = now() - start;
	}
	printf("%-36s %6.2f us a row, %7.0f rows/s\n", name, best / ROWS * 1e6, ROWS / best);
	free(scratch);
}

/* Times the model that was built, and starts the next one. */
static void
time_model(const char *name)
{
	char		problem[200];

	if (hx_model_check(&model, NULL, problem, sizeof(problem)) != NULL)
	{
		printf("%s: %s\n", name, problem);
		exit(2);
	}
	time_runs(name, NULL);
	if (hx_model_output(&model) == HX_OUTPUT_CODE && hx_signs_size(&model) > 0)
	{
		HxSigns    *signs = hx_signs_make(&model, NULL, unit_alloc(hx_signs_size(&model)));

		time_runs("    by whole numbers first", signs);
		free(signs);
	}
	hx_model_init(&model, HX_MODEL_LAYERS, DIMS);
}

static void
time_level(const HxKernels *kernels)
{
	static float picks[BITS * 28];

	hx_kernel_use(kernels->level);
	printf("%s\n", hx_kernel_level_name(kernels->level));
	for (size_t i = 0; i < sizeof(picks) / sizeof(float); i++)
		picks[i] = (float) (unit_below(1024) + 1) * (unit_below(2) ? 1 : -1);

	hx_model_init(&model, HX_MODEL_LAYERS, DIMS);
	add(HX_STEP_CENTRE, DIMS, 0, params, DIMS);
	add(HX_STEP_LINEAR, BITS, 0, params, DIMS * BITS + BITS);
	add(HX_STEP_SIGN, BITS, 0, zeros, BITS);
	time_model("centre, linear, sign");

	add(HX_STEP_CENTRE, DIMS, 0, params, DIMS);
	add(HX_STEP_ROTATE, BITS, 0, NULL, 0);
	add(HX_STEP_SIGN, BITS, 0, zeros, BITS);
	time_model("centre, rotate, sign");

	add(HX_STEP_CENTRE, DIMS, 0, params, DIMS);
	add(HX_STEP_ROTATE, 1024, 0, NULL, 0);
	add(HX_STEP_SPARSE, BITS, 28, picks, BITS * 28);
	add(HX_STEP_SIGN, BITS, 0, zeros, BITS);
	time_model("centre, rotate, sparse, sign");

	add(HX_STEP_NORMALISE, DIMS, 0, NULL, 0);
	add(HX_STEP_GAUSSIAN, ANCHORS, 0, params, 1 + DIMS * ANCHORS + ANCHORS);
	add(HX_STEP_LINEAR, BITS, 0, params, ANCHORS * BITS + BITS);
	add(HX_STEP_SIGN, BITS, 0, zeros, BITS);
	time_model("normalise, gaussian, linear, sign");

	add(HX_STEP_CENTRE, DIMS, 0, params, DIMS);
	add(HX_STEP_COSINES, ANCHORS, 0, params, DIMS * ANCHORS);
	time_model("centre, cosines");

	add(HX_STEP_PQ, 96, 256, params, DIMS * 256);
	time_model("pq, 96 tokens of 256");

	add(HX_STEP_RQ, 4, 256, params, 4 * DIMS * 256);
	time_model("rq, 4 tokens of 256");
	hx_kernel_init();
}

int
main(void)
{
	hx_kernel_init();
	for (size_t i = 0; i < sizeof(rows) / sizeof(float); i++)
		rows[i] = (float) unit_normal();
	params[0] = 0.5f;
	for (size_t i = 1; i < sizeof(params) / sizeof(float); i++)
		params[i] = (float) unit_normal();
	printf("%d dimensions, %d bits, %d anchors\n", DIMS, BITS, ANCHORS);
	unit_each_level(time_level);
	return 0;
}

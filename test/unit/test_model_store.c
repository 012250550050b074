/*
 * test_model_store.c
 *	  The stored form of models: that it is frozen, that what is read is what was
 *	  written, and that hostile bytes are refused or harmless.
 */
#include "models.h"

#include <math.h>
#include <setjmp.h>

#include "hash/signs.h"

/* What a model without sense is refused with; what is said is looked at by people. */
static char problem[200];

/* CRC-32C a bit at a time. */
static uint32_t
naive_crc(uint32_t crc, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
	{
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
	}
	return crc;
}

/* Makes the checksum of altered bytes right. */
static void
seal(uint8_t *bytes, size_t size)
{
	uint32_t	crc = naive_crc(UINT32_MAX, bytes, 20);

	crc = ~naive_crc(crc, bytes + 24, size - 24);
	for (int i = 0; i < 4; i++)
		bytes[20 + i] = (uint8_t) (crc >> (8 * i));
}

/* The stored form in memory as large as needed. */
static uint8_t *
stored(const HxModel *model, size_t *size)
{
	uint8_t    *bytes;

	*size = hx_model_stored_size(model);
	bytes = unit_alloc(*size);
	hx_model_store(model, NULL, bytes);
	return bytes;
}

/* A copy of `size` bytes with nothing behind it. */
static uint8_t *
copy_of(const uint8_t *bytes, size_t size)
{
	uint8_t    *copy = unit_alloc(size);

	memcpy(copy, bytes, size);
	return copy;
}

/* Whether bytes are a model; one that is, is written as it was read, and runs. */
static bool
try_to_load(const uint8_t *bytes, size_t size, bool *newer)
{
	float	   *floats = unit_alloc(hx_model_floats(size) * sizeof(float));
	HxModel		model;
	const char *wrong;

	problem[0] = '\0';
	wrong = hx_model_load(bytes, size, floats, NULL, &model, newer, problem, sizeof(problem));
	CHECK(wrong == NULL || (wrong == problem && strlen(problem) > 10), "no reason given");
	if (wrong == NULL)
	{
		float	   *x = unit_alloc(model.dims * sizeof(float));
		float	   *scratch = unit_alloc(hx_model_scratch(&model) * sizeof(float));
		void	   *out = unit_alloc(output_bytes(&model));
		size_t		again_size;
		uint8_t    *again = stored(&model, &again_size);

		CHECK(again_size == size && memcmp(again, bytes, size) == 0, "stored another way");
		CHECK(!*newer, "newer");
		random_input_vector(x, model.dims);
		run_any(&model, x, scratch, out);
		free(x);
		free(scratch);
		free(out);
		free(again);
	}
	free(floats);
	return wrong == NULL;
}

static bool
loads(const uint8_t *bytes, size_t size)
{
	bool		newer;

	return try_to_load(bytes, size, &newer);
}

/* Bytes that must never change; made apart from the C code. */
static const uint8_t golden_bytes[180] = {
	0x48, 0x78, 0x64, 0x4d, 0x01, 0x00, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00,
	0x05, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0xbc, 0xdb, 0x81, 0xef,
	0x01, 0x00, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x3f,
	0x00, 0x00, 0x20, 0xc0, 0x03, 0x00, 0x00, 0x00, 0xff, 0xff, 0x00, 0x00,
	0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xef, 0xcd, 0xab, 0x89,
	0x67, 0x45, 0x23, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x0e, 0x00, 0x01, 0x00, 0xff, 0xff, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0f, 0x00, 0x02, 0x00,
	0xff, 0xff, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x3f, 0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x80, 0xbf
};

static void
golden(void)
{
	const float mean[] = {1, -2.5f};
	const float thresholds[] = {0, 0, 0.5f, 1, -1};
	HxModel		model;
	uint8_t    *bytes;
	size_t		size;

	hx_model_init(&model, HX_MODEL_SIMHASH, 2);
	hx_model_add(&model, HX_STEP_CENTRE, 2, 0, 0, mean, 2);
	hx_model_add(&model, HX_STEP_ROTATE, 3, 0, UINT64_C(0x0123456789abcdef), NULL, 0);
	hx_model_add2(&model, HX_STEP_CONCAT, 1, HX_MODEL_INPUT, 5, 0, 0, NULL, 0);
	hx_model_add(&model, HX_STEP_SIGN, 5, 0, 0, thresholds, 5);
	bytes = stored(&model, &size);
	CHECK(size == sizeof(golden_bytes) && memcmp(bytes, golden_bytes, size) == 0, "other bytes");
	free(bytes);
	CHECK(~naive_crc(UINT32_MAX, (const uint8_t *) "123456789", 9) == UINT32_C(0xe3069283), "CRC");
	CHECK(loads(golden_bytes, sizeof(golden_bytes)), "%s", problem);
}

static void
round_trip(void)
{
	for (int round = 0; round < 3000; round++)
	{
		HxModel		model;
		uint8_t    *bytes;
		size_t		size;

		random_model(&model, (HxStepOp) (1 + round % HX_STEP_FSQ));
		bytes = stored(&model, &size);
		CHECK(loads(bytes, size), "%s", problem);
		free(bytes);
	}
}

/* Every byte, changed in some way, is noticed. */
static void
every_byte(void)
{
	HxModel		model;
	uint8_t    *bytes;
	size_t		size;

	do
		random_model(&model, HX_STEP_SIGN);
	while (hx_model_stored_size(&model) < 1000 || hx_model_stored_size(&model) > 20000);
	bytes = stored(&model, &size);
	for (size_t i = 0; i < size; i++)
	{
		uint8_t		old = bytes[i];

		bytes[i] ^= (uint8_t) (1 + unit_below(255));
		CHECK(!loads(bytes, size), "byte %zu", i);
		bytes[i] = old;
	}
	CHECK(loads(bytes, size), "%s", problem);
	free(bytes);
}

/* Every length but the right one is refused, even with a right checksum. */
static void
every_length(void)
{
	for (size_t size = 0; size <= sizeof(golden_bytes) + 40; size++)
	{
		uint8_t    *bytes = unit_alloc(size);

		memset(bytes, 0, size);
		memcpy(bytes, golden_bytes, size < sizeof(golden_bytes) ? size : sizeof(golden_bytes));
		if (size >= HX_MODEL_HEADER)
			seal(bytes, size);
		CHECK(loads(bytes, size) == (size == sizeof(golden_bytes)), "%zu bytes", size);
		free(bytes);
	}
}

static void
later_format(void)
{
	uint8_t    *bytes = copy_of(golden_bytes, sizeof(golden_bytes));
	bool		newer;

	bytes[4] = 2;
	CHECK(!try_to_load(bytes, sizeof(golden_bytes), &newer) && !newer, "unsealed");
	seal(bytes, sizeof(golden_bytes));
	CHECK(!try_to_load(bytes, sizeof(golden_bytes), &newer) && newer, "sealed");
	bytes[4] = 0;
	seal(bytes, sizeof(golden_bytes));
	CHECK(!try_to_load(bytes, sizeof(golden_bytes), &newer) && !newer, "format 0");
	free(bytes);
}

/* Changes a field of `width` bytes of the golden model, with a right checksum. */
static bool
loads_with(size_t offset, int width, uint64_t value)
{
	uint8_t    *bytes = copy_of(golden_bytes, sizeof(golden_bytes));
	bool		good;

	for (int i = 0; i < width; i++)
		bytes[offset + (size_t) i] = (uint8_t) (value >> (8 * i));
	seal(bytes, sizeof(golden_bytes));
	good = loads(bytes, sizeof(golden_bytes));
	free(bytes);
	return good;
}

/* Steps of the golden model begin at 24, 64, 96 and 128. */
static void
fields(void)
{
	CHECK(loads_with(6, 2, 15), "another kind: %s", problem);
	CHECK(!loads_with(6, 2, 0) && !loads_with(6, 2, 16), "no kind");
	CHECK(!loads_with(8, 4, 0) && !loads_with(8, 4, 3) && !loads_with(8, 4, 16001), "dimensions");
	CHECK(!loads_with(12, 4, 4) && !loads_with(12, 4, 0), "outputs");
	CHECK(!loads_with(16, 2, 0) && !loads_with(16, 2, 3) && !loads_with(16, 2, 5) &&
		  !loads_with(16, 2, 65) && !loads_with(16, 2, 0xffff), "number of steps");
	CHECK(!loads_with(18, 2, 1), "reserved in the header");
	CHECK(!loads_with(64, 2, 0) && !loads_with(64, 2, 19) && !loads_with(64, 2, 0xffff),
		  "operation");
	CHECK(!loads_with(24, 2, 15), "sign is not last");
	CHECK(loads_with(24, 2, 8), "scale instead of centre: %s", problem);
	CHECK(loads_with(66, 2, 0xffff), "rotate the input: %s", problem);
	CHECK(!loads_with(66, 2, 1) && !loads_with(66, 2, 2) && !loads_with(66, 2, 64), "reads itself");
	CHECK(!loads_with(68, 2, 0), "a second input");
	CHECK(!loads_with(70, 2, 1) && !loads_with(92, 4, 1), "reserved in a step");
	CHECK(!loads_with(72, 4, 0) && !loads_with(72, 4, 4) && !loads_with(72, 4, 65537), "outputs");
	CHECK(!loads_with(76, 4, 1), "detail");
	CHECK(loads_with(80, 8, 5), "another seed: %s", problem);
	CHECK(!loads_with(40, 8, 5), "a seed of centre");
	CHECK(!loads_with(48, 4, 1) && !loads_with(48, 4, 3) && !loads_with(48, 4, UINT32_MAX) &&
		  !loads_with(48, 4, UINT32_C(0x40000002)), "number of parameters");
	CHECK(loads_with(56, 4, UINT32_C(0x7f7fffff)), "the largest float: %s", problem);
	CHECK(!loads_with(56, 4, UINT32_C(0x7f800000)) && !loads_with(56, 4, UINT32_C(0xffc00000)),
		  "infinity and NaN");
}

/* A step too many, or of the wrong shape, or with senseless parameters. */
static void
check(void)
{
	const float numbers[] = {1, 2, 1.5f, 0, -1, 5, -5, INFINITY, NAN};
	HxModel		model;

#define IS_GOOD() (hx_model_check(&model, NULL, problem, sizeof(problem)) == NULL)
#define ONE_STEP(op, outputs, detail, params, count) \
	(hx_model_init(&model, HX_MODEL_LAYERS, 4), \
	 hx_model_add(&model, op, outputs, detail, 0, params, count), IS_GOOD())

	hx_model_init(&model, HX_MODEL_LAYERS, 4);
	CHECK(!IS_GOOD(), "no step");
	for (int i = 0; i < HX_MODEL_MAX_STEPS; i++)
		hx_model_add(&model, HX_STEP_RELU, 4, 0, 0, NULL, 0);
	CHECK(IS_GOOD(), "%s", problem);
	hx_model_add(&model, HX_STEP_RELU, 4, 0, 0, NULL, 0);
	CHECK(!IS_GOOD(), "65 steps");

	CHECK(ONE_STEP(HX_STEP_SPARSE, 1, 2, numbers, 2), "%s", problem);
	CHECK(!ONE_STEP(HX_STEP_SPARSE, 1, 1, numbers + 2, 1), "index 1.5");
	CHECK(!ONE_STEP(HX_STEP_SPARSE, 1, 1, numbers + 3, 1), "index 0");
	CHECK(ONE_STEP(HX_STEP_SPARSE, 1, 1, numbers + 4, 1), "%s", problem);
	CHECK(!ONE_STEP(HX_STEP_SPARSE, 1, 1, numbers + 5, 1), "index 5 of 4");
	CHECK(!ONE_STEP(HX_STEP_SPARSE, 1, 1, numbers + 6, 1), "index -5 of 4");
	CHECK(!ONE_STEP(HX_STEP_SPARSE, 1, 1, numbers + 8, 1), "index NaN");
	CHECK(!ONE_STEP(HX_STEP_SPARSE, 1, 0, NULL, 0), "no input at all");
	CHECK(!ONE_STEP(HX_STEP_SPARSE, 1, 5, numbers, 5), "more inputs than there are");
	CHECK(!ONE_STEP(HX_STEP_TRUNCATE, 5, 0, NULL, 0), "truncated to more");
	CHECK(!ONE_STEP(HX_STEP_PQ, 3, 2, numbers, 8), "slices of 4 / 3");
	CHECK(!ONE_STEP(HX_STEP_PQ, 1, 1, numbers, 4), "one centroid");
	CHECK(!ONE_STEP(HX_STEP_FSQ, 4, 0, numbers, 4), "one level");
	CHECK(!ONE_STEP(HX_STEP_GAUSSIAN, 1, 0, numbers + 3, 6), "no width");
	CHECK(!ONE_STEP(HX_STEP_ROTATE, 65537, 0, NULL, 0), "too many outputs");
	CHECK(!ONE_STEP(HX_STEP_ROTATE, 16001, 0, NULL, 0), "too long a vector");
	CHECK(ONE_STEP(HX_STEP_ROTATE, 16000, 0, NULL, 0), "%s", problem);
	CHECK(!ONE_STEP(HX_STEP_LINEAR, 65536, 0, numbers, 9), "number of weights");

	hx_model_init(&model, HX_MODEL_LAYERS, 4);
	hx_model_add(&model, HX_STEP_TRUNCATE, 3, 0, 0, NULL, 0);
	hx_model_add2(&model, HX_STEP_SUBTRACT, 0, HX_MODEL_INPUT, 3, 0, 0, NULL, 0);
	CHECK(!IS_GOOD(), "3 numbers less 4");

	/* A short buffer takes the beginning of the sentence. */
	CHECK(hx_model_check(&model, NULL, problem, 8) == problem && strcmp(problem, "Step 2 ") == 0,
		  "%s", problem);
#undef IS_GOOD
#undef ONE_STEP
}

/* Numbers that are likely to be wrong somewhere. */
static uint64_t
nasty_number(void)
{
	static const uint64_t numbers[] = {
		0, 1, 2, 3, 24, 32, 63, 64, 65, 255, 256, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x10000, 0x10001,
		0x3fffffff, 0x40000000, 0x7f7fffff, 0x7f800000, 0x7fc00000, 0x7fffffff, 0x80000000,
		0xff800000, 0xfffffffe, 0xffffffff, UINT64_MAX
	};

	return numbers[unit_below(sizeof(numbers) / sizeof(numbers[0]))];
}

/* Overwrites a field of a header or a step, or anything, by something. */
static void
mutate(uint8_t *bytes, size_t size, const HxModel *model)
{
	static const int fields_at[] = {0, 2, 4, 6, 8, 12, 16, 20, 24, 28};
	size_t		offset = HX_MODEL_HEADER;
	uint64_t	value = nasty_number();
	int			width = unit_below(2) ? 2 : 4;

	for (int i = (int) unit_below((unsigned) model->step_count); i > 0; i--)
		offset += HX_MODEL_STEP_HEADER + model->steps[i].param_count * 4;
	switch (unit_below(6))
	{
		case 0:
			offset = unit_below(HX_MODEL_HEADER);
			break;
		case 1:
			offset = unit_below((unsigned) size);
			break;
		case 2:					/* one more or one less */
			offset += (size_t) fields_at[unit_below(10)];
			value = offset < size ? bytes[offset] + (unit_below(2) ? 1 : 255) : 0;
			width = 1;
			break;
		case 3:					/* another operation: any shape it may fit */
			value = 1 + unit_below(HX_STEP_FSQ);
			width = 2;
			break;
		default:
			offset += (size_t) fields_at[unit_below(10)];
			break;
	}
	for (int i = 0; i < width && offset < size; i++, offset++)
		bytes[offset] = (uint8_t) (value >> (8 * i));
}

static void
fuzz(void)
{
	int			loaded = 0;

	for (int round = 0; round < 40000; round++)
	{
		HxModel		model;
		uint8_t    *bytes;
		uint8_t    *cut;
		size_t		size;

		do
			random_model(&model, (HxStepOp) (1 + unit_below(HX_STEP_FSQ)));
		while (hx_model_stored_size(&model) > 20000);
		bytes = stored(&model, &size);
		for (unsigned count = 1 + unit_below(3); count > 0; count--)
			mutate(bytes, size, &model);
		if (unit_below(20) == 0)
			size = HX_MODEL_HEADER + unit_below((unsigned) (size - HX_MODEL_HEADER));
		cut = copy_of(bytes, size);
		seal(cut, size);
		loaded += loads(cut, size);
		free(bytes);
		free(cut);
	}
	/* Some mutations give another model; most do not. */
	CHECK(loaded > 1000 && loaded < 20000, "%d of 40,000 were models", loaded);
}

/* Pauses so far; the one at which the caller has enough. */
static int	pauses;
static int	last_pause;
static jmp_buf enough;

static void
count_pause(void)
{
	if (++pauses == last_pause)
		longjmp(enough, 1);
}

/* How often one of the four that go over a large model pauses, if nobody leaves it. */
static int
pauses_of(int work, const HxModel *model, uint8_t *bytes, size_t size, float *floats, void *memory)
{
	HxModel		read;
	bool		newer;

	pauses = 0;
	if (setjmp(enough) != 0)
		return -1;
	if (work == 0)
		CHECK(hx_model_check(model, count_pause, problem, sizeof(problem)) == NULL, "%s", problem);
	else if (work == 1)
		hx_model_store(model, count_pause, bytes);
	else if (work == 2)
		CHECK(hx_model_load(bytes, size, floats, count_pause, &read, &newer,
							problem, sizeof(problem)) == NULL, "%s", problem);
	else
		CHECK(hx_signs_make(model, count_pause, memory) != NULL, "no signs");
	return pauses;
}

/* What takes long with a large model can be left on the way, piece by piece. */
static void
large(void)
{
	const uint32_t n = 1000;
	const uint32_t m = 3000;
	const uint32_t count = n * m + m;
	float	   *params = unit_alloc(count * sizeof(float));
	float	   *zeros = calloc(m, sizeof(float));
	HxModel		model;

	for (uint32_t i = 0; i < count; i++)
		params[i] = (float) unit_normal();
	hx_model_init(&model, HX_MODEL_LAYERS, n);
	hx_model_add(&model, HX_STEP_LINEAR, m, 0, 0, params, count);
	hx_model_add(&model, HX_STEP_SIGN, m, 0, 0, zeros, m);

	const size_t size = hx_model_stored_size(&model);
	uint8_t    *bytes = unit_alloc(size);
	float	   *floats = unit_alloc(hx_model_floats(size) * sizeof(float));
	void	   *memory = unit_alloc(hx_signs_size(&model));

	for (int work = 0; work < 4; work++)
	{
		last_pause = 0;

		const int	all = pauses_of(work, &model, bytes, size, floats, memory);

		CHECK(all >= (int) (count / HX_MODEL_PIECE), "work %d: %d pauses", work, all);
		last_pause = all;
		CHECK(pauses_of(work, &model, bytes, size, floats, memory) == -1, "work %d: not left", work);
	}
	free(params);
	free(zeros);
	free(bytes);
	free(floats);
	free(memory);
}

int
main(void)
{
	hx_kernel_init();
	RUN(golden);
	RUN(round_trip);
	RUN(every_byte);
	RUN(every_length);
	RUN(later_format);
	RUN(fields);
	RUN(check);
	RUN(large);
	RUN(fuzz);
	return unit_summary();
}

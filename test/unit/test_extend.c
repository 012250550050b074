/*
 * test_extend.c
 *	  Lifelong hashing: codes fitted to old ones, and models that keep old codes valid.
 */
#include "training.h"

#include "hash/extend.h"
#include "hash/fit_codes.h"
#include "hash/trainers.h"

enum
{
	D = 32, M = 24, BYTES = M / 8
};

/* Rows of one world, to begin with, and of another that comes later. */
typedef struct Worlds
{
	float	   *old_rows;
	float	   *new_rows;
	size_t		old_count;
	size_t		new_count;
} Worlds;

static Worlds
make_worlds(size_t old_count, size_t new_count)
{
	Worlds		worlds = {.old_count = old_count, .new_count = new_count};

	worlds.old_rows = training_clusters(old_count, D, 12, 1);
	worlds.new_rows = training_clusters(new_count, D, 12, 1);
	/* The new world varies where the old one does little. */
	for (size_t i = 0; i < old_count; i++)
	{
		for (size_t j = 0; j < D / 2; j++)
			worlds.old_rows[i * D + j] *= 0.3f;
	}
	for (size_t i = 0; i < new_count; i++)
	{
		for (size_t j = D / 2; j < D; j++)
			worlds.new_rows[i * D + j] = 0.3f * worlds.new_rows[i * D + j] + 1;
	}
	return worlds;
}

static HxModel
train(const HxTrainer *trainer, const float *rows, size_t count, uint64_t seed)
{
	double	   *options = training_allocate(NULL, HX_TRAINER_MAX_OPTIONS * sizeof(double));
	HxTraining	training = training_of(rows, count, D, M, options);
	HxModel		model;

	training_fallbacks(trainer, options);
	training.seed = seed;
	CHECK(trainer->train(&training, &model, NULL), "%s", training.problem);
	return model;
}

/* The first old rows, and after them the new ones. */
static float *
join_rows(const Worlds *worlds, size_t old_count)
{
	float	   *rows = training_allocate(NULL, (old_count + worlds->new_count) * D * sizeof(float));

	memcpy(rows, worlds->old_rows, old_count * D * sizeof(float));
	memcpy(rows + old_count * D, worlds->new_rows, worlds->new_count * D * sizeof(float));
	return rows;
}

static HxExtension
extension_of(const HxModel *old, const Worlds *worlds)
{
	return (HxExtension) {
		.old = old,
		.rows = join_rows(worlds, worlds->old_count),
		.old_count = worlds->old_count,
		.new_count = worlds->new_count,
		.codes = training_codes(old, worlds->old_rows, worlds->old_count),
		.agreement = HX_EXTEND_AGREEMENT,
		.ridge = HX_EXTEND_RIDGE,
		.compute.memory.allocate = training_allocate,
	};
}

static double
naive_agreement(const HxCodeFit *fit, size_t i, size_t j)
{
	const uint8_t *a = fit->codes + i * BYTES;
	const uint8_t *b = fit->codes + j * BYTES;
	double		sum = 0;

	for (size_t bit = 0; bit < M; bit++)
		sum += training_bit(a, bit) == training_bit(b, bit) ? 1 : -1;
	return sum / M;
}

static double
naive_cosine(const float *a, const float *b, const double *mean)
{
	double		ab = 0;
	double		aa = 0;
	double		bb = 0;

	for (size_t i = 0; i < D; i++)
	{
		ab += (a[i] - mean[i]) * (b[i] - mean[i]);
		aa += (a[i] - mean[i]) * (a[i] - mean[i]);
		bb += (b[i] - mean[i]) * (b[i] - mean[i]);
	}
	return ab / sqrt(aa * bb);
}

/* What hx_fit_codes returns, from its definition. */
static double
naive_deviation(const HxCodeFit *fit)
{
	const size_t count = fit->old_count + fit->new_count;
	double		mean[D] = {0};
	double		pairs = 0;
	double		x = 0;
	double		y = 0;
	double		xx = 0;
	double		xy = 0;
	double		slope;
	double		sum = 0;

	for (size_t i = 0; i < count * D; i++)
		mean[i % D] += fit->rows[i] / (double) count;
	for (size_t i = 0; i < fit->old_count; i++)
	{
		for (size_t j = 0; j < i; j++, pairs++)
		{
			double		cosine = naive_cosine(fit->rows + i * D, fit->rows + j * D, mean);
			double		agreement = naive_agreement(fit, i, j);

			x += cosine;
			y += agreement;
			xx += cosine * cosine;
			xy += cosine * agreement;
		}
	}
	slope = (xy / pairs - x / pairs * y / pairs) / (xx / pairs - x / pairs * x / pairs);
	for (size_t i = fit->old_count; i < count; i++)
	{
		for (size_t j = 0; j < count; j++)
		{
			double		cosine = naive_cosine(fit->rows + i * D, fit->rows + j * D, mean);
			double		agreement = naive_agreement(fit, i, j);
			double		off = y / pairs + slope * (cosine - x / pairs) - agreement;

			sum += i == j ? 0 : off * off;
		}
	}
	return sum / (double) fit->new_count / (double) (count - 1);
}

/* Each sweep is for the better, by the definition too, and old codes stay. */
static void
codes_fit(void)
{
	enum
	{
		OLD = 300, NEW = 150, COUNT = OLD + NEW
	};
	Worlds		worlds = make_worlds(OLD, NEW);
	HxModel		model = train(&hx_trainer_itq, worlds.old_rows, OLD, 1);
	HxCompute	compute = {.memory.allocate = training_allocate};
	float	   *rows = join_rows(&worlds, OLD);
	uint8_t    *before;
	double		last = 1e300;

	before = training_codes(&model, rows, COUNT);
	for (int sweeps = 0; sweeps < 6; sweeps++)
	{
		uint8_t		codes[COUNT * BYTES];
		HxCodeFit	fit = {rows, codes, OLD, NEW, D, M};
		double		deviation;

		memcpy(codes, before, sizeof(codes));
		deviation = hx_fit_codes(&compute, &fit, sweeps);
		CHECK(deviation <= last, "%d sweeps: %g after %g", sweeps, deviation, last);
		CHECK(fabs(deviation - naive_deviation(&fit)) < 1e-5 * deviation,
			  "%d sweeps: %g instead of %g", sweeps,
			  deviation, naive_deviation(&fit));
		CHECK(memcmp(codes, before, OLD * BYTES) == 0, "old codes changed");
		CHECK((memcmp(codes, before, sizeof(codes)) == 0) == (sweeps == 0), "new codes");
		last = deviation;
	}
	training_free();
}

/* No single bit of a fitted code can be changed for the better. */
static void
codes_are_settled(void)
{
	enum
	{
		OLD = 60, NEW = 20, COUNT = OLD + NEW
	};
	Worlds		worlds = make_worlds(OLD, NEW);
	HxModel		model = train(&hx_trainer_simhash, worlds.old_rows, OLD, 1);
	HxCompute	compute = {.memory.allocate = training_allocate};
	float	   *rows = join_rows(&worlds, OLD);
	uint8_t    *codes;
	HxCodeFit	fit = {.old_count = OLD, .new_count = NEW, .dims = D, .bits = M};
	double		best;

	codes = training_codes(&model, rows, COUNT);
	fit.rows = rows;
	fit.codes = codes;
	hx_fit_codes(&compute, &fit, 1000);
	best = naive_deviation(&fit);
	for (size_t i = OLD * M; i < COUNT * M; i++)
	{
		/* A pair of two new rows counts twice in the mean, so its part may rise a little. */
		codes[i / 8] ^= (uint8_t) (0x80 >> i % 8);
		CHECK(naive_deviation(&fit) > best * (1 - 1.0 / M), "bit %zu", i);
		codes[i / 8] ^= (uint8_t) (0x80 >> i % 8);
	}
	training_free();
}

/* Mean deviation of the codes that a model gives, new rows beside the stored codes of old rows. */
static double
deviation_of(const HxModel *model, const HxExtension *extension, const Worlds *worlds,
			 size_t old_count)
{
	const size_t new_count = worlds->new_count;
	float	   *rows = join_rows(worlds, old_count);
	uint8_t    *codes = training_allocate(NULL, (old_count + new_count) * BYTES);
	HxCodeFit	fit = {rows, codes, old_count, new_count, D, M};

	memcpy(codes, extension->codes, old_count * BYTES);
	memcpy(codes + old_count * BYTES, training_codes(model, worlds->new_rows, new_count),
		   new_count * BYTES);
	return naive_deviation(&fit);
}

static const HxStep *
last_step(const HxModel *model)
{
	return &model->steps[model->step_count - 1];
}

/* Old codes stay, new rows get better ones; the kind stays where its matrix takes the change. */
static void
learns(void)
{
	static const struct
	{
		const HxTrainer *trainer;
		HxModelKind kind;
		int			steps;		/* more than the old model has */
	}			cases[] = {
		{&hx_trainer_itq, HX_MODEL_ITQ, 0},
		{&hx_trainer_pca, HX_MODEL_PCA, 0},
		{&hx_trainer_simhash, HX_MODEL_LAYERS, 3},
		{&hx_trainer_sparse, HX_MODEL_LAYERS, 3},
	};
	Worlds		worlds = make_worlds(2000, 600);

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
	{
		HxModel		old = train(cases[k].trainer, worlds.old_rows, 2000, 1);
		HxExtension extension = extension_of(&old, &worlds);
		const char *name = hx_model_kind_name(old.kind);
		HxModel		model;
		HxModel		again;
		size_t		size;
		uint8_t    *codes;
		size_t		agreed = 0;
		double		before;
		double		after;

		CHECK(hx_extend(&extension, &model), "%s", extension.problem);
		training_store(&model, &size);
		CHECK(model.kind == cases[k].kind && model.step_count == old.step_count + cases[k].steps &&
			  model.dims == D && model.outputs == M,
			  "%s: kind %d, %d steps", name, (int) model.kind, model.step_count);
		CHECK(memcmp(last_step(&model)->params, last_step(&old)->params, M * sizeof(float)) == 0,
			  "thresholds");
		CHECK(extension.old_agreed == 1 && extension.agreed >= 0.95 && extension.changed > 0,
			  "%s: %g, %g, %g",
			  name, extension.old_agreed, extension.agreed, extension.changed);

		/* The first fifth is what was held back. */
		codes = training_codes(&model, worlds.old_rows, 2000);
		for (size_t i = 0; i < 400 * M; i++)
			agreed += training_bit(codes, i) == training_bit(extension.codes, i);
		CHECK(fabs((double) agreed / (400 * M) - extension.agreed) < 1e-9, "%s: %zu", name, agreed);

		before = deviation_of(&old, &extension, &worlds, 400);
		after = deviation_of(&model, &extension, &worlds, 400);
		CHECK(after < before, "%s: %g after %g", name, after, before);

		/* The second time, there is a matrix that takes the change. */
		extension = extension_of(&model, &worlds);
		CHECK(hx_extend(&extension, &again), "%s", extension.problem);
		CHECK(again.kind == model.kind && again.step_count == model.step_count,
			  "%s again: %d steps", name,
			  again.step_count);
		training_store(&again, &size);
	}
	training_free();
}

/* The new model is the old one with a correction, whichever step takes it. */
static void
absorbed_is_appended(void)
{
	Worlds		worlds = make_worlds(500, 200);
	HxModel		old = train(&hx_trainer_itq, worlds.old_rows, 500, 1);
	HxModel		longer = old;
	HxExtension extension = extension_of(&old, &worlds);
	HxModel		absorbed;
	HxModel		appended;
	const float ones[M] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	uint8_t    *codes;
	uint8_t    *expected;
	size_t		differ;

	CHECK(hx_extend(&extension, &absorbed), "%s", extension.problem);

	/* The same model in which something stands between the matrix and the code. */
	longer.step_count = 2;
	hx_model_add(&longer, HX_STEP_SCALE, M, 0, 0, ones, M);
	hx_model_add(&longer, HX_STEP_SIGN, M, 0, 0, last_step(&old)->params, M);
	extension = extension_of(&longer, &worlds);
	CHECK(hx_extend(&extension, &appended), "%s", extension.problem);
	CHECK(absorbed.step_count == 3 && appended.step_count == 6, "%d and %d steps",
		  absorbed.step_count,
		  appended.step_count);
	codes = training_codes(&appended, worlds.new_rows, 200);
	expected = training_codes(&absorbed, worlds.new_rows, 200);
	differ = (size_t) hx_kernels->hamming(codes, expected, 200 * BYTES);
	CHECK(differ <= 3, "%zu bits differ", differ);
	training_free();
}

/* Codes that are signs of the input itself. */
static void
bare_code(void)
{
	static const float zeros[D];
	Worlds		worlds = make_worlds(500, 200);
	HxExtension extension;
	HxModel		old;
	HxModel		model;
	size_t		size;

	for (size_t i = 0; i < 500 * D; i++)
		worlds.old_rows[i] -= 1;
	hx_model_init(&old, HX_MODEL_LAYERS, D);
	hx_model_add(&old, HX_STEP_SIGN, D, 0, 0, zeros, D);
	extension = extension_of(&old, &worlds);
	CHECK(hx_extend(&extension, &model), "%s", extension.problem);
	training_store(&model, &size);
	CHECK(extension.agreed >= 0.95, "%g", extension.agreed);
	training_free();
}

/* The more must stay, the higher the ridge. */
static void
ridge_rises(void)
{
	static const double shares[] = {0.9, 0.99, 0.999};
	Worlds		worlds = make_worlds(1000, 400);
	HxModel		old = train(&hx_trainer_itq, worlds.old_rows, 1000, 1);
	double		ridge = 0;
	double		changed = 1;

	for (size_t k = 0; k < 3; k++)
	{
		HxExtension extension = extension_of(&old, &worlds);
		HxModel		model;

		extension.agreement = shares[k];
		extension.ridge = 0.001;
		CHECK(hx_extend(&extension, &model), "%s", extension.problem);
		CHECK(extension.agreed >= shares[k], "%g", extension.agreed);
		CHECK(extension.used_ridge >= ridge && extension.changed <= changed, "ridge %g, changed %g",
			  extension.used_ridge, extension.changed);
		ridge = extension.used_ridge;
		changed = extension.changed;
	}
	CHECK(ridge > 0.001, "ridge %g", ridge);
	training_free();
}

static void
check_refusal(HxExtension *extension, const char *expected)
{
	HxModel		model;

	CHECK(!hx_extend(extension, &model), "%s", expected);
	CHECK(strncmp(extension->problem, expected, strlen(expected)) == 0, "%s", extension->problem);
}

static void
refusals(void)
{
	Worlds		worlds = make_worlds(500, 100);
	HxModel		old = train(&hx_trainer_itq, worlds.old_rows, 500, 1);
	HxModel		recurrent = old;
	uint8_t		noise[500 * BYTES];
	HxExtension extension = extension_of(&old, &worlds);

	unit_fill(noise, sizeof(noise));
	extension.codes = noise;
	check_refusal(&extension, "Only ");
	CHECK(fabs(extension.agreed - 0.5) < 0.1 && fabs(extension.old_agreed - 0.5) < 0.1, "%g, %g",
		  extension.agreed, extension.old_agreed);

	extension = extension_of(&old, &worlds);
	extension.old_count = 9;
	check_refusal(&extension, "There are 9 old rows with codes, but at least 10 are needed.");
	extension = extension_of(&old, &worlds);
	extension.new_count = 0;
	check_refusal(&extension, "There are no new rows to learn from.");
	recurrent.kind = HX_MODEL_RECURRENT;
	extension = extension_of(&recurrent, &worlds);
	check_refusal(&extension, "The bits of a recurrent code");
	training_free();
}

/* Few rows, equal rows: no trouble. */
static void
poor_samples(void)
{
	Worlds		worlds = make_worlds(500, 100);
	HxModel		old = train(&hx_trainer_itq, worlds.old_rows, 500, 1);
	float	   *same = training_allocate(NULL, 100 * D * sizeof(float));
	HxExtension extension;
	HxModel		model;

	for (size_t i = 0; i < 100 * D; i++)
		same[i] = 0.5f;
	worlds.old_count = 10;
	worlds.new_count = 1;
	extension = extension_of(&old, &worlds);
	extension.agreement = 0;
	CHECK(hx_extend(&extension, &model), "%s", extension.problem);

	worlds.old_rows = worlds.new_rows = same;
	worlds.old_count = worlds.new_count = 100;
	extension = extension_of(&old, &worlds);
	check_refusal(&extension, "All rows, old and new, are the same.");
	training_free();
}

static void
same_everywhere(void)
{
	Worlds		worlds = make_worlds(900, 300);
	HxModel		old = train(&hx_trainer_itq, worlds.old_rows, 900, 1);
	uint8_t    *expected = NULL;
	size_t		size;

	for (int level = HX_SIMD_GENERIC; level < HX_SIMD_LEVELS; level++)
	{
		if (!hx_kernel_use((HxSimdLevel) level))
			continue;
		for (int threads = 1; threads <= 4; threads++)
		{
			HxExtension extension = extension_of(&old, &worlds);
			HxModel		model;
			uint8_t    *got;

			hx_team_start(threads);
			CHECK(hx_extend(&extension, &model), "%s", extension.problem);
			hx_team_end();
			got = training_store(&model, &size);
			if (expected == NULL)
				expected = got;
			CHECK(memcmp(got, expected, size) == 0, "%s, %d threads",
				  hx_kernel_level_name((HxSimdLevel) level),
				  threads);
		}
	}
	hx_kernel_init();
	training_free();
}

/* A model that must be the same on every machine. */
static void
golden(void)
{
	Worlds		worlds = {
		.old_rows = training_whole_rows(500, D, 1), .new_rows = training_whole_rows(200, D, 2),
		.old_count = 500, .new_count = 200
	};
	HxModel		old = train(&hx_trainer_itq, worlds.old_rows, 500, 1);
	HxExtension extension;
	HxModel		model;

	for (size_t i = 0; i < 200 * D; i++)
		worlds.new_rows[i] += (float) (i % 7 * 20);
	extension = extension_of(&old, &worlds);
	CHECK(hx_extend(&extension, &model), "%s", extension.problem);
	CHECK(training_hash(&model) == UINT64_C(0x69067ce1a329d389), "0x%016llx",
		  (unsigned long long) training_hash(&model));
	training_free();
}

int
main(void)
{
	hx_kernel_init();
	RUN(codes_fit);
	RUN(codes_are_settled);
	RUN(learns);
	RUN(absorbed_is_appended);
	RUN(bare_code);
	RUN(ridge_rises);
	RUN(refusals);
	RUN(poor_samples);
	RUN(same_everywhere);
	RUN(golden);
	return unit_summary();
}

/*
 * test_train_cca.c
 *	  cca_itq: canonical correlations against their equation, and codes of pairs.
 */
#include "training.h"

#include "hash/trainers.h"

enum
{
	RIDGE, POWER, ITERATIONS
};

/* Pairs of rows made of the same few hidden numbers, the first plainer than the last, and noise. */
typedef struct Pairs
{
	float	   *x;
	float	   *y;
	size_t		count;
	uint32_t	dx;
	uint32_t	dy;
} Pairs;

static void
random_matrix(double *matrix, size_t n)
{
	for (size_t i = 0; i < n; i++)
		matrix[i] = unit_normal();
}

static Pairs
make_pairs(size_t count, uint32_t dx, uint32_t dy, size_t shared, double noise)
{
	Pairs		pairs = {.count = count, .dx = dx, .dy = dy};
	double	   *to_x = training_allocate(NULL, shared * dx * sizeof(double));
	double	   *to_y = training_allocate(NULL, shared * dy * sizeof(double));

	pairs.x = training_allocate(NULL, count * dx * sizeof(float));
	pairs.y = training_allocate(NULL, count * dy * sizeof(float));
	random_matrix(to_x, shared * dx);
	random_matrix(to_y, shared * dy);
	for (size_t i = 0; i < count; i++)
	{
		double		hidden[32];

		for (size_t k = 0; k < shared; k++)
			hidden[k] = unit_normal() / (1 + (double) k / 4);
		for (size_t j = 0; j < dx; j++)
		{
			double		sum = 3 + noise * unit_normal();

			for (size_t k = 0; k < shared; k++)
				sum += hidden[k] * to_x[k * dx + j];
			pairs.x[i * dx + j] = (float) sum;
		}
		for (size_t j = 0; j < dy; j++)
		{
			double		sum = noise * unit_normal() - 2;

			for (size_t k = 0; k < shared; k++)
				sum += hidden[k] * to_y[k * dy + j];
			pairs.y[i * dy + j] = (float) sum;
		}
	}
	return pairs;
}

static HxTraining
training_of_pairs(const Pairs *pairs, uint32_t bits, const double *options)
{
	HxTraining	training = training_of(pairs->x, pairs->count, pairs->dx, bits, options);

	training.second_rows = pairs->y;
	training.second_dims = pairs->dy;
	return training;
}

/* x^-1 by Gauss and Jordan, in place. */
static void
naive_inverse(double *x, size_t n)
{
	double	   *inverse = training_allocate(NULL, n * n * sizeof(double));

	for (size_t i = 0; i < n * n; i++)
		inverse[i] = i % (n + 1) == 0;
	for (size_t i = 0; i < n; i++)
	{
		double		pivot = x[i * n + i];

		for (size_t k = 0; k < n; k++)
		{
			x[i * n + k] /= pivot;
			inverse[i * n + k] /= pivot;
		}
		for (size_t j = 0; j < n; j++)
		{
			double		factor = x[j * n + i];

			for (size_t k = 0; k < n && j != i; k++)
			{
				x[j * n + k] -= factor * x[i * n + k];
				inverse[j * n + k] -= factor * inverse[i * n + k];
			}
		}
	}
	memcpy(x, inverse, n * n * sizeof(double));
}

/* The covariance of a column with its ridge, inverted. */
static double *
inverse_covariance(const float *rows, size_t d, size_t count, double ridge)
{
	double	   *c = training_allocate(NULL, d * d * sizeof(double));
	double		trace = 0;

	naive_covariance(rows, d, rows, d, count, c);
	for (size_t i = 0; i < d; i++)
		trace += c[i * d + i];
	for (size_t i = 0; i < d; i++)
		c[i * d + i] += ridge * trace / (double) d;
	naive_inverse(c, d);
	return c;
}

/* The axes of a model: its matrix with the rotation of the seed taken back. */
static double *
axes_of(const HxModel *model)
{
	const size_t d = model->dims;
	const size_t m = model->outputs;
	HxCompute	compute = {.memory.allocate = training_allocate};
	double	   *rotation = training_allocate(NULL, m * m * sizeof(double));
	double	   *axes = training_allocate(NULL, d * m * sizeof(double));

	hx_random_orthogonal(&compute, 7, m, rotation);
	for (size_t i = 0; i < d; i++)
	{
		for (size_t j = 0; j < m; j++)
		{
			axes[i * m + j] = 0;
			for (size_t k = 0; k < m; k++)
				axes[i * m + j] += model->steps[1].params[i * m + k] * rotation[j * m + k];
		}
	}
	return axes;
}

/*
 * The axes w of x solve Cxx^-1 Cxy Cyy^-1 Cyx w = rho^2 w, those of y are Cyy^-1 Cyx w / rho,
 * rho falls, and the trace says that none was left out.
 */
static void
solves_equation(void)
{
	enum
	{
		DX = 7, DY = 5, M = 5
	};
	const double options[] = {[RIDGE] = 0.01, [POWER] = 0, [ITERATIONS] = 0};
	Pairs		pairs = make_pairs(600, DX, DY, 4, 0.8);
	HxTraining	training = training_of_pairs(&pairs, M, options);
	double		cross[DX * DY];
	double		crossed[DY * DX];
	double		to_y[DY * DX];
	double		to_x[DX * DY];
	double		both[DX * DX];
	double	   *wx;
	double	   *wy;
	double		trace = 0;
	double		sum = 0;
	double		before = 1;
	HxModel		model;
	HxModel		second;

	CHECK(hx_trainer_cca_itq.train(&training, &model, &second), "%s", training.problem);
	CHECK(model.dims == DX && second.dims == DY && second.kind == HX_MODEL_CCA_ITQ, "shapes");
	naive_covariance(pairs.x, DX, pairs.y, DY, 600, cross);
	for (size_t i = 0; i < DX; i++)
	{
		for (size_t j = 0; j < DY; j++)
			crossed[j * DX + i] = cross[i * DY + j];
	}
	naive_multiply(inverse_covariance(pairs.y, DY, 600, 0.01), crossed, DY, DY, DX, to_y);
	naive_multiply(inverse_covariance(pairs.x, DX, 600, 0.01), cross, DX, DX, DY, to_x);
	naive_multiply(to_x, to_y, DX, DY, DX, both);
	wx = axes_of(&model);
	wy = axes_of(&second);

	for (size_t k = 0; k < M; k++)
	{
		double		image[DX];
		double		square = 0;
		double		length = 0;
		double		off = 0;

		for (size_t i = 0; i < DX; i++)
		{
			image[i] = 0;
			for (size_t j = 0; j < DX; j++)
				image[i] += both[i * DX + j] * wx[j * M + k];
			square += image[i] * wx[i * M + k];
			length += wx[i * M + k] * wx[i * M + k];
		}
		square /= length;
		for (size_t i = 0; i < DX; i++)
			off = fmax(off, fabs(image[i] - square * wx[i * M + k]));
		CHECK(off < 1e-5 * sqrt(length), "axis %zu of x: off by %g", k, off);
		CHECK(square <= before + 1e-6 && square > 0, "correlation %zu: %g", k, sqrt(square));

		for (size_t i = 0; i < DY; i++)
		{
			double		expected = 0;

			for (size_t j = 0; j < DX; j++)
				expected += to_y[i * DX + j] * wx[j * M + k] / sqrt(square);
			CHECK(fabs(expected - wy[i * M + k]) < 1e-4 * sqrt(length),
				  "axis %zu of y: %g instead of %g", k,
				  wy[i * M + k], expected);
		}
		before = square;
		sum += square;
	}
	for (size_t i = 0; i < DX; i++)
		trace += both[i * DX + i];
	CHECK(fabs(trace - sum) < 1e-5, "squared correlations: %g of %g", sum, trace);
	training_free();
}

/* The power weighs each axis by its correlation to that power. */
static void
power_weighs(void)
{
	enum
	{
		D = 6, M = 4
	};
	Pairs		pairs = make_pairs(800, D, D, 6, 0.7);
	double	   *axes[3];
	double		power[3] = {0, 1, 3};

	for (int i = 0; i < 3; i++)
	{
		const double options[] = {[RIDGE] = 0.001, [POWER] = power[i], [ITERATIONS] = 0};
		HxTraining	training = training_of_pairs(&pairs, M, options);
		HxModel		model;
		HxModel		second;

		CHECK(hx_trainer_cca_itq.train(&training, &model, &second), "%s", training.problem);
		axes[i] = axes_of(&model);
	}
	for (size_t k = 0; k < M; k++)
	{
		for (size_t j = 0; j < D; j++)
		{
			const double rho = axes[1][j * M + k] / axes[0][j * M + k];

			/* Small numbers of a float matrix are known to fewer digits. */
			if (fabs(axes[0][j * M + k]) > 0.1)
				CHECK(fabs(axes[2][j * M + k] / axes[0][j * M + k] - rho * rho * rho) < 1e-4,
					  "axis %zu", k);
		}
	}
	training_free();
}

static size_t
hamming(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	return (size_t) hx_kernels->hamming(a, b, bytes);
}

/* The code of a row is nearest to the code of its partner, on rows not learned from. */
static void
pairs_meet(void)
{
	const double options[] = {[RIDGE] = 1e-3, [POWER] = 4, [ITERATIONS] = 50};
	Pairs		pairs = make_pairs(4000, 48, 40, 24, 0.3);
	HxTraining	training = training_of_pairs(&pairs, 24, options);
	HxModel		model;
	HxModel		second;
	uint8_t    *codes;
	uint8_t    *second_codes;
	double		rank = 0;
	double		together = 0;
	double		apart = 0;

	training.count = 3000;
	CHECK(hx_trainer_cca_itq.train(&training, &model, &second), "%s", training.problem);
	codes = training_codes(&model, pairs.x + 3000 * 48, 1000);
	second_codes = training_codes(&second, pairs.y + 3000 * 40, 1000);
	for (size_t i = 0; i < 1000; i++)
	{
		const size_t distance = hamming(codes + i * 3, second_codes + i * 3, 3);
		size_t		nearer = 0;

		for (size_t j = 0; j < 1000; j++)
		{
			const size_t other = hamming(codes + i * 3, second_codes + j * 3, 3);

			nearer += other < distance;
			apart += (double) other / 1000;
		}
		together += (double) distance;
		rank += (double) nearer;
	}
	CHECK(together / 1000 < 4, "partners differ in %g bits of 24", together / 1000);
	CHECK(fabs(apart / 1000 - 12) < 1, "others differ in %g bits of 24", apart / 1000);
	CHECK(rank / 1000 < 10, "%g of 1,000 are nearer than the partner", rank / 1000);
	training_free();
}

static void
check_refusal(Pairs pairs, uint32_t bits, double ridge, const char *expected)
{
	const double options[] = {[RIDGE] = ridge, [POWER] = 4, [ITERATIONS] = 50};
	HxTraining	training = training_of_pairs(&pairs, bits, options);
	HxModel		model;
	HxModel		second;

	CHECK(!hx_trainer_cca_itq.train(&training, &model, &second), "%s", expected);
	CHECK(strcmp(training.problem, expected) == 0, "%s", training.problem);
}

static void
refusals(void)
{
	Pairs		pairs = make_pairs(500, 8, 6, 4, 0.5);
	Pairs		none = pairs;
	Pairs		constant = pairs;

	none.count = 0;
	constant.y = training_allocate(NULL, 500 * 6 * sizeof(float));
	memset(constant.y, 0, 500 * 6 * sizeof(float));
	check_refusal(none, 4, 1e-3, "There are no rows to learn from.");
	check_refusal(pairs, 7, 1e-3,
				  "There is at most one bit a dimension of both columns: "
				  "8 and 6 dimensions do not give 7 bits.");
	check_refusal(constant, 4, 1e-3, "All rows of the second column are the same.");

	/* Without a ridge, fewer rows than dimensions cannot be whitened; with one, all goes well. */
	pairs.count = 4;
	check_refusal(pairs, 4, 0,
				  "The first column varies in too few directions; a larger ridge may help.");

	/* Columns that have nothing to do with each other, but for three numbers. */
	pairs = make_pairs(20000, 8, 6, 3, 0.1);
	check_refusal(pairs, 4, 1e-3,
				  "The columns correlate in fewer directions than asked for: 3, not 4.");
	training_free();
}

static void
same_everywhere(void)
{
	const double options[] = {[RIDGE] = 1e-3, [POWER] = 4, [ITERATIONS] = 50};
	Pairs		pairs = make_pairs(2000, 40, 56, 20, 0.3);
	HxTraining	training = training_of_pairs(&pairs, 20, options);

	training.median = true;
	training_is_same_everywhere(&hx_trainer_cca_itq, &training);
	training_free();
}

/* Models that must be the same on every machine. */
static void
golden(void)
{
	const double options[] = {[RIDGE] = 1e-3, [POWER] = 4, [ITERATIONS] = 50};
	Pairs		pairs = {
		.x = training_whole_rows(1000, 30, 1), .y = training_whole_rows(1000, 20, 2),
		.count = 1000, .dx = 30, .dy = 20
	};
	HxTraining	training = training_of_pairs(&pairs, 10, options);
	HxModel		model;
	HxModel		second;

	/* The first numbers of the second column are those of the first. */
	for (size_t i = 0; i < 1000; i++)
	{
		for (size_t j = 0; j < 12; j++)
			pairs.y[i * 20 + j] += pairs.x[i * 30 + j];
	}
	CHECK(hx_trainer_cca_itq.train(&training, &model, &second), "%s", training.problem);
	CHECK(training_hash(&model) == UINT64_C(0xca91892f2147c15c), "0x%016llx",
		  (unsigned long long) training_hash(&model));
	CHECK(training_hash(&second) == UINT64_C(0xb7af4b5001520a93), "0x%016llx",
		  (unsigned long long) training_hash(&second));
	training_free();
}

int
main(void)
{
	hx_kernel_init();
	RUN(solves_equation);
	RUN(power_weighs);
	RUN(pairs_meet);
	RUN(refusals);
	RUN(same_everywhere);
	RUN(golden);
	return unit_summary();
}

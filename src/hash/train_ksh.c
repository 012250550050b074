/*
 * train_ksh.c
 *	  The trainer of kernelised codes: signs of weighted similarities to anchors.
 *
 * Supervised hashing with kernels (Liu et al. 2012), with the labels that EcoFormer (Liu et al.
 * 2022) makes from the data itself: the most similar pairs of a sample should agree in all bits,
 * the least similar ones in none. Bits are learned one after the other, each from what the ones
 * before have left undone.
 *
 * Deviations: anchors are the centroids of k-means and not random rows; similar rows are the
 * nearest ones, which needs no attention map; a bit begins at the answer of the relaxed problem,
 * as in Liu et al. 2012, where EcoFormer begins at random.
 */
#include <math.h>
#include <string.h>

#include "hash/axes.h"
#include "hash/labels.h"
#include "hash/phase.h"
#include "hash/trainers.h"
#include "kernel/kernel.h"
#include "kernel/target.h"
#include "math/functions.h"
#include "math/kmeans.h"

enum
{
	OPTION_ANCHORS,
	OPTION_REFINE,
	OPTION_PAIRS,
	OPTION_AXES,
};

/* Rows whose pairs are labelled, and rows that anchors are chosen among. */
#define PAIR_ROWS 2000
#define ANCHOR_ROWS 10000
#define ANCHOR_ROUNDS 10

/* What is added to the diagonal of K^T K, as a share of its mean. */
#define RIDGE 1e-2

/* How far a step of the refinement goes at first, as a share of the length of the weights. */
#define STEP 0.1
#define MOMENTUM 0.9

typedef struct Ksh
{
	HxTraining *training;
	HxCompute  *compute;
	size_t		d;				/* numbers that rows and anchors are compared by */
	size_t		rows;			/* n: rows whose pairs are labelled */
	size_t		anchors;		/* M */
	const float *f;				/* rows less the mean, along the axes: at least n */
	double	   *kernel;			/* n x M, centred */
	HxLabels	labels;			/* S */
	double	   *factor;			/* L of K^T K + ridge = L L^T */
	double	   *gain;			/* L^-1 K^T S K L^-T for what is left of S, M x M */
	double	   *codes;			/* bits x n: the signs learnt so far */
	size_t		done;
} Ksh;

static size_t
sample_size(uint32_t dims, uint32_t outputs)
{
	(void) dims;
	(void) outputs;
	return ANCHOR_ROWS;
}

/* A matrix, row-major, and a vector on each side of it. */
typedef struct Product
{
	const double *matrix;
	size_t		rows;
	size_t		columns;
	const double *x;
	double	   *y;
} Product;

/* Rows that are summed up side by side, so that no addition waits for the one before. */
#define GROUP 8
#define STRIP 64

HX_INLINE void
multiply_group(const Product *p, size_t first, size_t rows)
{
	const double *matrix = p->matrix + first * p->columns;
	double		sum[GROUP] = {0};

	for (size_t j = 0; j < p->columns; j++)
	{
		HX_UNROLL(GROUP)
		for (size_t i = 0; i < rows; i++)
			sum[i] += matrix[i * p->columns + j] * p->x[j];
	}
	for (size_t i = 0; i < rows; i++)
		p->y[first + i] = sum[i];
}

/* HxTeamWork, over groups of rows. */
static void
multiply_rows(void *context, size_t begin, size_t end)
{
	const Product *p = context;

	for (size_t first = begin * GROUP; first < end * GROUP && first < p->rows; first += GROUP)
	{
		if (p->rows - first >= GROUP)
			multiply_group(p, first, GROUP);
		else
			multiply_group(p, first, p->rows - first);
	}
}

/* HxTeamWork, over strips of columns. */
static void
add_columns(void *context, size_t begin, size_t end)
{
	const Product *p = context;
	const size_t first = begin * STRIP;
	const size_t last = end * STRIP < p->columns ? end * STRIP : p->columns;

	for (size_t i = 0; i < p->rows; i++)
		for (size_t j = first; j < last; j++)
			p->y[j] += p->matrix[i * p->columns + j] * p->x[i];
}

/* y = A x for a matrix of rows x columns. Each number is summed from the first on. */
static void
multiply(HxCompute *compute, const double *matrix, size_t rows, size_t columns, const double *x,
		 double *y)
{
	Product		p = {matrix, rows, columns, x, y};

	hx_compute_run(compute, multiply_rows, &p, (rows + GROUP - 1) / GROUP, columns * GROUP);
}

/* y += A^T x, row after row. */
static void
add_transposed(HxCompute *compute, const double *matrix, size_t rows, size_t columns,
			   const double *x, double *y)
{
	Product		p = {matrix, rows, columns, x, y};

	hx_compute_run(compute, add_columns, &p, (columns + STRIP - 1) / STRIP, rows * STRIP);
}

/* y = what is left of the labels, bits * S - sum of h h^T over the bits learnt, times x. */
static void
multiply_left(const Ksh *ksh, const double *x, double *y)
{
	HxCompute  *compute = ksh->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *products = hx_scratch(compute, ksh->done, sizeof(double));

	hx_labels_multiply(&ksh->labels, x, y);
	for (size_t i = 0; i < ksh->rows; i++)
		y[i] *= ksh->training->outputs;
	multiply(compute, ksh->codes, ksh->done, ksh->rows, x, products);
	for (size_t bit = 0; bit < ksh->done; bit++)
		products[bit] = -products[bit];
	add_transposed(compute, ksh->codes, ksh->done, ksh->rows, products, y);
	hx_scratch_release(compute, mark);
}

typedef struct KernelWork
{
	const Ksh  *ksh;
	const float *anchors;		/* M x d */
	double		gamma;
} KernelWork;

/* HxTeamWork: rows of the kernel matrix. */
static void
kernel_rows(void *context, size_t begin, size_t end)
{
	const KernelWork *work = context;
	const Ksh  *ksh = work->ksh;

	for (size_t i = begin; i < end; i++)
		for (size_t j = 0; j < ksh->anchors; j++)
			ksh->kernel[i * ksh->anchors + j] =
				hx_exp(-work->gamma * hx_kernels->l2_squared(ksh->f + i * ksh->d,
															 work->anchors + j * ksh->d, ksh->d));
}

/*
 * Chooses anchors, computes the kernel between them and the rows, and appends the
 * step that does so. The bandwidth is the mean squared distance to the anchors, which is
 * frozen here: it must not depend on what is encoded later.
 */
static void
add_kernel(Ksh *ksh, HxModel *model, size_t available)
{
	HxCompute  *compute = ksh->compute;
	const size_t d = ksh->d;
	const size_t m = ksh->anchors;
	float	   *params = hx_training_floats(ksh->training, 1 + d * m + m);
	const HxScratchMark mark = hx_scratch_mark(compute);
	float	   *anchors = hx_scratch(compute, m * d, sizeof(float));
	double		sum = 0;

	hx_kmeans(compute, ksh->f, available, d, m, ANCHOR_ROUNDS, ksh->training->seed, anchors, NULL);
	for (size_t i = 0; i < ksh->rows; i++)
	{
		for (size_t j = 0; j < m; j++)
			sum += hx_kernels->l2_squared(ksh->f + i * d, anchors + j * d, d);
		hx_compute_check(compute);
	}

	/* The step stores its gamma as a float; learn with the one that will be used. */
	params[0] = sum > 0 ? (float) ((double) (ksh->rows * m) / (2 * sum)) : 1;

	KernelWork	work = {.ksh = ksh, .anchors = anchors, .gamma = params[0]};

	hx_compute_run(compute, kernel_rows, &work, ksh->rows, m * (2 * d + 100));
	hx_training_transpose(ksh->training, anchors, m, d, params + 1);
	for (size_t j = 0; j < m; j++)
	{
		double		mean = 0;

		for (size_t i = 0; i < ksh->rows; i++)
			mean += ksh->kernel[i * m + j];
		params[1 + d * m + j] = (float) (mean / (double) ksh->rows);
		for (size_t i = 0; i < ksh->rows; i++)
			ksh->kernel[i * m + j] -= params[1 + d * m + j];
		hx_compute_check(compute);
	}
	hx_model_add(model, HX_STEP_GAUSSIAN, (uint32_t) m, 0, 0, params, (uint32_t) (1 + d * m + m));
	hx_scratch_release(compute, mark);
}

/* Makes of a symmetric matrix A (M x M) L^-1 A L^-T, in place. */
static void
scale_by_factor(const Ksh *ksh, double *matrix)
{
	HxCompute  *compute = ksh->compute;
	const size_t m = ksh->anchors;
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *other = hx_scratch(compute, m * m, sizeof(double));

	hx_solve_lower(compute, ksh->factor, m, matrix, m);
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < m; j++)
			other[i * m + j] = matrix[j * m + i];
	hx_solve_lower(compute, ksh->factor, m, other, m);
	/* Rounding leaves it a little skew. */
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < m; j++)
			matrix[i * m + j] = (other[i * m + j] + other[j * m + i]) / 2;
	hx_scratch_release(compute, mark);
}

/* The factor of K^T K, and the gain before the first bit. False when all of K is zero. */
static bool
prepare(Ksh *ksh)
{
	HxCompute  *compute = ksh->compute;
	const size_t n = ksh->rows;
	const size_t m = ksh->anchors;
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *labelled = hx_scratch(compute, n * m, sizeof(double));
	double	   *column = hx_scratch(compute, 2 * n, sizeof(double));
	double		trace = 0;

	for (size_t j = 0; j < m; j++)
	{
		for (size_t i = 0; i < n; i++)
			column[i] = ksh->kernel[i * m + j];
		hx_labels_multiply(&ksh->labels, column, column + n);
		for (size_t i = 0; i < n; i++)
			labelled[i * m + j] = column[n + i] * ksh->training->outputs;
		hx_compute_check(compute);
	}
	hx_multiply_at(compute, ksh->kernel, labelled, m, n, m, ksh->gain);
	hx_multiply_at(compute, ksh->kernel, ksh->kernel, m, n, m, ksh->factor);
	hx_scratch_release(compute, mark);
	for (size_t j = 0; j < m; j++)
		trace += ksh->factor[j * m + j];
	for (size_t j = 0; j < m; j++)
		ksh->factor[j * m + j] += RIDGE * trace / (double) m;
	if (trace <= 0 || !hx_cholesky(compute, ksh->factor, m))
		return false;
	scale_by_factor(ksh, ksh->gain);
	return true;
}

/*
 * The weights a that make a^T K^T S K a greatest for a^T (K^T K) a = n: the relaxed
 * problem's answer.
 */
static void
best_direction(Ksh *ksh, double *a)
{
	HxCompute  *compute = ksh->compute;
	const size_t m = ksh->anchors;
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *matrix = hx_scratch(compute, m * m, sizeof(double));
	double		value;

	memcpy(matrix, ksh->gain, m * m * sizeof(double));
	hx_eigen_symmetric(compute, matrix, m, 1, &value, a);
	hx_solve_lower_transposed(compute, ksh->factor, m, a, 1);
	for (size_t j = 0; j < m; j++)
		a[j] *= sqrt((double) ksh->rows);
	hx_scratch_release(compute, mark);
}

/* h = sign(K a); returns h^T (what is left of S) h, which is to be large. scratch: n. */
static double
hard_objective(const Ksh *ksh, const double *a, double *h, double *scratch)
{
	double		objective = 0;

	multiply(ksh->compute, ksh->kernel, ksh->rows, ksh->anchors, a, h);
	for (size_t i = 0; i < ksh->rows; i++)
		h[i] = h[i] > 0 ? 1 : -1;
	multiply_left(ksh, h, scratch);
	for (size_t i = 0; i < ksh->rows; i++)
		objective += h[i] * scratch[i];
	return objective;
}

/* The gradient of the smooth objective, tanh in place of sign, with respect to a. */
static void
gradient(const Ksh *ksh, const double *a, double *y, double *left, double *result)
{
	multiply(ksh->compute, ksh->kernel, ksh->rows, ksh->anchors, a, y);
	for (size_t i = 0; i < ksh->rows; i++)
		y[i] = hx_tanh(y[i] / 2);
	multiply_left(ksh, y, left);
	for (size_t i = 0; i < ksh->rows; i++)
		left[i] *= 1 - y[i] * y[i];
	memset(result, 0, ksh->anchors * sizeof(double));
	add_transposed(ksh->compute, ksh->kernel, ksh->rows, ksh->anchors, left, result);
}

static double
length(const double *a, size_t n)
{
	double		square = 0;

	for (size_t i = 0; i < n; i++)
		square += a[i] * a[i];
	return sqrt(square);
}

/*
 * Climbs from the weights `best` by the gradient, and keeps the best place on the way,
 * the weights and their signs, by the hard objective. A step is as long as a share of
 * the weights, since the scale of a means nothing to signs.
 */
static void
refine(Ksh *ksh, double *best, double *kept)
{
	HxCompute  *compute = ksh->compute;
	const size_t n = ksh->rows;
	const size_t m = ksh->anchors;
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *a = hx_scratch(compute, m, sizeof(double));
	double	   *velocity = hx_scratch(compute, m, sizeof(double));
	double	   *slope = hx_scratch(compute, m, sizeof(double));
	double	   *h = hx_scratch(compute, n, sizeof(double));
	double	   *left = hx_scratch(compute, n, sizeof(double));
	double		objective = hard_objective(ksh, best, kept, left);

	memcpy(a, best, m * sizeof(double));
	memset(velocity, 0, m * sizeof(double));
	for (int round = 0; round < (int) ksh->training->options[OPTION_REFINE]; round++)
	{
		double		found;
		double		scale;

		gradient(ksh, a, h, left, slope);
		scale = length(slope, m);
		if (scale <= 0)
			break;
		scale = STEP / (1 + round) * length(a, m) / scale;
		for (size_t j = 0; j < m; j++)
		{
			velocity[j] = MOMENTUM * velocity[j] + scale * slope[j];
			a[j] += velocity[j];
		}
		found = hard_objective(ksh, a, h, left);
		if (found > objective)
		{
			objective = found;
			memcpy(best, a, m * sizeof(double));
			memcpy(kept, h, n * sizeof(double));
		}
	}
	hx_scratch_release(compute, mark);
}

/* S has lost h h^T, and so K^T S K loses (K^T h) (K^T h)^T. */
static void
lower_gain(Ksh *ksh, const double *h)
{
	HxCompute  *compute = ksh->compute;
	const size_t m = ksh->anchors;
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *lost = hx_scratch(compute, m, sizeof(double));

	memset(lost, 0, m * sizeof(double));
	add_transposed(compute, ksh->kernel, ksh->rows, m, h, lost);
	hx_solve_lower(compute, ksh->factor, m, lost, 1);
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < m; j++)
			ksh->gain[i * m + j] -= lost[i] * lost[j];
	hx_scratch_release(compute, mark);
}

/* Learns one bit: its weights to `weights`, its signs to the codes. */
static void
learn_bit(Ksh *ksh, double *weights)
{
	double	   *h = ksh->codes + ksh->done * ksh->rows;

	best_direction(ksh, weights);
	refine(ksh, weights, h);
	lower_gain(ksh, h);
	ksh->done++;
	hx_compute_check(ksh->compute);
}

/*
 * Appends the step that takes what varies most; returns what it makes of the rows f (count x
 * dims), in scratch.
 */
static float *
add_axes(HxTraining *training, HxModel *model, const float *f, size_t count, size_t axes)
{
	HxCompute  *compute = &training->compute;
	const size_t d = training->dims;
	float	   *along = hx_scratch(compute, count * axes, sizeof(float));
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *directions = hx_scratch(compute, d * axes, sizeof(double));
	double	   *projected = hx_scratch(compute, count * axes, sizeof(double));

	hx_axes_estimate(compute, f, count, d, axes, training->seed, directions);
	hx_project(compute, f, count, d, NULL, directions, axes, projected);
	for (size_t i = 0; i < count * axes; i++)
		along[i] = (float) projected[i];
	hx_training_add_matrix(training, model, directions, (uint32_t) axes);
	hx_scratch_release(compute, mark);
	return along;
}

static bool
train_ksh(HxTraining *training, HxModel *model, HxModel *second)
{
	HxCompute  *compute = &training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	const size_t available = training->count < ANCHOR_ROWS ? training->count : ANCHOR_ROWS;
	const size_t bits = training->outputs;
	const size_t axes = (size_t) training->options[OPTION_AXES];
	Ksh			ksh = {.training = training, .compute = compute, .d = training->dims};
	size_t		pairs;
	double	   *weights;
	double	   *matrix;

	(void) second;
	ksh.rows = available < PAIR_ROWS ? available : PAIR_ROWS;
	ksh.anchors = (size_t) training->options[OPTION_ANCHORS];
	pairs = (size_t) (training->options[OPTION_PAIRS] * (double) ksh.rows + 0.5);
	pairs = pairs < 1 ? 1 : pairs;
	if (ksh.rows < 2 * pairs + 1 || available < ksh.anchors)
		return hx_training_fail(training, "The sample (rows: %zu) is too small for %zu anchors and pairs of them.",
								training->count, ksh.anchors);
	if (bits > ksh.anchors)
		return hx_training_fail(training, "There is at most one bit an anchor: %zu anchors do not give %zu bits.",
								ksh.anchors, bits);

	hx_model_init(model, HX_MODEL_KSH, training->dims);
	ksh.f = hx_training_add_unit(training, model, available);
	ksh.labels = hx_labels_find(compute, ksh.f, ksh.rows, ksh.d, pairs);
	if (axes != 0 && axes < ksh.d)
	{
		ksh.f = add_axes(training, model, ksh.f, available, axes);
		ksh.d = axes;
	}
	ksh.kernel = hx_scratch(compute, ksh.rows * ksh.anchors, sizeof(double));
	ksh.factor = hx_scratch(compute, ksh.anchors * ksh.anchors, sizeof(double));
	ksh.gain = hx_scratch(compute, ksh.anchors * ksh.anchors, sizeof(double));
	ksh.codes = hx_scratch(compute, bits * ksh.rows, sizeof(double));
	weights = hx_scratch(compute, ksh.anchors, sizeof(double));
	matrix = hx_scratch(compute, ksh.anchors * bits, sizeof(double));

	hx_compute_report(compute, HX_PHASE_ANCHORS, 0, 0);
	add_kernel(&ksh, model, available);
	if (!prepare(&ksh))
		return hx_training_fail(training, "All rows of the sample are the same.");
	while (ksh.done < bits)
	{
		const size_t bit = ksh.done;

		hx_compute_report(compute, HX_PHASE_BITS, bit, bits);
		learn_bit(&ksh, weights);
		for (size_t j = 0; j < ksh.anchors; j++)
			matrix[j * bits + bit] = weights[j];
	}
	hx_training_add_matrix(training, model, matrix, (uint32_t) bits);
	hx_training_add_sign(training, model, training->rows);
	hx_scratch_release(compute, mark);
	return true;
}

const HxTrainer hx_trainer_ksh = {
	.kind = HX_MODEL_KSH,
	.meaning = "kernelised: signs of weighted similarities to anchors, learnt from similar and dissimilar pairs",
	.options = {
		{"anchors", 300, 2, 4096, true, false, "anchors, chosen by k-means; at least as many as bits"},
		{"refine", 20, 0, 1000, true, false, "rounds of refining each bit"},
		{"pairs", 0.005, 0.001, 0.3, false, false, "share of the rows that count as similar, and as dissimilar, to each"},
		{"axes", 48, 0, HX_MODEL_MAX_DIMS, true, false, "principal axes that rows and anchors are compared along; 0: all dimensions"},
	},
	.sample_size = sample_size,
	.train = train_ksh,
};

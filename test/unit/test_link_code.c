/*
 * test_link_code.c
 *	  Codes of neighbours: how exact their estimates are, that they are unbiased, and
 *	  that planes, blocks and plain computations in double agree.
 */
#include "unit.h"

#include <math.h>

#include "math/normal.h"
#include "math/spin.h"
#include "quant/link_code.h"

#define MAX_DIMS 784

/* Vectors on the heap, and everything a shape needs. */
typedef struct Bench
{
	HxLinkShape shape;
	size_t		code_bytes;
	void	   *query_memory;
	void	   *table;
	float		node[MAX_DIMS];
	float		neighbour[MAX_DIMS];
	float		query[MAX_DIMS];
	float		centre[MAX_DIMS];
} Bench;

static void *
aligned(size_t bytes)
{
	void	   *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);

	if (memory == NULL)
		exit(2);
	return memory;
}

static Bench *
bench_new(HxLinkMetric metric, uint32_t dims, uint32_t code_dims, uint32_t bits)
{
	Bench	   *bench = unit_alloc(sizeof(Bench));

	memset(bench, 0, sizeof(*bench));
	bench->shape = (HxLinkShape) {metric, dims, code_dims, bits};
	bench->code_bytes = hx_link_code_bytes(&bench->shape);
	bench->query_memory = aligned(hx_link_query_bytes(&bench->shape));
	bench->table = aligned(hx_link_table_bytes(&bench->shape));
	return bench;
}

static void
bench_free(Bench *bench)
{
	free(bench->query_memory);
	free(bench->table);
	free(bench);
}

static uint32_t normals;

static void
fill_normal(float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (float) hx_normal(11, 0, normals++);
}

static double
dot_of(const float *a, const float *b, size_t n)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double) a[i] * (double) b[i];
	return sum;
}

/*
 * A random node at `far` from the centre, a neighbour and a query, both at distance 1 from it,
 * with the given cosine between them.
 */
static void
place(Bench *bench, double far, double cosine)
{
	const size_t n = bench->shape.dims;
	const double sine = sqrt(1 - cosine * cosine);
	float		a[MAX_DIMS];
	float		b[MAX_DIMS];
	double		along;
	double		length;

	fill_normal(bench->node, n);
	fill_normal(a, n);
	fill_normal(b, n);
	fill_normal(bench->centre, n);
	length = sqrt(dot_of(bench->node, bench->node, n));
	for (size_t i = 0; i < n; i++)
		bench->node[i] *= (float) (far / length);
	length = sqrt(dot_of(a, a, n));
	for (size_t i = 0; i < n; i++)
		a[i] /= (float) length;
	along = dot_of(a, b, n);
	for (size_t i = 0; i < n; i++)
		b[i] -= (float) along * a[i];
	length = sqrt(dot_of(b, b, n));
	for (size_t i = 0; i < n; i++)
	{
		bench->query[i] = bench->node[i] + a[i];
		bench->neighbour[i] = bench->node[i] +
			(float) (cosine * (double) a[i] + sine * (double) b[i] / length);
	}
}

/* The query's distance to a vector as the metric has it, with the centre added again. */
static double
true_distance(const Bench *bench, const float *y)
{
	double		sum = 0;

	for (size_t i = 0; i < bench->shape.dims; i++)
	{
		const double q = bench->query[i];
		const double o = y[i];
		const double c = bench->centre[i];

		sum += bench->shape.metric == HX_LINK_IP ? -(q + c) * (o + c) : (q - o) * (q - o);
	}
	return sum;
}

/* <x, y> of a code. */
static double
code_product(const Bench *bench, const uint8_t *code, const float *y)
{
	const size_t n = bench->shape.code_dims;
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
	{
		double		x = (code[i / 8] >> (i % 8) & 1) != 0 ? 1 : -1;

		if (bench->shape.bits == 2)
			x += (code[(n + i) / 8] >> ((n + i) % 8) & 1) != 0 ? 0.5 : -0.5;
		sum += x * (double) y[i];
	}
	return sum;
}

static double
bfloat16(uint16_t number)
{
	const uint32_t bits = (uint32_t) number << 16;
	float		value;

	memcpy(&value, &bits, sizeof(value));
	return (double) value;
}

/* The estimate from code and factors without any rounding of the query. */
static double
plain_estimate(const Bench *bench, double own, const HxLink *link, const uint8_t *code)
{
	return own + bfloat16(link->add) +
		bfloat16(link->scale) * code_product(bench, code, bench->query);
}

static float
estimate_with(Bench *bench, bool fine, double own, const HxLink *link, const uint8_t *code)
{
	HxLinkQuery query;
	float		estimate;

	hx_link_query_prepare(&query, &bench->shape, bench->query, fine, bench->query_memory);
	hx_link_estimate(&query, (float) own, link, code, 1, &estimate);
	return estimate;
}

static float
estimate_by_planes(Bench *bench, double own, const HxLink *link, const uint8_t *code)
{
	return estimate_with(bench, false, own, link, code);
}

static float
estimate_by_block(Bench *bench, double own, const HxLink *link, const uint8_t *code)
{
	uint8_t    *block = unit_alloc(hx_link_block_bytes(&bench->shape));
	float		estimate;

	unit_fill(block, hx_link_block_bytes(&bench->shape));
	hx_link_block_put(&bench->shape, block, 0, code);
	hx_link_table_prepare(&bench->shape, bench->query, bench->table);
	hx_link_estimate_blocks(&bench->shape, bench->table, (float) own, link, block, 1, &estimate);
	free(block);
	return estimate;
}

/* Mean and root mean square over many trials. */
typedef struct Errors
{
	double		sum;
	double		squares;
	int			count;
} Errors;

static void
errors_add(Errors *errors, double error)
{
	errors->sum += error;
	errors->squares += error * error;
	errors->count++;
}

static double
errors_rms(const Errors *errors)
{
	return sqrt(errors->squares / errors->count);
}

/* The mean in units of its own standard deviation. */
static double
errors_bias(const Errors *errors)
{
	return fabs(errors->sum) / sqrt(errors->squares);
}

/* The cosine between a residual and its code. */
static double
code_cosine(const Bench *bench, const uint8_t *code)
{
	const size_t n = bench->shape.code_dims;
	float		x[MAX_DIMS];
	float		r[MAX_DIMS];

	for (size_t i = 0; i < n; i++)
	{
		x[i] = (code[i / 8] >> (i % 8) & 1) != 0 ? 1 : -1;
		if (bench->shape.bits == 2)
			x[i] += (code[(n + i) / 8] >> ((n + i) % 8) & 1) != 0 ? 0.5f : -0.5f;
		r[i] = bench->neighbour[i] - bench->node[i];
	}
	return dot_of(x, r, n) / sqrt(dot_of(x, x, n) * dot_of(r, r, n));
}

/* Rms error of estimates of squared distances at distance 1, by a query or a fine one. */
static double
error_at(Bench *bench, double far, bool fine)
{
	Errors		errors = {0};

	normals = 0;
	for (int t = 0; t < 1000; t++)
	{
		uint8_t		code[MAX_DIMS / 4];
		HxLink		link;

		place(bench, far, 0.5);
		hx_link_encode(&bench->shape, bench->node, bench->neighbour, NULL, &link, code);
		errors_add(&errors, (double) estimate_with(bench, fine, 1, &link, code) -
				   true_distance(bench, bench->neighbour));
	}
	return errors_rms(&errors);
}

/* In a cluster 300 times as far from the centre as it is wide a fine query tells vectors apart. */
static void
narrow_cluster(void)
{
	static const uint32_t shapes[][2] = {{32, 2}, {128, 2}, {256, 1}, {768, 1}};

	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
	{
		Bench	   *bench = bench_new(HX_LINK_L2, shapes[s][0], shapes[s][0], shapes[s][1]);
		const double near = error_at(bench, 1, false);
		const double fine = error_at(bench, 300, true);
		const double coarse = error_at(bench, 300, false);

		CHECK(fine < 1.5 * near, "%u dimensions: %g, beside the centre %g", shapes[s][0], fine, near);
		CHECK(coarse > 5 * near, "%u dimensions: %g without more digits", shapes[s][0], coarse);
		CHECK(error_at(bench, 1, true) < 1.01 * near, "%u dimensions: nothing gets worse",
			  shapes[s][0]);
		bench_free(bench);
	}
}

/* The table of RaBitQ's accuracy: 768 dimensions, cosine 0.5. */
static void
accuracy(void)
{
	static const double cosines[] = {0.7974, 0.9386};
	static const double rms[] = {0.0247, 0.0104};

	for (uint32_t bits = 1; bits <= 2; bits++)
	{
		Bench	   *bench = bench_new(HX_LINK_L2, 768, 768, bits);
		Errors		errors = {0};
		Errors		digits = {0};
		double		cosine = 0;
		double		theory;
		const int	trials = 1500;

		for (int t = 0; t < trials; t++)
		{
			uint8_t		code[MAX_DIMS / 4];
			HxLink		link;
			double		truth;
			double		own;

			place(bench, 1, 0.5);
			hx_link_encode(&bench->shape, bench->node, bench->neighbour, NULL, &link, code);
			cosine += code_cosine(bench, code) / trials;
			own = true_distance(bench, bench->node);
			truth = true_distance(bench, bench->neighbour);
			/* The cosine is half the squared distance away. */
			errors_add(&errors, (plain_estimate(bench, own, &link, code) - truth) / 2);
			errors_add(&digits, (estimate_by_planes(bench, own, &link, code) - truth) / 2);
		}
		CHECK(fabs(cosine - cosines[bits - 1]) < 0.002, "%u bits: %g", bits, cosine);
		/* Theory: sqrt(1 / c^2 - 1) times the sine of 60 degrees, over the root of d - 1. */
		theory = sqrt((1 / (cosine * cosine) - 1) * 0.75 / 767);
		CHECK(fabs(errors_rms(&errors) / theory - 1) < 0.07, "%u bits: %g, not %g", bits,
			  errors_rms(&errors), theory);
		CHECK(fabs(errors_rms(&errors) / rms[bits - 1] - 1) < 0.15, "%u bits: %g", bits,
			  errors_rms(&errors));
		/* The rounding of the query costs little. */
		CHECK(errors_rms(&digits) < errors_rms(&errors) * 1.05, "%u bits: %g, without %g",
			  bits, errors_rms(&digits), errors_rms(&errors));
		bench_free(bench);
	}
}

/* Over many trials the errors even out: all metrics, numbers of bits and shorter codes. */
static void
check_unbiased(HxLinkMetric metric, uint32_t dims, uint32_t code_dims, uint32_t bits)
{
	Bench	   *bench = bench_new(metric, dims, code_dims, bits);
	Errors		plain = {0};
	Errors		planes = {0};
	Errors		blocks = {0};

	for (int t = 0; t < 800; t++)
	{
		uint8_t		code[MAX_DIMS / 4];
		HxLink		link;
		double		truth;
		double		own;

		place(bench, 2, unit_uniform());
		hx_link_encode(&bench->shape, bench->node, bench->neighbour, bench->centre, &link, code);
		own = true_distance(bench, bench->node);
		truth = true_distance(bench, bench->neighbour);
		errors_add(&plain, plain_estimate(bench, own, &link, code) - truth);
		errors_add(&planes, estimate_by_planes(bench, own, &link, code) - truth);
		errors_add(&blocks, estimate_by_block(bench, own, &link, code) - truth);
	}
	/* Of so many numbers, chance alone leaves a mean beyond 4 deviations once in 16,000. */
	CHECK(errors_bias(&plain) < 4 && errors_bias(&planes) < 4 && errors_bias(&blocks) < 4,
		  "metric %d, %u of %u dimensions, %u bits: bias %g, %g, %g deviations", metric,
		  code_dims, dims, bits, errors_bias(&plain), errors_bias(&planes), errors_bias(&blocks));
	CHECK(errors_rms(&planes) < errors_rms(&plain) * 1.12, "%g, without rounding %g",
		  errors_rms(&planes), errors_rms(&plain));
	CHECK(errors_rms(&blocks) < errors_rms(&plain) * 1.02, "%g, without rounding %g",
		  errors_rms(&blocks), errors_rms(&plain));
	bench_free(bench);
}

static void
unbiased(void)
{
	static const uint32_t shapes[][2] = {{768, 768}, {768, 512}, {104, 104}, {104, 72}, {40, 40}};

	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
	{
		for (uint32_t bits = 1; bits <= 2; bits++)
		{
			check_unbiased(HX_LINK_L2, shapes[s][0], shapes[s][1], bits);
			check_unbiased(HX_LINK_IP, shapes[s][0], shapes[s][1], bits);
		}
	}
}

/* The factors are those of the definition, in double, but for bfloat16's rounding. */
static void
check_factors(HxLinkMetric metric, uint32_t dims, uint32_t code_dims, uint32_t bits)
{
	Bench	   *bench = bench_new(metric, dims, code_dims, bits);
	uint8_t		code[MAX_DIMS / 4];
	float		r[MAX_DIMS];
	HxLink		link = {.node = 99};
	double		factor;
	double		scale;
	double		add;
	double		along = 0;

	place(bench, 3, 0.3);
	hx_link_encode(&bench->shape, bench->node, bench->neighbour, bench->centre, &link, code);
	CHECK(link.node == 99, "the node changed");
	for (size_t i = 0; i < dims; i++)
	{
		r[i] = bench->neighbour[i] - bench->node[i];
		along += ((double) bench->node[i] + (double) bench->centre[i]) * (double) r[i];
	}
	factor = dot_of(r, r, dims) / code_product(bench, code, r);
	scale = bfloat16(link.scale);
	/* Of l2 it may be off by four units more. */
	CHECK(fabs(scale / (metric == HX_LINK_IP ? -factor : -2 * factor) - 1) <=
		  (metric == HX_LINK_IP ? 0x1p-8 : 0x9p-8), "scale %g", scale);
	add = metric == HX_LINK_IP ? -scale * code_product(bench, code, bench->node) - along :
		dot_of(r, r, dims) - scale * code_product(bench, code, bench->node);
	CHECK(fabs(bfloat16(link.add) - add) <= fabs(add) * 0x1p-8, "add %g, not %g",
		  bfloat16(link.add), add);
	bench_free(bench);
}

static void
factors(void)
{
	for (int t = 0; t < 200; t++)
	{
		const uint32_t dims = 8 * (1 + unit_below(MAX_DIMS / 8));
		const uint32_t code_dims = 8 * (1 + unit_below(dims / 8));

		check_factors(t % 2 == 0 ? HX_LINK_L2 : HX_LINK_IP, dims, code_dims, 1 + unit_below(2));
	}
}

/* Equal vectors: the estimate is the node's own distance. A query of zeros is fine. */
static void
degenerate(void)
{
	for (uint32_t bits = 1; bits <= 2; bits++)
	{
		for (int metric = HX_LINK_L2; metric <= HX_LINK_IP; metric++)
		{
			Bench	   *bench = bench_new((HxLinkMetric) metric, 104, 64, bits);
			uint8_t		code[MAX_DIMS / 4];
			HxLink		link;
			float		estimate;

			place(bench, 1, 0.5);
			hx_link_encode(&bench->shape, bench->node, bench->node, bench->centre, &link, code);
			CHECK(link.add == 0 && link.scale == 0, "factors of a duplicate");
			CHECK(estimate_by_planes(bench, 3.5, &link, code) == 3.5f, "planes");
			CHECK(estimate_by_block(bench, 3.5, &link, code) == 3.5f, "blocks");

			/* They differ beyond the coded part only. */
			memcpy(bench->neighbour, bench->node, sizeof(bench->node));
			bench->neighbour[100] += 2;
			hx_link_encode(&bench->shape, bench->node, bench->neighbour, bench->centre, &link,
						   code);
			estimate = estimate_by_planes(bench, 1, &link, code);
			CHECK(isfinite(estimate), "%g", (double) estimate);
			if (metric == HX_LINK_L2)
				CHECK(fabs((double) estimate - 5) < 0.02, "%g", (double) estimate);

			place(bench, 1, 0.5);
			memset(bench->query, 0, sizeof(bench->query));
			hx_link_encode(&bench->shape, bench->node, bench->neighbour, bench->centre, &link,
						   code);
			estimate = estimate_by_planes(bench, 1, &link, code);
			CHECK((double) estimate == (double) (float) (1 + bfloat16(link.add)), "zero query");
			CHECK(estimate_by_block(bench, 1, &link, code) == estimate, "zero query, blocks");
			bench_free(bench);
		}
	}
}

/* Many neighbours at once are as one by one, at every level with the same bits. */
static float first_level[HX_MAX_LINKS];

static void
batches_at(const HxKernels *kernels)
{
	static const uint32_t shapes[][3] = {
		{768, 768, 1}, {104, 104, 2}, {784, 608, 1}, {128, 128, 2},
	};

	hx_kernel_use(kernels->level);
	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
	{
		Bench	   *bench = bench_new(HX_LINK_L2, shapes[s][0], shapes[s][1], shapes[s][2]);
		uint8_t    *codes = unit_alloc(bench->code_bytes * HX_MAX_LINKS);
		uint8_t    *blocks = unit_alloc(2 * hx_link_block_bytes(&bench->shape));
		HxLink		links[HX_MAX_LINKS];
		HxLinkQuery query;
		float		estimate[HX_MAX_LINKS];
		float		of_blocks[HX_MAX_LINKS];

		normals = (uint32_t) s << 20;
		for (unsigned i = 0; i < HX_MAX_LINKS; i++)
		{
			place(bench, 1, 0.5);
			hx_link_encode(&bench->shape, bench->node, bench->neighbour, NULL, &links[i],
						   codes + i * bench->code_bytes);
			hx_link_block_put(&bench->shape, blocks, i, codes + i * bench->code_bytes);
		}
		hx_link_query_prepare(&query, &bench->shape, bench->query, false, bench->query_memory);
		hx_link_table_prepare(&bench->shape, bench->query, bench->table);
		hx_link_estimate(&query, 2, links, codes, HX_MAX_LINKS, estimate);
		hx_link_estimate_blocks(&bench->shape, bench->table, 2, links, blocks, HX_MAX_LINKS,
								of_blocks);
		for (unsigned i = 0; i < HX_MAX_LINKS; i++)
		{
			const uint8_t *code = codes + i * bench->code_bytes;

			CHECK(estimate[i] == estimate_by_planes(bench, 2, &links[i], code), "link %u", i);
			CHECK(of_blocks[i] == estimate_by_block(bench, 2, &links[i], code), "link %u", i);
		}
		if (s == 0 && kernels->level == HX_SIMD_GENERIC)
			memcpy(first_level, estimate, sizeof(estimate));
		if (s == 0)
			CHECK(memcmp(first_level, estimate, sizeof(estimate)) == 0, "%s: other estimates",
				  hx_kernel_level_name(kernels->level));
		free(codes);
		free(blocks);
		bench_free(bench);
	}
	hx_kernel_use(HX_SIMD_AUTO);
}

static void
batches(void)
{
	unit_each_level(batches_at);
}

/* Bits: the whole code counts exactly, a prefix in proportion. */
static void
check_hamming(uint32_t dims, uint32_t code_dims)
{
	Bench	   *bench = bench_new(HX_LINK_HAMMING, dims, code_dims, 1);
	uint8_t		a[200];
	uint8_t		b[200];
	uint8_t		codes[400];
	uint8_t    *code = codes;
	HxLinkQuery query;
	HxLink		link;
	float		estimate;
	float		pair[2];
	unsigned	differ = 0;

	unit_fill(a, sizeof(a));
	unit_fill(b, sizeof(b));
	hx_link_encode_bits(&bench->shape, b, &link, code);
	hx_link_encode_bits(&bench->shape, a, &link, code + hx_link_code_bytes(&bench->shape));
	hx_link_query_prepare_bits(&query, &bench->shape, a, bench->query_memory);
	hx_link_estimate(&query, 0, &link, code, 1, &estimate);
	for (unsigned i = 0; i < code_dims; i++)
		differ += ((a[i / 8] ^ b[i / 8]) >> (i % 8) & 1) != 0;
	CHECK(fabs((double) estimate - (double) differ * dims / code_dims) < 1e-3,
		  "%u of %u: %g", code_dims, dims, (double) estimate);
	hx_link_pairs(&bench->shape, codes, NULL, 1, 2, bench->query_memory, pair);
	CHECK(fabsf(pair[0] - estimate) < 1e-3f && pair[1] == 0, "pair %g", (double) pair[0]);
	CHECK(code_dims % 8 == 0 || code[code_dims / 8] >> (code_dims % 8) == 0, "rest bits");
	bench_free(bench);
}

static void
hamming(void)
{
	for (uint32_t dims = 1; dims <= 300; dims++)
	{
		check_hamming(dims, dims);
		check_hamming(dims, 1 + unit_below(dims));
	}
	check_hamming(1600, 1200);
}

/* Lengths of residuals and distances between neighbours, from codes alone. */
static void
check_pairs(HxLinkMetric metric, uint32_t dims, uint32_t code_dims, uint32_t bits,
			double tolerance)
{
	Bench	   *bench = bench_new(metric, dims, code_dims, bits);
	Errors		lengths = {0};
	Errors		pairs = {0};

	for (int t = 0; t < 400; t++)
	{
		uint8_t		codes[2 * MAX_DIMS / 4];
		HxLink		links[2];
		float		length[2];
		float		pair;
		const float unit[2] = {1, 1};
		const double cosine = unit_uniform();

		/* The query, at the given cosine to the neighbour, is another neighbour here. */
		place(bench, 2, cosine);
		hx_link_encode(&bench->shape, bench->node, bench->neighbour, bench->centre, &links[0],
					   codes);
		hx_link_encode(&bench->shape, bench->node, bench->query, bench->centre, &links[1],
					   codes + hx_link_code_bytes(&bench->shape));
		hx_link_lengths(&bench->shape, links, 2, length);
		for (int i = 0; i < 2; i++)
			errors_add(&lengths, (double) length[i] * length[i] - 1);
		hx_link_pairs(&bench->shape, codes, unit, 1, 1, bench->query_memory, &pair);
		errors_add(&pairs, (double) pair - (2 - 2 * cosine));
	}
	CHECK(errors_rms(&lengths) < tolerance, "metric %d, %u of %u, %u bits: lengths %g", metric,
		  code_dims, dims, bits, errors_rms(&lengths));
	CHECK(errors_rms(&pairs) < 1.5 * tolerance, "metric %d, %u of %u, %u bits: pairs %g", metric,
		  code_dims, dims, bits, errors_rms(&pairs));
	bench_free(bench);
}

static void
pairs(void)
{
	check_pairs(HX_LINK_L2, 768, 768, 1, 0.06);
	check_pairs(HX_LINK_IP, 768, 768, 1, 0.06);
	check_pairs(HX_LINK_L2, 768, 768, 2, 0.05);
	check_pairs(HX_LINK_IP, 768, 512, 2, 0.09);
	check_pairs(HX_LINK_L2, 104, 104, 2, 0.13);
}

int
main(void)
{
	hx_kernel_init();
	RUN(accuracy);
	RUN(narrow_cluster);
	RUN(unbiased);
	RUN(factors);
	RUN(degenerate);
	RUN(batches);
	RUN(hamming);
	RUN(pairs);
	return unit_summary();
}

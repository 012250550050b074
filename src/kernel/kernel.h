/*
 * kernel.h
 *	  Distances and counts on raw bytes: one table of function pointers for
 *	  each SIMD level, and the choice between them.
 *
 * Pure C11; nothing of PostgreSQL. All levels give the same results bit for
 * bit: counts are integers, and floating-point sums keep one frozen order (see
 * README). No function needs aligned input, none allocates, none fails.
 */
#ifndef HX_KERNEL_H
#define HX_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From the plainest to the most capable; HX_SIMD_AUTO is no level but the wish for the best. */
typedef enum HxSimdLevel
{
	HX_SIMD_AUTO,
	HX_SIMD_GENERIC,			/* portable C */
	HX_SIMD_X86_64_V2,			/* POPCNT, SSE4.2 */
	HX_SIMD_AVX2,				/* AVX2, F16C, POPCNT (x86-64-v3) */
	HX_SIMD_AVX512,				/* AVX-512 F, BW, VL and VPOPCNTDQ */
	HX_SIMD_NEON,				/* AArch64 */
} HxSimdLevel;

#define HX_SIMD_LEVELS 6

/*
 * Codes stored in planes: word w of all the codes lies together, so that one
 * vector register holds the same word of several codes and no horizontal sum
 * is needed.
 *
 * A code of n bytes is cut into n / 8 words of eight bytes, then words of four,
 * two and one byte as the rest asks for (13 bytes: 8 + 4 + 1). Each word has a
 * plane of `stride` words; planes follow each other without gaps. The planes
 * of `stride` codes therefore take exactly stride * code_bytes bytes.
 */
typedef struct HxPlanes
{
	const uint8_t *base;		/* first byte of the first plane */
	unsigned	stride;			/* codes a plane has room for */
	unsigned	count;			/* codes in use: the first `count` of each plane */
	unsigned	code_bytes;		/* bytes of one code */
} HxPlanes;

/* Sums over the elements of two vectors, one pass: what cosine needs. */
typedef struct HxDotNorms
{
	double		dot;			/* <a, b> */
	double		norm_a;			/* <a, a> */
	double		norm_b;			/* <b, b> */
} HxDotNorms;

/* Lines of a panel: a block of a matrix, copied so that multiply_tile reads it in order. */
#define HX_TILE 8

/* Columns of a strip: rows of a matrix cut to this width, one after the other. */
#define HX_STRIP 16

/* Columns of a panel of a matrix of whole numbers; see matvec_whole. */
#define HX_PANEL 64

/* A turn of the plane of two rows: (x, y) becomes (c x + s y, c y - s x). */
typedef struct HxTurn
{
	double		c;
	double		s;
} HxTurn;

/*
 * A query cut into signed binary digits, for codes of `bytes` bytes that lie one after the
 * other. Digit b of each bit of a code is in plane b, `stride` bytes after plane b - 1; the
 * masks, laid out alike, say which bits count. stride is a multiple of 64, not less than
 * bytes; what lies beyond a code's bytes is 0 in the masks.
 */
typedef struct HxDigits
{
	const uint8_t *plane;
	const uint8_t *mask;
	unsigned	planes;			/* at most HX_MAX_DIGITS */
	unsigned	bytes;			/* of a code: at most HX_MAX_DIGITS_BYTES */
	unsigned	stride;
} HxDigits;

#define HX_MAX_DIGITS 15
#define HX_MAX_DIGITS_BYTES 8192

/* Codes of a block that scan_block reads, and the groups of four bits that follow as one. */
#define HX_BLOCK 32
#define HX_BLOCK_GROUPS 4

/* What encode_residual sums up over r = other - node and its code x. */
typedef struct HxResidual
{
	float		squares;		/* <r, r> */
	float		product;		/* <x, r> */
	float		cross;			/* <x, node> */
} HxResidual;

typedef struct HxKernels
{
	HxSimdLevel level;

	/* Number of one bits in `bytes` bytes. */
	uint64_t	(*popcount) (const uint8_t *a, size_t bytes);

	/* Hamming distance: number of bits that differ. */
	uint64_t	(*hamming) (const uint8_t *a, const uint8_t *b, size_t bytes);

	/* Number of bits set in both codes; |a or b| = |a| + |b| - |a and b|. */
	uint64_t	(*popcount_and) (const uint8_t *a, const uint8_t *b, size_t bytes);

	/*
	 * The codes of a plane block within `limit` of the query, in order of
	 * position: writes position and distance of each to `position` and
	 * `distance` (room for planes->count entries each, and 16 more: a level may
	 * write up to 16 entries past the last it reports) and returns how
	 * many there are. Distances must fit 16 bits: code_bytes <= 8191.
	 */
	unsigned	(*hamming_select) (const HxPlanes *planes, const uint8_t *query, unsigned limit,
								   uint16_t *position, uint16_t *distance);

	/* <a, b>, sum (a-b)^2, sum |a-b|, in double over n elements. */
	double		(*dot) (const float *a, const float *b, size_t n);
	double		(*l2_squared) (const float *a, const float *b, size_t n);
	double		(*l1) (const float *a, const float *b, size_t n);
	HxDotNorms	(*dot_norms) (const float *a, const float *b, size_t n);

	/* out[i] = x[i] * factor, the same in double, and x[i] - y[i]; out may be x or y. */
	void		(*multiply) (const float *x, float factor, size_t n, float *out);
	void		(*scale) (const float *x, double factor, size_t n, float *out);
	void		(*subtract) (const float *x, const float *y, size_t n, float *out);

	/* The largest |x[i]|, 0 of no numbers: any but a finite one where not all of them are. */
	float		(*largest) (const float *x, size_t n);

	/*
	 * A code of n bits, as hash/hyperplane.h packs them: bit i is 1 where x[i] > limits[i],
	 * or than 0 where limits is NULL.
	 */
	void		(*above) (const float *x, const float *limits, size_t n, uint8_t *code);

	/*
	 * A vector of floats against a stored one, summed in float: sum (q - scale h)^2 and
	 * <q, h> of finite halves h; and, with x = base + step (1 + code / 256), sum (q - x)^2
	 * and sum q (1 + code / 256) of codes of one byte.
	 */
	float		(*l2_halves) (const float *q, const uint8_t *halves, float scale, size_t n);
	float		(*dot_halves) (const float *q, const uint8_t *halves, size_t n);
	float		(*l2_bytes) (const float *q, const uint8_t *codes, float base, float step,
							 size_t n);
	float		(*dot_bytes) (const float *q, const uint8_t *codes, size_t n);

	/*
	 * The code of r = other - node, n a multiple of 8. A sign is 1 where r > 0, and x = +-1.
	 * With `seconds` (else NULL) x is the sign and half a step more or less: a second bit is
	 * 1 for more, so that |x| = 1.5 where |r| > limit, and 0.5 elsewhere. Bit i is bit i % 8
	 * of byte i / 8.
	 */
	HxResidual	(*encode_residual) (const float *node, const float *other, size_t n, float limit,
									uint8_t *signs, uint8_t *seconds);

	/*
	 * out[i] = sum over planes b of 2^b times the number of bits in which code i differs from
	 * plane b, of those in mask b.
	 */
	void		(*digit_counts) (const HxDigits *query, const uint8_t *codes, size_t count,
								 uint32_t *out);

	/*
	 * Sums of table entries for 32 codes of groups of four bits. Group g has 16 bytes of the
	 * block - byte j the groups of code j (low) and of code j + 16 (high) - and a table of
	 * 16 bytes. groups is a multiple of HX_BLOCK_GROUPS. out[i] = sum over g of table[g][group
	 * g of code i].
	 */
	void		(*scan_block) (const uint8_t *block, const uint8_t *table, size_t groups,
							   uint32_t *out);

	/* IEEE half precision to single, exact. */
	void		(*f16_to_f32) (const uint16_t *in, float *out, size_t n);

	/*
	 * In-place Walsh-Hadamard transform, unnormalised, of n = 2^k floats (n >= 1). Before,
	 * x[j] changes its sign where bit j mod 64 of signs[j / 64] is set; NULL: none does.
	 */
	void		(*hadamard) (float *x, size_t n, const uint64_t *signs);

	/*
	 * A vector against the m columns of a matrix of n rows: the m numbers of row 0,
	 * then those of row 1. In float, each column summed up row after row; out
	 * overlaps nothing.
	 *
	 * matvec: out[j] = bias[j] + w[0][j] * x[0] + w[1][j] * x[1] ...; bias NULL: 0.
	 * column_distances: out[j] = (w[0][j] - x[0])^2 + (w[1][j] - x[1])^2 ...
	 */
	void		(*matvec) (const float *w, size_t n, size_t m, const float *x,
						   const float *bias, float *out);
	void		(*column_distances) (const float *w, size_t n, size_t m, const float *x,
									 float *out);

	/*
	 * Whole numbers against the columns of a matrix: out[j] = sum of w[i][j] * x[i], with no
	 * sum beyond 32 bits on the way. Rows come in pairs, the last filled up with zeros as x
	 * is, columns in panels of HX_PANEL: column j of pair p has its two numbers at
	 * 2 * ((j / HX_PANEL * pairs + p) * HX_PANEL + j % HX_PANEL). NULL where the level
	 * multiplies floats as fast.
	 */
	void		(*matvec_whole) (const int16_t *w, size_t pairs, size_t panels, const int16_t *x,
								 int32_t *out);

	/*
	 * out[i] = x[i] * scale as the nearest whole number, |x[i] * scale| < 2^15. Returns the
	 * sum of the squares of what rounding changed, in float; its order is frozen.
	 */
	float		(*round_whole) (const float *x, size_t n, float scale, int16_t *out);

	/* out[i] = e^x[i], as hx_exp() of src/math gives it, where |x[i]| < 708; out is not x. */
	void		(*exponentials) (const double *x, size_t n, double *out);

	/* <a, b> of doubles, in the order of dot. */
	double		(*dot_doubles) (const double *a, const double *b, size_t n);

	/*
	 * C += A B for a tile: C has HX_TILE rows `stride` apart and HX_TILE columns;
	 * a[k * HX_TILE + i] is element (i, k) of A, b[k * HX_TILE + j] element (k, j)
	 * of B. Each element of C takes in its `depth` products in order of k.
	 */
	void		(*multiply_tile) (double *c, size_t stride, const double *a, const double *b,
								  size_t depth);

	/* Turns rows 0 and 1 of a strip, then rows 1 and 2, ... `count` pairs of rows. */
	void		(*rotate_strip) (double *strip, const HxTurn *turns, size_t count);
} HxKernels;

/* The table in use. Points to the generic level until hx_kernel_init(). */
extern const HxKernels *hx_kernels;

/* Chooses the best level this CPU has. Call once, before any thread exists. */
extern void hx_kernel_init(void);

/*
 * Makes hx_kernels point to the given level (HX_SIMD_AUTO: the best). Returns
 * false, changing nothing, when the CPU or the build lacks it.
 */
extern bool hx_kernel_use(HxSimdLevel level);

/* The table of one level, or NULL when the CPU or the build lacks it. */
extern const HxKernels *hx_kernel_level(HxSimdLevel level);

/* "generic", "x86-64-v2", "avx2", "avx512", "neon"; "auto" for HX_SIMD_AUTO. */
extern const char *hx_kernel_level_name(HxSimdLevel level);

/* Bytes of the plane word that byte `at` of a code of `code_bytes` bytes begins. */
extern unsigned hx_planes_word_bytes(unsigned at, unsigned code_bytes);

/*
 * Writes code number `position` of a block, and reads it back: between the
 * row-major form of a code and the planes. Not for hot loops.
 */
extern void hx_planes_put(uint8_t *base, unsigned stride, unsigned code_bytes,
						  unsigned position, const uint8_t *code);
extern void hx_planes_get(const uint8_t *base, unsigned stride, unsigned code_bytes,
						  unsigned position, uint8_t *code);

#endif							/* HX_KERNEL_H */

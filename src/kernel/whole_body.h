/*
 * whole_body.h
 *	  Whole numbers of 16 bits: floats made such, and a vector of them against the
 *	  columns of a matrix. One source for all levels.
 *
 * Included by each level file after float_body.h, with
 *		HX_MULTIPLY_PAIRS(a, b)		HxInts: of each two neighbouring numbers of 16 bits of
 *									two registers, the sum of their products
 * defined, where the level has that. Whole numbers add up to the same in any order.
 */

typedef int16_t HxShorts __attribute__((vector_size(HX_FLOATS * 2)));

#define HX_ROUND_SUMS 16
#define HX_ROUND_PARTS (HX_ROUND_SUMS / HX_FLOATS)

/*
 * A float that is less than 2^22 loses its fraction when it is added to this one, and
 * stands in the low bits of the sum, negative ones as two's complement.
 */
#define HX_ROUNDER 0x1.8p23f

/* 16 numbers; what rounding changed is squared and added to the sums. */
HX_INLINE void
round_sixteen(const float *x, float scale, int16_t *out, HxFloats *squares)
{
	HX_UNROLL(4)
	for (int p = 0; p < HX_ROUND_PARTS; p++)
	{
		const HxFloats exact = load_floats(x + p * HX_FLOATS) * scale;
		const HxFloats rounded = exact + HX_ROUNDER;
		const HxFloats change = exact - (rounded - HX_ROUNDER);
		const HxShorts whole = __builtin_convertvector((HxInts) rounded, HxShorts);

		memcpy(out + p * HX_FLOATS, &whole, sizeof(whole));
		squares[p] += change * change;
	}
}

static float
round_whole(const float *x, size_t n, float scale, int16_t *out)
{
	HxFloats	squares[HX_ROUND_PARTS] = {{0}};
	float		sum[HX_ROUND_SUMS];

	for (; n >= HX_ROUND_SUMS; n -= HX_ROUND_SUMS, x += HX_ROUND_SUMS, out += HX_ROUND_SUMS)
		round_sixteen(x, scale, out, squares);
	if (n > 0)
	{
		float		rest[HX_ROUND_SUMS] = {0};
		int16_t		rounded[HX_ROUND_SUMS];

		memcpy(rest, x, n * sizeof(float));
		round_sixteen(rest, scale, rounded, squares);
		memcpy(out, rounded, n * sizeof(int16_t));
	}

	memcpy(sum, squares, sizeof(sum));
	for (int half = HX_ROUND_SUMS / 2; half > 0; half /= 2)
		for (int j = 0; j < half; j++)
			sum[j] += sum[j + half];
	return sum[0];
}

#ifdef HX_MULTIPLY_PAIRS

/* Registers of sums at a time; narrow levels take a panel in two halves. */
#define HX_WHOLE_REGISTERS (HX_FLOATS == 16 ? 4 : 8)

HX_INLINE void
sum_whole(const int16_t *w, size_t pairs, const int16_t *x, int32_t *out)
{
	HxInts		sum[HX_WHOLE_REGISTERS] = {{0}};

	for (size_t p = 0; p < pairs; p++, w += 2 * HX_PANEL, x += 2)
	{
		int32_t		pair;

		memcpy(&pair, x, sizeof(pair));
		HX_UNROLL(8)
		for (int r = 0; r < HX_WHOLE_REGISTERS; r++)
		{
			HxInts		row;

			memcpy(&row, w + 2 * r * HX_FLOATS, sizeof(row));
			sum[r] += HX_MULTIPLY_PAIRS(row, (HxInts) {0} + pair);
		}
	}
	memcpy(out, sum, sizeof(sum));
}

static void
matvec_whole(const int16_t *w, size_t pairs, size_t panels, const int16_t *x, int32_t *out)
{
	const size_t columns = HX_WHOLE_REGISTERS * HX_FLOATS;

	for (size_t panel = 0; panel < panels; panel++)
		for (size_t j = 0; j < HX_PANEL; j += columns)
			sum_whole(w + 2 * (panel * pairs * HX_PANEL + j), pairs, x, out + panel * HX_PANEL + j);
}

#define HX_MATVEC_WHOLE matvec_whole

#else
#define HX_MATVEC_WHOLE NULL
#endif

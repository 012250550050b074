/*
 * decimal.c
 *	  Reading decimal numbers as strtof() does, in a third of its time or less.
 *
 * A number of at most 19 digits is w / 10^k or w * 10^k with whole w. Where both w and the power
 * are exact as doubles, one multiplication or division gives the double that is nearest to the
 * number (Clinger, How to Read Floating Point Numbers Accurately, 1990, section 3). That double
 * rounds to the float that is nearest to the number, unless it lies halfway between two floats: it
 * may have got there by rounding.
 */
#include "math/decimal.h"

#include <float.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MOST_DIGITS 19
#define EXACT_WHOLE (UINT64_C(1) << 53)
#define EXACT_POWER 22

static const double power_of_ten[EXACT_POWER + 1] = {
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads digits on, modulo 2^64. */
static inline const char *
read_digits(const char *at, uint64_t *number)
{
	for (; is_digit(*at); at++)
		*number = *number * 10 + (uint64_t) (*at - '0');
	return at;
}

/* Reads "e-5" and the like, if it is there; NULL: it is something else that begins with an e. */
static const char *
read_exponent(const char *at, int *exponent)
{
	if ((*at | 0x20) != 'e')
		return at;

	const bool	negative = at[1] == '-';
	const char *first = at + 1 + (negative || at[1] == '+');
	uint64_t	number = 0;

	at = read_digits(first, &number);
	if (at == first || at - first > 3)
		return NULL;
	*exponent += negative ? -(int) number : (int) number;
	return at;
}

/* Whether all numbers whose nearest double this positive one is round to the same float. */
static inline bool
rounds_like_all(double value)
{
	uint64_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	return value >= FLT_MIN && value < FLT_MAX &&
		(bits & UINT64_C(0x1fffffff)) != UINT64_C(0x10000000);
}

float
hx_read_decimal(const char *text, const char **end)
{
	const bool	negative = *text == '-';
	const char *first = text + (negative || *text == '+');
	uint64_t	whole = 0;
	int			exponent = 0;
	const char *at = read_digits(first, &whole);
	ptrdiff_t	digits = at - first;

	if (*at == '.')
	{
		const char *point = at;

		at = read_digits(point + 1, &whole);
		exponent = -(int) (at - point - 1);
		digits -= exponent;
	}
	if (digits >= 1 && digits <= MOST_DIGITS && whole <= EXACT_WHOLE && (*at | 0x20) != 'x' &&
		(at = read_exponent(at, &exponent)) != NULL &&
		exponent >= -EXACT_POWER && exponent <= EXACT_POWER)
	{
		const double value = exponent < 0 ? (double) whole / power_of_ten[-exponent] :
			(double) whole * power_of_ten[exponent];

		if (whole == 0 || rounds_like_all(value))
		{
			*end = at;
			return (float) (negative ? -value : value);
		}
	}

	char	   *slow_end;
	const float value = strtof(text, &slow_end);

	*end = slow_end;
	return value;
}

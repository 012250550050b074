/*
 * test_decimal.c
 *	  Numbers read from text: the same bits and the same end as strtof(), for numbers as
 *	  people and programs write them, for those near the middle between two floats, at the
 *	  ends of the range, and for texts that are no numbers.
 */
#include "unit.h"

#include <float.h>
#include <math.h>

#include "math/decimal.h"

static void
check_text(const char *text)
{
	char	   *wanted_end;
	const char *end = NULL;
	float		wanted = strtof(text, &wanted_end);
	float		got = hx_read_decimal(text, &end);

	CHECK(end == wanted_end, "\"%s\" ends at %td, not %td", text, end - text, wanted_end - text);
	CHECK(memcmp(&got, &wanted, sizeof(got)) == 0 || (isnan(got) && isnan(wanted)),
		  "\"%s\" is %a, not %a", text, (double) got, (double) wanted);
}

static void
test_written_numbers(void)
{
	static const char *const forms[] = {"%.0f", "%.1f", "%.4f", "%.6f", "%.9f", "%.12f", "%.17f",
	"%g", "%.9g", "%.17g", "%.6e", "%.9e", "%+.3f", "%.25g"};
	char		text[400];

	for (int i = 0; i < 400000; i++)
		for (size_t form = 0; form < sizeof(forms) / sizeof(*forms); form++)
		{
			snprintf(text, sizeof(text), forms[form],
					 unit_uniform() * pow(10, (int) unit_below(12) - 5));
			if (i % 4 == (int) form % 4)
				check_text(text);
		}
}

/* Any bits as a float, printed so that it can be read back; denormal and huge ones among them. */
static void
test_every_exponent(void)
{
	char		text[400];

	for (int i = 0; i < 1000000; i++)
	{
		uint32_t	bits = (uint32_t) unit_random();
		float		value;

		memcpy(&value, &bits, sizeof(value));
		snprintf(text, sizeof(text), i % 2 == 0 ? "%.9g" : "%.8e", (double) value);
		check_text(text);
	}
}

/* Exactly halfway between two floats, and so near to it that a double cannot tell. */
static void
test_halfway(void)
{
	char		text[400];

	for (int i = 0; i < 200000; i++)
	{
		double		low = (double) (float) (unit_uniform() * pow(2, (int) unit_below(40) - 20));
		double		next = (double) nextafterf((float) low, INFINITY);
		double		middle = low + (next - low) / 2;

		for (int digits = 7; digits <= 19; digits++)
		{
			snprintf(text, sizeof(text), "%.*g", digits, middle);
			check_text(text);
		}
		snprintf(text, sizeof(text), "%.60f", middle);
		check_text(text);
	}
	check_text("16777217");
	check_text("16777217.0000000001");
	check_text("16777216.9999999999");
	check_text("33554434");
	check_text("33554437.99999999");
	check_text("9007199254740993");
	check_text("9007199791611904");
}

static void
test_other_texts(void)
{
	static const char *const texts[] = {"", "+", "-", ".", "-.", "e5", ".e5", "1e", "1e+", "1e-x",
		"1.", ".5", "-.5e1", "1.e2", "1..2", "1.5.5", "0x10", "0x1p-3", "-0X.8p1", "0x", "inf",
		"-Infinity", "nan", "NaN(12)", "1,5", "0", "-0", "0.0", "-0e5", "0e999", "0e99999999999",
		"1e999", "-1e999", "1e-999", "3.4028234e38", "3.4028235e38", "3.4028236e38", "3.5e38",
		"1.17549435e-38", "1.17549428e-38", "1e-45", "1e-46", "7e-46", "1e22", "1e23", "1e-22",
		"1e-23", "12345678901234567890", "1234567890123456789", "0000000000000000000000001",
		"0.00000000000000000000001", "99999999999999999999e-20", "1e0000001", "1E5", "1E+05",
	"1e-0005", " 1", "\t-2.5", "1 ", "+-1", "--1", "1e5e5", "5]", "5}"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		check_text(texts[i]);
}

/* Short texts of the characters that numbers are made of. */
static void
test_all_sorts(void)
{
	static const char letters[] = "0123456789012345.eE+-x,. ";

	for (int i = 0; i < 2000000; i++)
	{
		char		text[32];
		unsigned	length = 1 + unit_below(24);

		for (unsigned j = 0; j < length; j++)
			text[j] = letters[unit_below(sizeof(letters) - 1)];
		text[length] = '\0';
		check_text(text);
	}
}

int
main(void)
{
	RUN(test_written_numbers);
	RUN(test_every_exponent);
	RUN(test_halfway);
	RUN(test_other_texts);
	RUN(test_all_sorts);
	return unit_summary();
}

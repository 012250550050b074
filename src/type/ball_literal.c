/*
 * ball_literal.c
 *	  Balls whose radius is a double: its text, and what it may be.
 */
#include "hashidx.h"

#include <math.h>

#include "libpq/pqformat.h"
#include "utils/float.h"

#include "type/ball_literal.h"

double
hx_ball_radius(double radius)
{
	/* Adding 0 makes 0 of -0. */
	return radius >= 0 ? radius + 0.0 : HX_EMPTY_BALL;
}

char *
hx_ball_split(const char *text, double *radius)
{
	const char *comma = strrchr(text, ',');
	char	   *end;

	if (text[0] != '<' || comma == NULL)
		return NULL;

	errno = 0;
	*radius = hx_ball_radius(strtod(comma + 1, &end));
	if (end == comma + 1 || errno != 0 || strcmp(end, ">") != 0)
		return NULL;
	return pnstrdup(text + 1, comma - text - 1);
}

char *
hx_ball_join(const char *centre, double radius)
{
	return psprintf("<%s,%s>", centre, float8out_internal(radius));
}

double
hx_ball_receive_radius(StringInfo message, const char *type)
{
	if (message->len - message->cursor < (int) sizeof(float8))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type %s", type),
				 errdetail("The radius is missing.")));
	return hx_ball_radius(pq_getmsgfloat8(message));
}

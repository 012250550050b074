/*
 * ball_literal.h
 *	  Balls whose radius is a double: its text, and what it may be.
 */
#ifndef HX_BALL_LITERAL_H
#define HX_BALL_LITERAL_H

#include "hashidx.h"

#include "lib/stringinfo.h"

/* The radius of a ball that contains nothing. */
#define HX_EMPTY_BALL (-1.0)

/* The radius as it is stored: all that contain nothing, NaN among them, are HX_EMPTY_BALL. */
extern double hx_ball_radius(double radius);

/*
 * Takes <centre,radius> apart: a palloc'd copy of the centre's text, NULL when the text
 * is not of that form.
 */
extern char *hx_ball_split(const char *text, double *radius);

/* Writes <centre,radius>. */
extern char *hx_ball_join(const char *centre, double radius);

/* The radius at the begin of a binary form, as hx_ball_radius() makes it; `type` is for errors. */
extern double hx_ball_receive_radius(StringInfo message, const char *type);

#endif							/* HX_BALL_LITERAL_H */

/*
 * literal.h
 *	  Literals of users in error messages.
 */
#ifndef HX_LITERAL_H
#define HX_LITERAL_H

#include "hashidx.h"

/* A palloc'd copy for a message: when long, cut at a whole character and marked with "...". */
extern char *hx_literal_cut(const char *text, Size length);

#endif							/* HX_LITERAL_H */

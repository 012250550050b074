/*
 * literal.c
 *	  Literals of users in error messages: a code or a vector may be a
 *	  megabyte of text, of which a message shows the beginning.
 */
#include "hashidx.h"

#include "mb/pg_wchar.h"

#include "type/literal.h"

#define LITERAL_SHOWN 60		/* bytes of a literal that a message shows */

char *
hx_literal_cut(const char *text, Size length)
{
	if (length <= LITERAL_SHOWN)
		return pnstrdup(text, length);

	int			shown = pg_mbcliplen(text, (int) length, LITERAL_SHOWN);

	return psprintf("%.*s...", shown, text);
}

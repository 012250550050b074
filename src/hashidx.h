/*
 * hashidx.h
 *	  What every file of the server-side layers includes first.
 *
 * It brings in postgres.h and compat.h and declares how a C function is
 * offered to SQL. The module is built with hidden visibility, so that a second
 * extension in the same backend can neither see nor replace our symbols; only
 * what HX_FUNCTION declares is exported (and _PG_init and the magic block).
 */
#ifndef HX_HASHIDX_H
#define HX_HASHIDX_H

#include "postgres.h"

#include "fmgr.h"

#include "compat.h"

/* Declares the C function f as callable from SQL and exports it. */
#define HX_FUNCTION(f) \
	PGDLLEXPORT Datum f(PG_FUNCTION_ARGS); \
	PG_FUNCTION_INFO_V1(f)

#endif							/* HX_HASHIDX_H */

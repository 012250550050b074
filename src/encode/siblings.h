/*
 * siblings.h
 *	  Finding objects of the extension: in the schema of the function that was
 *	  called, never through search_path.
 */
#ifndef HX_ENCODE_SIBLINGS_H
#define HX_ENCODE_SIBLINGS_H

#include "hashidx.h"

/* The extension's type of that name. */
extern Oid	hx_sibling_type(FunctionCallInfo fcinfo, const char *name);

/* The extension's table of that name, qualified and quoted for a query. */
extern char *hx_sibling_table(FunctionCallInfo fcinfo, const char *name);

#endif							/* HX_ENCODE_SIBLINGS_H */

/*
 * options.h
 *	  Reading the options of a function, an object of JSON, into variables.
 */
#ifndef HX_ENCODE_OPTIONS_H
#define HX_ENCODE_OPTIONS_H

#include "hashidx.h"

#include "utils/jsonb.h"

typedef enum OptionSort
{
	OPTION_NUMBER,				/* double, from least to most */
	OPTION_WHOLE,				/* double, whole, from least to most */
	OPTION_BOOLEAN,				/* double, 0 or 1 */
	OPTION_BIGINT,				/* int64 */
	OPTION_NAME,				/* char *, palloc'd */
} OptionSort;

/* An option that may be given, and where its value goes; without it, what is there stays. */
typedef struct Option
{
	const char *name;
	OptionSort	sort;
	void	   *value;			/* of the type that the sort says */
	double		least;
	double		most;
} Option;

/*
 * ERRCODE_INVALID_PARAMETER_VALUE when `json` is no object, has a key that is none of
 * the options, or a value that its option does not take.
 */
extern void hx_options_read(Jsonb *json, const Option *options, int count);

#endif							/* HX_ENCODE_OPTIONS_H */

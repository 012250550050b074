/*
 * json.h
 *	  Looking into a jsonb that a user wrote: values by key, lists, names, numbers.
 */
#ifndef HX_ENCODE_JSON_H
#define HX_ENCODE_JSON_H

#include "hashidx.h"

#include "utils/jsonb.h"

/* The value of a key, or NULL. */
extern JsonbValue *hx_json_find(JsonbContainer *object, const char *key);

/* The list or the object that a value is; NULL when it is something else, or NULL itself. */
extern JsonbContainer *hx_json_list(const JsonbValue *value);
extern JsonbContainer *hx_json_object(const JsonbValue *value);

/* Steps through a list: false at its end. Lists and objects in it come as jbvBinary. */
extern bool hx_json_next_element(JsonbIterator **iterator, JsonbValue *element);

/* Steps through the keys of an object: false at its end. */
extern bool hx_json_next_key(JsonbIterator **iterator, JsonbValue *key);

/* Is the string, of type jbvString, the name? */
extern bool hx_json_is(const JsonbValue *string, const char *name);

/* The string, palloc'd: all of it, or cut for a message. */
extern char *hx_json_copy(const JsonbValue *string);
extern char *hx_json_shown(const JsonbValue *string);

/* The nearest float of a jbvNumeric; infinite when it is beyond the range of floats. */
extern float hx_json_float(const JsonbValue *number);

/*
 * The whole number that a value is, which may be NULL;
 * ERRCODE_INVALID_PARAMETER_VALUE with `what` and the limits when it is none, or
 * beyond them. Floats hold the limits exactly: they are 2^24 at most.
 */
extern int	hx_json_whole(const JsonbValue *value, const char *what, int least, int most);

#endif							/* HX_ENCODE_JSON_H */

/*
 * elements.c
 *	  Arrays as sets of hashes: what MinHash sees of them.
 */
#include "hashidx.h"

#include "catalog/pg_type_d.h"
#include "utils/builtins.h"

#include "hash/minhash.h"
#include "type/elements.h"

void
hx_elements_check_type(Oid type)
{
	if (type != INT4OID && type != INT8OID && type != TEXTOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("elements of type %s cannot be hashed", format_type_be(type)),
				 errdetail("Elements are integer, bigint or text.")));
}

uint64
hx_element_hash(Datum element, Oid type)
{
	switch (type)
	{
		case INT4OID:
			return hx_element_hash_integer(DatumGetInt32(element));
		case INT8OID:
			return hx_element_hash_integer(DatumGetInt64(element));
		default:
			{
				const text *string = DatumGetTextPP(element);

				return hx_element_hash_bytes(VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
			}
	}
}

/* Elements of an int4 or int8 array lie without gaps. */
static void
hash_integers(ArrayType *array, Size count, uint64 *hashes)
{
	const int32 *narrow = (const int32 *) ARR_DATA_PTR(array);
	const int64 *wide = (const int64 *) ARR_DATA_PTR(array);

	for (Size i = 0; i < count; i++)
		hashes[i] = hx_element_hash_integer(ARR_ELEMTYPE(array) == INT8OID ? wide[i] : narrow[i]);
}

uint64 *
hx_elements_hash(ArrayType *array, Size *count)
{
	const Oid	type = ARR_ELEMTYPE(array);

	hx_elements_check_type(type);
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("array must not contain nulls")));

	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	uint64	   *hashes = palloc_array(uint64, *count);

	if (type != TEXTOID)
	{
		hash_integers(array, *count, hashes);
		return hashes;
	}

	Datum	   *elements;
	int			elements_count;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &elements_count);
	for (int i = 0; i < elements_count; i++)
		hashes[i] = hx_element_hash(elements[i], TEXTOID);
	pfree(elements);
	return hashes;
}

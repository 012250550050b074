/*
 * validate.c
 *	  amvalidate for our access methods, driven by a table of the operators that
 *	  an operator class must have.
 */
#include "am/common/am.h"

#include "access/amvalidate.h"
#include "access/htup_details.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

/* An operator class under validation. */
typedef struct Validation
{
	char	   *opclass;
	Oid			family;
	Oid			input_type;
	const HxAmOperator *operators;
	int			operator_count;
	uint32		seen;			/* bit i: operators[i] is there */
	bool		valid;
} Validation;

/* Notes a problem: a printf format for the message and its arguments after the class name. */
#define complain(v, ...) \
	do { \
		(v)->valid = false; \
		ereport(INFO, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION), errmsg(__VA_ARGS__))); \
	} while (0)

/* Is it the type of this name that came with the input type? */
static bool
is_sibling_type(Oid type, Oid input_type, const char *name)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	HeapTuple	input = SearchSysCache1(TYPEOID, ObjectIdGetDatum(input_type));
	bool		is_sibling = HeapTupleIsValid(tuple) && HeapTupleIsValid(input) &&
		strcmp(NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname), name) == 0 &&
		((Form_pg_type) GETSTRUCT(tuple))->typnamespace ==
		((Form_pg_type) GETSTRUCT(input))->typnamespace;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	if (HeapTupleIsValid(input))
		ReleaseSysCache(input);
	return is_sibling;
}

/* One operator of the family. */
static void
validate_operator(Validation *v, Form_pg_amop amop)
{
	char	   *name = format_operator(amop->amopopr);
	int			i = 0;

	while (i < v->operator_count && v->operators[i].strategy != amop->amopstrategy)
		i++;
	if (i == v->operator_count)
	{
		complain(v, "operator class \"%s\" has operator %s with invalid strategy number %d",
				 v->opclass, name, amop->amopstrategy);
		return;
	}

	const HxAmOperator *expected = &v->operators[i];

	if (expected->orders != (amop->amoppurpose == AMOP_ORDER))
		complain(v, "operator class \"%s\" uses operator %s for the wrong purpose", v->opclass, name);
	if (expected->orders && !opfamily_can_sort_type(amop->amopsortfamily, FLOAT8OID))
		complain(v, "operator class \"%s\" has an ORDER BY operator %s that does not sort by float8",
				 v->opclass, name);
	if (!check_amop_signature(amop->amopopr, expected->orders ? FLOAT8OID : BOOLOID,
							  v->input_type, amop->amoprighttype) ||
		(expected->right_type == NULL ? amop->amoprighttype != v->input_type :
		 !is_sibling_type(amop->amoprighttype, v->input_type, expected->right_type)))
		complain(v, "operator class \"%s\" has operator %s with wrong operand or result types",
				 v->opclass, name);
	v->seen |= 1u << i;
}

bool
hx_am_validate(Oid opclass, const HxAmOperator *operators, int count)
{
	HeapTuple	tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclass));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator class %u", opclass);

	Form_pg_opclass form = (Form_pg_opclass) GETSTRUCT(tuple);
	Validation	v = {
		.opclass = pstrdup(NameStr(form->opcname)),
		.family = form->opcfamily,
		.input_type = form->opcintype,
		.operators = operators,
		.operator_count = count,
		.valid = true,
	};

	if (OidIsValid(form->opckeytype) && form->opckeytype != form->opcintype)
		complain(&v, "operator class \"%s\" stores another type than it indexes", v.opclass);
	ReleaseSysCache(tuple);

	CatCList   *amops = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(v.family));
	CatCList   *procs = SearchSysCacheList1(AMPROCNUM, ObjectIdGetDatum(v.family));

	for (int i = 0; i < amops->n_members; i++)
	{
		Form_pg_amop amop = (Form_pg_amop) GETSTRUCT(&amops->members[i]->tuple);

		if (amop->amoplefttype == v.input_type)
			validate_operator(&v, amop);
	}
	if (procs->n_members > 0)
		complain(&v, "operator class \"%s\" has support functions, of which its access method knows none",
				 v.opclass);
	for (int i = 0; i < count; i++)
	{
		if (!(v.seen & (1u << i)))
			complain(&v, "operator class \"%s\" lacks an operator for strategy %d",
					 v.opclass, operators[i].strategy);
	}
	ReleaseCatCacheList(procs);
	ReleaseCatCacheList(amops);
	return v.valid;
}

/*
 * validate.c
 *	  amvalidate for our access methods, driven by a table of the operators that
 *	  an operator class must have. Support functions, where an access method has
 *	  some, are all of one kind: f(internal) returns integer.
 */
#include "am/common/am.h"

#include "access/amvalidate.h"
#include "access/htup_details.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_operator.h"
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

/* Is it the type of this name that came with the operator? */
static bool
is_sibling_type(Oid type, Oid operator, const char *name)
{
	HeapTuple	type_tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	HeapTuple	operator_tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	bool		is_sibling = HeapTupleIsValid(type_tuple) && HeapTupleIsValid(operator_tuple) &&
		strcmp(NameStr(((Form_pg_type) GETSTRUCT(type_tuple))->typname), name) == 0 &&
		((Form_pg_type) GETSTRUCT(type_tuple))->typnamespace ==
		((Form_pg_operator) GETSTRUCT(operator_tuple))->oprnamespace;

	if (HeapTupleIsValid(type_tuple))
		ReleaseSysCache(type_tuple);
	if (HeapTupleIsValid(operator_tuple))
		ReleaseSysCache(operator_tuple);
	return is_sibling;
}

/* Is the operator one of the class? A class for all arrays has operators on some of their types. */
static bool
takes_input(const Validation *v, Form_pg_amop amop)
{
	return amop->amoplefttype == v->input_type ||
		(v->input_type == ANYARRAYOID && OidIsValid(get_element_type(amop->amoplefttype)));
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
							  amop->amoplefttype, amop->amoprighttype) ||
		(expected->right_type == NULL ? amop->amoprighttype != amop->amoplefttype :
		 !is_sibling_type(amop->amoprighttype, amop->amopopr, expected->right_type)))
		complain(v, "operator class \"%s\" has operator %s with wrong operand or result types",
				 v->opclass, name);
	v->seen |= 1u << i;
}

/* One support function of the family; returns its number. */
static int
validate_support(Validation *v, Form_pg_amproc proc, int supports)
{
	if (proc->amprocnum < 1 || proc->amprocnum > supports)
		complain(v, "operator class \"%s\" has support function %s with invalid number %d",
				 v->opclass, format_procedure(proc->amproc), proc->amprocnum);
	else if (!check_amproc_signature(proc->amproc, INT4OID, true, 1, 1, INTERNALOID))
		complain(v, "operator class \"%s\" has support function %s with wrong signature",
				 v->opclass, format_procedure(proc->amproc));
	return proc->amprocnum;
}

/* All support functions of the family: each of 1 .. supports, and no other. */
static void
validate_supports(Validation *v, CatCList *procs, int supports)
{
	uint32		seen = 0;

	for (int i = 0; i < procs->n_members; i++)
	{
		Form_pg_amproc proc = (Form_pg_amproc) GETSTRUCT(&procs->members[i]->tuple);

		if (proc->amproclefttype == v->input_type)
			seen |= 1u << (validate_support(v, proc, supports) & 31);
	}
	for (int i = 1; i <= supports; i++)
	{
		if (!(seen & (1u << i)))
			complain(v, "operator class \"%s\" lacks support function %d", v->opclass, i);
	}
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

	int			supports = GetIndexAmRoutineByAmId(form->opcmethod, false)->amsupport;

	if (OidIsValid(form->opckeytype) && form->opckeytype != form->opcintype)
		complain(&v, "operator class \"%s\" stores another type than it indexes", v.opclass);
	ReleaseSysCache(tuple);

	CatCList   *amops = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(v.family));
	CatCList   *procs = SearchSysCacheList1(AMPROCNUM, ObjectIdGetDatum(v.family));

	for (int i = 0; i < amops->n_members; i++)
	{
		Form_pg_amop amop = (Form_pg_amop) GETSTRUCT(&amops->members[i]->tuple);

		if (takes_input(&v, amop))
			validate_operator(&v, amop);
	}
	validate_supports(&v, procs, supports);
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

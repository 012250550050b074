/*
 * rights.c
 *	  Who may have what is in an index without a query of the server's, and as whom the functions
 *	  of its expressions run.
 */
#include "am/common/am.h"

#include "miscadmin.h"
#include "storage/predicate.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

void
hx_am_check_usable(Relation index)
{
	if (!index->rd_index->indisvalid)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("index \"%s\" is not valid", RelationGetRelationName(index)),
				 errhint("Rebuild it with REINDEX INDEX.")));
	if (RELATION_IS_OTHER_TEMP(index))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot read a temporary index of another session")));
}

void
hx_am_check_selectable(Relation heap)
{
	AclResult	allowed = pg_class_aclcheck(RelationGetRelid(heap), GetUserId(), ACL_SELECT);

	if (allowed != ACLCHECK_OK)
		aclcheck_error(allowed, OBJECT_TABLE, RelationGetRelationName(heap));
}

void
hx_am_check_readable(Relation heap, Relation index)
{
	hx_am_check_selectable(heap);
	if (check_enable_rls(RelationGetRelid(heap), InvalidOid, false) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot list rows of table \"%s\" by its index",
						RelationGetRelationName(heap)),
				 errdetail("Its row-level security would be circumvented.")));
	hx_am_check_usable(index);
}

void
hx_am_lock_predicate(Relation index)
{
	PredicateLockRelation(index, GetActiveSnapshot());
}

HxCaller
hx_am_become_owner(Relation heap)
{
	HxCaller	caller;

	GetUserIdAndSecContext(&caller.user, &caller.security);
	SetUserIdAndSecContext(heap->rd_rel->relowner,
						   caller.security | SECURITY_RESTRICTED_OPERATION);
	caller.settings = NewGUCNestLevel();
	RestrictSearchPath();
	return caller;
}

void
hx_am_become_caller(HxCaller caller)
{
	AtEOXact_GUC(false, caller.settings);
	SetUserIdAndSecContext(caller.user, caller.security);
}

/*
 * readable.c
 *	  Who may have what is in an index without a query of the server's.
 */
#include "am/common/am.h"

#include "miscadmin.h"
#include "storage/predicate.h"
#include "utils/acl.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

void
hx_am_check_valid(Relation index)
{
	if (!index->rd_index->indisvalid)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("index \"%s\" is not valid", RelationGetRelationName(index)),
				 errhint("Rebuild it with REINDEX INDEX.")));
}

void
hx_am_check_readable(Relation heap, Relation index)
{
	AclResult	allowed = pg_class_aclcheck(RelationGetRelid(heap), GetUserId(), ACL_SELECT);

	if (allowed != ACLCHECK_OK)
		aclcheck_error(allowed, OBJECT_TABLE, RelationGetRelationName(heap));
	if (check_enable_rls(RelationGetRelid(heap), InvalidOid, false) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot list rows of table \"%s\" by its index",
						RelationGetRelationName(heap)),
				 errdetail("Its row-level security would be circumvented.")));
	hx_am_check_valid(index);
	if (RELATION_IS_OTHER_TEMP(index))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot read a temporary index of another session")));
}

void
hx_am_lock_predicate(Relation index)
{
	PredicateLockRelation(index, GetActiveSnapshot());
}

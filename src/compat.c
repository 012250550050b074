/*
 * compat.c
 *	  The parts of compat.h that are too long for a macro.
 */
#include "hashidx.h"

#if PG_VERSION_NUM < 160000

#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/rel.h"

/* One zero page more, exclusively locked; concurrent extensions take turns. */
Buffer
hx_compat_extend(Relation relation, ForkNumber fork)
{
	bool		shared = !RELATION_IS_LOCAL(relation);
	Buffer		buf;

	if (shared)
		LockRelationForExtension(relation, ExclusiveLock);
	buf = ReadBufferExtended(relation, fork, P_NEW, RBM_ZERO_AND_LOCK, NULL);
	if (shared)
		UnlockRelationForExtension(relation, ExclusiveLock);
	return buf;
}

#endif

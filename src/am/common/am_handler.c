/*
 * am_handler.c
 *	  The routine that the server gets from each of our access methods, and the
 *	  register of their tools.
 */
#include "am/common/am.h"

#include "access/reloptions.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "nodes/nodes.h"
#include "utils/memutils.h"

/* No options yet: an unknown one is an error, as for every access method. */
static bytea *
no_options(Datum reloptions, bool validate)
{
	static relopt_kind kind = 0;

	if (kind == 0)
		kind = add_reloption_kind();
	return build_reloptions(reloptions, validate, kind, sizeof(StdRdOptions), NULL, 0);
}

static void *
allocate(void *context, size_t bytes)
{
	CHECK_FOR_INTERRUPTS();
	return (void *) TYPEALIGN(64, MemoryContextAllocHuge(context, add_size(bytes, 64)));
}

HxMemory
hx_am_memory(MemoryContext context)
{
	return (HxMemory) {.allocate = allocate,.context = context};
}

void
hx_am_check_interrupts(void *context)
{
	CHECK_FOR_INTERRUPTS();
}

IndexAmRoutine *
hx_am_new_routine(void)
{
	IndexAmRoutine *routine = makeNode(IndexAmRoutine);

	/* Everything not named here is false, zero or NULL. */
	routine->amcanorderbyop = true;
	routine->amoptionalkey = true;	/* ORDER BY needs no WHERE; see the README about NULLs */
	routine->amparallelvacuumoptions = VACUUM_OPTION_PARALLEL_BULKDEL |
		VACUUM_OPTION_PARALLEL_COND_CLEANUP;
	routine->amkeytype = InvalidOid;
	routine->amoptions = no_options;
	return routine;
}

#define MAX_ACCESS_METHODS 3

static const HxAmTools *registered[MAX_ACCESS_METHODS];

void
hx_am_register(const HxAmTools *tools)
{
	for (int i = 0; i < MAX_ACCESS_METHODS; i++)
	{
		if (registered[i] == NULL)
		{
			registered[i] = tools;
			return;
		}
	}
	elog(ERROR, "more than %d access methods registered", MAX_ACCESS_METHODS);
}

const HxAmTools *
hx_am_tools(Relation index)
{
	for (int i = 0; i < MAX_ACCESS_METHODS && registered[i] != NULL; i++)
	{
		if (registered[i]->build == index->rd_indam->ambuild)
			return registered[i];
	}
	return NULL;
}

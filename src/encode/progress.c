/*
 * progress.c
 *	  What a long function is at, for other sessions to see.
 *
 * The server keeps a command number and counters of each backend in shared memory; each of its
 * views pg_stat_progress_* shows the backends of one command number. A module may set them
 * without registering. We set a number that is none of the server's, so that its views show
 * nothing, and read the counters by a function of ours. track_activities = off switches this off,
 * as it does for the server's commands.
 */
#include "hashidx.h"

#include "catalog/pg_authid.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "encode/progress.h"

HX_FUNCTION(hashidx_progress_info);

/* "hx", and a number: far from the server's commands, which are counted from 1. */
#define PROGRESS_COMMAND ((ProgressCommandType) 0x68780001)

/* Our counters. */
enum
{
	COUNTER_FUNCTION,
	COUNTER_KIND,
	COUNTER_PHASE,
	COUNTER_DONE,
	COUNTER_TOTAL,
};

static const char *const functions[] = {
	[PROGRESS_TRAIN] = "hashidx_train",
	[PROGRESS_EXTEND] = "hashidx_extend",
	[PROGRESS_RECALL] = "hashidx_encoder_recall",
};

/* Are the counters of this backend ours? */
static bool
is_ours(void)
{
	return MyBEEntry != NULL && MyBEEntry->st_progress_command == PROGRESS_COMMAND;
}

void
hx_progress_start(ProgressFunction function, Oid source, HxModelKind kind)
{
	const int	counters[] = {COUNTER_FUNCTION, COUNTER_KIND};
	const int64 values[] = {function, kind};

	if (MyBEEntry == NULL || MyBEEntry->st_progress_command != PROGRESS_COMMAND_INVALID)
		return;
	pgstat_progress_start_command(PROGRESS_COMMAND, source);
	if (is_ours())
		pgstat_progress_update_multi_param(lengthof(counters), counters, values);
}

void
hx_progress_report(int phase, size_t done, size_t total)
{
	const int	counters[] = {COUNTER_PHASE, COUNTER_DONE, COUNTER_TOTAL};
	const int64 values[] = {phase, (int64) done, (int64) total};

	if (is_ours())
		pgstat_progress_update_multi_param(lengthof(counters), counters, values);
}

void
hx_progress_end(void)
{
	if (is_ours())
		pgstat_progress_end_command();
}

/* Who may see what a user does: its members, and those who may see all statistics. */
static bool
may_see(Oid user)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS) ||
		has_privs_of_role(GetUserId(), user);
}

#define INFO_COLUMNS 8

/* The columns beside those that everybody sees, of a backend that shows our progress. */
static void
fill_columns(const PgBackendStatus *backend, Datum *values, bool *nulls)
{
	const int64 *counters = backend->st_progress_param;

	values[2] = ObjectIdGetDatum(backend->st_progress_command_target);
	values[3] = CStringGetTextDatum(functions[counters[COUNTER_FUNCTION]]);
	values[4] = CStringGetTextDatum(hx_model_kind_name((HxModelKind) counters[COUNTER_KIND]));
	values[5] = CStringGetTextDatum(hx_phase_name((HxPhase) counters[COUNTER_PHASE]));
	values[6] = Int64GetDatum(counters[COUNTER_DONE]);
	values[7] = Int64GetDatum(counters[COUNTER_TOTAL]);
	for (int i = 2; i < INFO_COLUMNS; i++)
		nulls[i] = false;
	nulls[7] = counters[COUNTER_TOTAL] == 0;
}

/* What another version of this module wrote may have values that this one does not know. */
static bool
is_known(const PgBackendStatus *backend)
{
	const int64 *counters = backend->st_progress_param;

	return counters[COUNTER_FUNCTION] >= 0 && counters[COUNTER_FUNCTION] < lengthof(functions) &&
		hx_model_kind_name((HxModelKind) counters[COUNTER_KIND]) != NULL &&
		counters[COUNTER_PHASE] >= 0 && counters[COUNTER_PHASE] < HX_PHASES;
}

/*
 * hashidx_progress_info() returns setof (pid integer, datid oid, relid oid, function text,
 * kind text, phase text, done bigint, total bigint)
 */
Datum
hashidx_progress_info(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			count = pgstat_fetch_stat_numbackends();

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 1; i <= count; i++)
	{
		const PgBackendStatus *backend = &pgstat_get_local_beentry_by_index(i)->backendStatus;
		Datum		values[INFO_COLUMNS] = {0};
		bool		nulls[INFO_COLUMNS];

		if (backend->st_progress_command != PROGRESS_COMMAND)
			continue;
		memset(nulls, true, sizeof(nulls));
		values[0] = Int32GetDatum(backend->st_procpid);
		values[1] = ObjectIdGetDatum(backend->st_databaseid);
		nulls[0] = nulls[1] = false;
		if (may_see(backend->st_userid) && is_known(backend))
			fill_columns(backend, values, nulls);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	PG_RETURN_NULL();
}

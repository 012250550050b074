/*
 * recall.c
 *	  hashidx_recall(): what share of the true nearest neighbours an index finds, and how fast.
 *
 * Rows of the table are the queries; their true neighbours come from a pass over the table, and
 * what the index says from scans like the executor's. The caller must be allowed to read all
 * of the table. Works as the table's owner, for index expressions may run that owner's functions.
 */
#include "am/common/recall.h"

#include <math.h>

#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "executor/instrument.h"
#include "funcapi.h"
#include "guc.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/tuplestore.h"

#define MOST_NEIGHBOURS 1000
#define MOST_QUERIES 10000

#define RESULT_COLUMNS 4

/* Shares are told to a millionth, times to a microsecond. */
#define SHARE_PARTS 1e6
#define MILLISECOND_PARTS 1e3

/* What the scans of all queries gave. */
typedef struct Outcome
{
	double		mean;
	double		minimum;
	double	   *milliseconds;	/* of each query */
} Outcome;

/*
 * The nearest rows to a query that the index gives, its own row left out. A scan may tell lower
 * bounds (xs_recheckorderby); what is nearer than the last of them is settled, as for the executor.
 */
static void
ask_index(HxIndexRows *rows, IndexScanDesc scan, ScanKey orderby, const HxQuery *query,
		  HxNearest *answer)
{
	orderby->sk_argument = query->key;
	index_rescan(scan, NULL, 0, orderby, 1);
	answer->count = 0;
	while (index_getnext_slot(scan, ForwardScanDirection, rows->slot))
	{
		Datum		key;
		double		bound = DatumGetFloat8(scan->xs_orderbyvals[0]);

		CHECK_FOR_INTERRUPTS();
		if (ItemPointerEquals(&rows->slot->tts_tid, unconstify(ItemPointerData *, &query->tid)))
			continue;
		if (hx_index_rows_key(rows, &key))
			hx_nearest_offer(answer, hx_index_rows_distance(rows, key, query->key));
		if (answer->count == answer->room && answer->distance[answer->count - 1] <= bound)
			break;
		if (answer->count == answer->room && !scan->xs_recheckorderby)
			break;
	}
}

/* How many of the true answers the index found; ties count as found. */
static int
hits_of(const HxNearest *truth, const HxNearest *answer)
{
	int			hits = 0;

	while (hits < answer->count && hits < truth->count &&
		   answer->distance[hits] <= truth->distance[truth->count - 1])
		hits++;
	return hits;
}

/* What was found of what there is: all, if there is nothing. */
static double
share_of(int64 hits, int64 wanted)
{
	return wanted > 0 ? rint(SHARE_PARTS * hits / wanted) / SHARE_PARTS : 1;
}

/* Asks the index for all queries, with the settings as they are. */
static void
measure(HxIndexRows *rows, const HxQuery *queries, int count, HxNearest *answer, Outcome *outcome)
{
	IndexScanDesc scan = hx_index_beginscan(rows->heap, rows->index, rows->snapshot, 0, 1);
	ScanKeyData orderby;
	int64		all_hits = 0;
	int64		all_wanted = 0;

	ScanKeyEntryInitializeWithInfo(&orderby, SK_ORDER_BY, 1, HX_STRATEGY_DISTANCE, InvalidOid,
								   rows->collation, &rows->distance, (Datum) 0);
	outcome->minimum = 1;
	for (int i = 0; i < count; i++)
	{
		instr_time	start;
		instr_time	end;

		INSTR_TIME_SET_CURRENT(start);
		ask_index(rows, scan, &orderby, &queries[i], answer);
		INSTR_TIME_SET_CURRENT(end);
		INSTR_TIME_SUBTRACT(end, start);
		outcome->milliseconds[i] = INSTR_TIME_GET_MILLISEC(end);

		int			wanted = queries[i].truth.count;
		int			hits = hits_of(&queries[i].truth, answer);

		all_hits += hits;
		all_wanted += wanted;
		outcome->minimum = Min(outcome->minimum, share_of(hits, wanted));
	}
	outcome->mean = share_of(all_hits, all_wanted);
	index_endscan(scan);
}

static int
compare_doubles(const void *a, const void *b)
{
	return float8_cmp_internal(*(const double *) a, *(const double *) b);
}

/* Adds a row to the result. */
static void
put_outcome(ReturnSetInfo *result, const char *setting, const Outcome *outcome, int count)
{
	Datum		values[RESULT_COLUMNS] = {CStringGetTextDatum(setting)};
	bool		isnull[RESULT_COLUMNS] = {false, count == 0, count == 0, count == 0};

	if (count > 0)
	{
		qsort(outcome->milliseconds, count, sizeof(double), compare_doubles);
		values[1] = Float8GetDatum(outcome->mean);
		values[2] = Float8GetDatum(outcome->minimum);
		values[3] = Float8GetDatum(rint(outcome->milliseconds[count / 2] * MILLISECOND_PARTS) /
								   MILLISECOND_PARTS);
	}
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
}

/* Sets the effort of scans until hx_am_become_caller(). */
static void
set_effort(const HxAmTools *tools, int effort)
{
	char	   *name = psprintf("hashidx.%s", tools->effort_setting);
	char	   *value = psprintf("%d", effort);

	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
							 false);
}

/* Measures and returns one row for each setting. */
static void
compare_settings(HxIndexRows *rows, const HxQuery *queries, int count, int k,
				 ReturnSetInfo *result)
{
	const HxAmTools *tools = hx_am_tools(rows->index);
	Outcome		outcome = {.milliseconds = palloc(Max(count, 1) * sizeof(double))};
	HxNearest	answer = {.distance = palloc(k * sizeof(double)),.room = k};

	if (tools->effort_setting == NULL)
	{
		measure(rows, queries, count, &answer, &outcome);
		put_outcome(result, "exact", &outcome, count);
		return;
	}

	/* Twice: the first time pages may still have to be read. */
	set_effort(tools, 0);
	measure(rows, queries, count, &answer, &outcome);
	measure(rows, queries, count, &answer, &outcome);
	put_outcome(result, psprintf("recall = %g", hx_guc_recall()), &outcome, count);
	for (const int *effort = tools->efforts; *effort != 0; effort++)
	{
		set_effort(tools, *effort);
		measure(rows, queries, count, &answer, &outcome);
		put_outcome(result, psprintf("%s = %d", tools->effort_setting, *effort), &outcome, count);
	}
}

static void
check_range(const char *name, int value, int most)
{
	if (value < 1 || value > most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between 1 and %d", name, most),
				 errdetail("It is %d.", value)));
}

HX_FUNCTION(hashidx_recall);

/* hashidx_recall(index regclass, k int, sample int) returns table (setting, recall, time) */
Datum
hashidx_recall(PG_FUNCTION_ARGS)
{
	int			k = PG_GETARG_INT32(1);
	int			sample = PG_GETARG_INT32(2);
	HxIndexRows rows = {0};
	Relation	heap;
	Relation	index;
	int			count;

	check_range("k", k, MOST_NEIGHBOURS);
	check_range("sample", sample, MOST_QUERIES);
	InitMaterializedSRF(fcinfo, 0);
	hx_am_open(PG_GETARG_OID(0), AccessShareLock, &heap, &index);
	hx_am_check_readable(heap, index);

	HxCaller	caller = hx_am_become_owner(heap);

	hx_index_rows_open(&rows, heap, index);

	HxQuery    *queries = hx_recall_sample(&rows, sample, k, &count);

	hx_recall_truth(&rows, queries, count);
	compare_settings(&rows, queries, count, k, (ReturnSetInfo *) fcinfo->resultinfo);
	hx_index_rows_close(&rows);
	hx_am_become_caller(caller);

	index_close(index, AccessShareLock);
	table_close(heap, AccessShareLock);
	return (Datum) 0;
}

/*
 * am.h
 *	  What an access method gives to the shared parts, and gets from them.
 */
#ifndef HX_AM_H
#define HX_AM_H

#include "hashidx.h"

#include "access/amapi.h"
#include "access/genam.h"
#include "access/stratnum.h"
#include "math/compute.h"
#include "utils/rel.h"

/*
 * What the pure layers ask of a build or a search: memory that goes with the context (and a look
 * at interrupts each time), and the check between chunks of the team's work, an HxTeamCheck.
 */
extern HxMemory hx_am_memory(MemoryContext context);
extern void hx_am_check_interrupts(void *context);

/* Statistics under construction: a flat jsonb object. */
typedef struct HxStats HxStats;
extern void hx_stats_push_number(HxStats *stats, const char *key, double value, int decimals);
extern void hx_stats_push_text(HxStats *stats, const char *key, const char *value);

/* A run of hashidx_check(). */
typedef struct HxCheck
{
	Relation	index;
	Relation	heap;
	BlockNumber heap_blocks;	/* at least as many blocks the table has; 0 at first */
	struct bloom_filter *filter;	/* of the rows in the index; NULL: not asked for */
	int			copies;			/* other places where each row must stand too, set by check() */
	MemoryContext row_context;	/* of one row's comparison */
	int64		problems;
} HxCheck;

/* Warns of one problem, and counts it. detail: a printf format, a whole sentence. */
extern void hx_check_warn(HxCheck *check, BlockNumber blk, const char *detail,...)
			pg_attribute_printf(3, 4);

/* Can there be such a row in the table? */
extern bool hx_check_is_plausible(HxCheck *check, const ItemPointerData *tid);

/* Tells that the index has a row with this TID and this key: the bytes of the key, and how many. */
extern void hx_check_add_row(HxCheck *check, ItemPointerData tid, const void *key, Size bytes);

/* The same for copy number 1 .. check->copies of a row. */
extern void hx_check_add_copy(HxCheck *check, int copy, ItemPointerData tid, const void *key,
							  Size bytes);

/* Takes one pair of index entries and the distance of their keys. */
typedef void (*HxPairsEmit) (void *context, ItemPointerData first, ItemPointerData second,
							 double distance);

/*
 * Takes the next nearest index entry of a query, by its number; tells whether there is a row that
 * counts at its end.
 */
typedef bool (*HxNearestEmit) (void *context, int query, ItemPointerData entry, double distance);

/*
 * The tools an access method offers to hashidx_check() and
 * hashidx_index_stats(). An index belongs to the one whose build callback it uses.
 */
typedef struct HxAmTools
{
	ambuild_function build;

	/*
	 * The bytes of a key, as check shows them to hx_check_add_row(); NULL when the index does not
	 * hold such keys. What is palloc'd does not last.
	 */
	const void *(*key_bytes) (Relation index, Datum key, Size *bytes);

	/*
	 * Examines every page and warns of each problem (hx_check_warn). When
	 * check->filter is set, shows it every row (hx_check_add_row).
	 */
	void		(*check) (struct HxCheck *check);

	/* Pushes key/value pairs that describe the index (hx_stats_push_*). */
	void		(*stats) (Relation index, HxStats *stats);

	/*
	 * Emits each pair of rows that lie within the radius of each other once, in either
	 * order; with no buffer lock held. NULL: the method has no such pairs.
	 */
	void		(*pairs) (Relation heap, Relation index, double radius,
						  HxPairsEmit emit, void *context);

	/*
	 * Emits the k nearest rows that count of each query, the nearer ones first; with no buffer
	 * lock held. Takes work_mem for nearest_block(k) queries, which is the most that it
	 * is given at once. Both NULL: the method gains nothing by many queries at a time.
	 */
	void		(*nearest) (Relation heap, Relation index, const Datum *queries, int count, int k,
							HxNearestEmit emit, void *context);
	int			(*nearest_block) (int k);

	/*
	 * How many rows of the index lie within the radius of a value, about, found out in less time
	 * than a scan takes; lowers the radius to the largest one that it can tell that of. Negative:
	 * it cannot. For the planner. NULL: the method has no such estimate.
	 */
	double		(*rows_within) (Relation index, Datum value, double *radius);

	/*
	 * What hashidx_recall() compares: the setting, without "hashidx.", that says how hard a scan
	 * tries when hashidx.recall does not, and values of it, 0 after the last. NULL: scans are
	 * exact. The operator of strategy HX_STRATEGY_DISTANCE orders them.
	 */
	const char *effort_setting;
	const int  *efforts;
} HxAmTools;

/* Of every access method here: ORDER BY column <operator> value. */
#define HX_STRATEGY_DISTANCE 1

/* At module load: makes the tools of an access method known. */
extern void hx_am_register(const HxAmTools *tools);

/* The tools for an index, or NULL when it is not one of ours. */
extern const HxAmTools *hx_am_tools(Relation index);

/*
 * Opens the index of that OID (AccessShareLock) and before it its table
 * (heap_lock). ERRCODE_WRONG_OBJECT_TYPE when it is not an index of ours.
 */
extern void hx_am_open(Oid index_oid, LOCKMODE heap_lock, Relation *heap, Relation *index);

/* What the operators of the index take: for a class of all arrays, the type of its column. */
extern Oid	hx_am_key_type(Relation index);

/*
 * Errors when this session cannot use the index: it is another session's temporary one, or CREATE
 * INDEX CONCURRENTLY has failed or goes on.
 */
extern void hx_am_check_usable(Relation index);

/* Errors unless the caller may read the columns of the table. */
extern void hx_am_check_selectable(Relation heap);

/*
 * Errors unless the caller may read all of the table, and can use the index: for functions that
 * give what is in an index without a query.
 */
extern void hx_am_check_readable(Relation heap, Relation index);

/*
 * Before rows are looked for in the index by other means than a scan of the server's, which does
 * so: a serializable transaction depends on rows that others add to it from now on.
 */
extern void hx_am_lock_predicate(Relation index);

/* Who has called, while a function works as somebody else. */
typedef struct HxCaller
{
	Oid			user;
	int			security;
	int			settings;		/* nest level of those that the function may change */
} HxCaller;

/*
 * From here on the session's user is the table's owner, with nothing but pg_catalog in
 * search_path: for all that may run functions of index expressions and conditions, which are the
 * owner's. Back to the caller; an error goes back by itself.
 */
extern HxCaller hx_am_become_owner(Relation heap);
extern void hx_am_become_caller(HxCaller caller);

/*
 * A new IndexAmRoutine with what is the same for all of our access methods; the
 * handler fills in its callbacks. The one place that knows the fields of every
 * server version.
 */
extern IndexAmRoutine *hx_am_new_routine(void);

/* One operator that an operator class of an access method must have, for hx_am_validate(). */
typedef struct HxAmOperator
{
	StrategyNumber strategy;
	bool		orders;			/* ORDER BY operator giving float8, else boolean search */
	const char *right_type;		/* name of the right operand's type, NULL: the input type */
} HxAmOperator;

/* amvalidate: reports every problem of the operator class at INFO, true when there is none. */
extern bool hx_am_validate(Oid opclass, const HxAmOperator *operators, int count);


#endif							/* HX_AM_H */

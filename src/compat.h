/*
 * compat.h
 *	  Every difference between the server versions we build for (15 and later).
 *
 * Callers use the newest spelling; here it is lent to the older versions. No
 * other file looks at PG_VERSION_NUM (a lint checks). Included by hashidx.h,
 * after postgres.h and fmgr.h.
 */
#ifndef HX_COMPAT_H
#define HX_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "hashidx needs PostgreSQL 15 or later"
#endif

/*
 * Before 16 the server's PGDLLEXPORT says nothing outside Windows; under
 * -fvisibility=hidden it would hide even the magic block.
 */
#if PG_VERSION_NUM < 160000 && !defined(WIN32)
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

/* 16 moved the varlena macros out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/*
 * 16 brought soft errors: input functions report through fcinfo->context.
 * Before, that is NULL in an input function and every error is thrown.
 */
#if PG_VERSION_NUM < 160000
struct Node;
#define ereturn(context, dummy_value, ...) \
	do { \
		(void) (context); \
		ereport(ERROR, __VA_ARGS__); \
		return dummy_value; \
	} while (0)
#define SOFT_ERROR_OCCURRED(escontext) ((void) (escontext), false)
#else
#include "nodes/miscnodes.h"
#endif

/*
 * The minor releases of 2026 have the careful arithmetic of sizes in palloc.h, and macros that use
 * it. Before, the functions are in shmem.h, and in 15 there are no such macros.
 */
#include "storage/shmem.h"
#ifndef palloc_array
#define palloc_array(type, count) ((type *) palloc(mul_size(sizeof(type), count)))
#endif
#ifndef palloc_array_extended
#define palloc_array_extended(type, count, flags) \
	((type *) palloc_extended(mul_size(sizeof(type), count), flags))
#endif

/* 18 lets a module tell its name and version. */
#ifndef PG_MODULE_MAGIC_EXT
#define PG_MODULE_MAGIC_EXT(...) PG_MODULE_MAGIC
#endif

/* 18 writes pg_noreturn before the declaration. */
#ifndef pg_noreturn
#define pg_noreturn _Noreturn
#endif

/* 16 extends relations through the buffer manager, which locks as needed. */
#if PG_VERSION_NUM < 160000
#include "common/relpath.h"
#include "storage/buf.h"
struct RelationData;
extern Buffer hx_compat_extend(struct RelationData *relation, ForkNumber fork);
#define BMR_REL(relation) (relation)
#define EB_LOCK_FIRST 1
#define EB_SKIP_EXTENSION_LOCK 2
#define ExtendBufferedRel(relation, fork, strategy, flags) hx_compat_extend(relation, fork)
#endif

/* 16 renamed where a relation's files are. */
#if PG_VERSION_NUM < 160000
#define rd_locator rd_node
#endif

/* 16 has one ownership check for all classes of objects; before, we need that of relations only. */
#if PG_VERSION_NUM < 160000
#define object_ownercheck(class_id, object_id, role) pg_class_ownercheck(object_id, role)
#endif

/* 16 fetches what backends show by their place in the list, under a name that says so. */
#if PG_VERSION_NUM < 160000
#define pgstat_get_local_beentry_by_index(place) pgstat_fetch_stat_local_beentry(place)
#endif

/* 17 runs maintenance under a fixed search_path: till the nest level ends, and beside workers. */
#if PG_VERSION_NUM < 170000
#define RestrictSearchPath() \
	((void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, \
							  GUC_ACTION_SAVE, true, 0, false))
#endif

/* 18 tells ANALYZE's delays from VACUUM's. */
#if PG_VERSION_NUM < 180000
#define vacuum_delay_point(is_analyze) vacuum_delay_point()
#endif

/* 18 counts index searches for EXPLAIN, besides the statistics views. */
#if PG_VERSION_NUM >= 180000
#define hx_count_index_search(scan) \
	do { \
		pgstat_count_index_scan((scan)->indexRelation); \
		if ((scan)->instrument) \
			(scan)->instrument->nsearches++; \
	} while (0)
#else
#define hx_count_index_search(scan) pgstat_count_index_scan((scan)->indexRelation)
#endif

/* 18 wants to know where a scan's searches are counted. */
#if PG_VERSION_NUM >= 190000
#define hx_index_beginscan(heap, index, snapshot, nkeys, norderbys) \
	index_beginscan(heap, index, snapshot, NULL, nkeys, norderbys, SO_NONE)
#elif PG_VERSION_NUM >= 180000
#define hx_index_beginscan(heap, index, snapshot, nkeys, norderbys) \
	index_beginscan(heap, index, snapshot, NULL, nkeys, norderbys)
#else
#define hx_index_beginscan(heap, index, snapshot, nkeys, norderbys) \
	index_beginscan(heap, index, snapshot, nkeys, norderbys)
#endif

/* 19 lets whoever reads a table say more about it (and above, SO_NONE). */
#if PG_VERSION_NUM >= 190000
#define hx_table_beginscan(heap, snapshot) table_beginscan(heap, snapshot, 0, NULL, SO_NONE)
#define hx_table_fetch_begin(heap) table_index_fetch_begin(heap, SO_NONE)
#else
#define hx_table_beginscan(heap, snapshot) table_beginscan(heap, snapshot, 0, NULL)
#define hx_table_fetch_begin(heap) table_index_fetch_begin(heap)
#endif

/* 19 hands the state of EXPLAIN through the planner and its hook. */
#if PG_VERSION_NUM >= 190000
#define HX_PLANNER_PARAMETER , struct ExplainState *explain
#define HX_PLANNER_ARGUMENT , explain
#else
#define HX_PLANNER_PARAMETER
#define HX_PLANNER_ARGUMENT
#endif

/* 19 shows a table to modules, its indexes found, by another hook. */
#if PG_VERSION_NUM >= 190000
#define hx_table_hook build_simple_rel_hook
#define hx_table_hook_type build_simple_rel_hook_type
#define HX_TABLE_HOOK_PARAMETERS PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *entry
#define HX_TABLE_HOOK_ARGUMENTS root, rel, entry
#else
#define hx_table_hook get_relation_info_hook
#define hx_table_hook_type get_relation_info_hook_type
#define HX_TABLE_HOOK_PARAMETERS PlannerInfo *root, Oid table, bool inherited, RelOptInfo *rel
#define HX_TABLE_HOOK_ARGUMENTS root, table, inherited, rel
#endif

/* 19 builds jsonb in a struct that has the result, too; before, the last step returns it. */
#if PG_VERSION_NUM >= 190000
#define HX_JSONB_STATE JsonbInState
#define hx_jsonb_finish(state, token) (pushJsonbValue(state, token, NULL), (state)->result)
#else
#define HX_JSONB_STATE JsonbParseState *
#define hx_jsonb_finish(state, token) pushJsonbValue(state, token, NULL)
#endif

/*
 * An index path that must not be taken. 18 compares disabled nodes before costs, but not those of
 * a bitmap made of the path (hx_scan_all_pages); earlier, its cost says it all.
 */
#if PG_VERSION_NUM >= 180000
#define hx_disable_path(index_path) ((index_path)->path.disabled_nodes = 2)
#else
#define hx_disable_path(index_path) ((void) (index_path))
#endif

#endif							/* HX_COMPAT_H */

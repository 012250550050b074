/*
 * progress.h
 *	  What a long function is at, for other sessions to see: the view hashidx_progress.
 *
 *		hx_progress_start(PROGRESS_TRAIN, source, kind);
 *		... hx_progress_report(phase, done, total) ...
 *		hx_progress_end();
 *
 * An error ends it as well: the server does so when it aborts a transaction or a
 * subtransaction.
 */
#ifndef HX_ENCODE_PROGRESS_H
#define HX_ENCODE_PROGRESS_H

#include "hashidx.h"

#include "hash/model.h"
#include "hash/phase.h"

typedef enum ProgressFunction
{
	PROGRESS_TRAIN,
	PROGRESS_EXTEND,
	PROGRESS_RECALL,
} ProgressFunction;

/*
 * Shows that this backend runs the function on a relation, with a model of the kind.
 * Within a command that shows progress of its own, such as COPY, nothing is shown.
 */
extern void hx_progress_start(ProgressFunction function, Oid source, HxModelKind kind);

/* For HxCompute: see HxReport in math/compute.h. The phases are those of HxPhase. */
extern void hx_progress_report(int phase, size_t done, size_t total);

extern void hx_progress_end(void);

#endif							/* HX_ENCODE_PROGRESS_H */

/*
 * train.h
 *	  What every trainer is given and gives back, and the table of all trainers.
 *
 * A trainer fills in a model whose parameters lie in training->memory, or says in
 * one sentence why the data or the wish cannot be met. The same sample, options
 * and seed give the same model on every CPU and for every number of threads.
 */
#ifndef HX_TRAIN_H
#define HX_TRAIN_H

#include "hash/model.h"
#include "math/matrix.h"

/* A trainer's own options are numbers; yes-or-no ones are 0 and 1. */
#define HX_TRAINER_MAX_OPTIONS 8

typedef struct HxTrainerOption
{
	const char *name;
	double		fallback;		/* when the caller says nothing */
	double		least;
	double		most;
	bool		whole;			/* whole numbers only */
	bool		boolean;		/* true or false only */
	const char *meaning;		/* one line, for messages and documents */
} HxTrainerOption;

typedef struct HxTraining
{
	/* The sample: count rows of dims finite floats, in random order. */
	const float *rows;
	size_t		count;
	uint32_t	dims;

	/* Paired rows of a second column, for kinds that learn from two; else NULL. */
	const float *second_rows;
	uint32_t	second_dims;

	uint32_t	outputs;		/* bits, dimensions or tokens asked for */
	uint64_t	seed;
	bool		median;			/* per-bit medians of the sample as thresholds, instead of 0 */
	const double *options;		/* values of the trainer's own options, in their order */
	HxCompute	compute;		/* memory that lasts until the model is stored; check */

	char		problem[256];	/* result: why not */
} HxTraining;

typedef struct HxTrainer
{
	HxModelKind kind;			/* hx_model_kind_name() is its name in SQL */
	const char *meaning;		/* one line */
	bool		two_columns;	/* learns from paired rows and makes two models */
	bool		second_optional;	/* may be given a second column; makes two models then */
	HxTrainerOption options[HX_TRAINER_MAX_OPTIONS];	/* ends at a NULL name */

	/* Rows that a sample should have when the caller does not say. */
	size_t		(*sample_size) (uint32_t dims, uint32_t outputs);

	/*
	 * False with training->problem set when it cannot be done. second is made
	 * when training->second_rows is given.
	 */
	bool		(*train) (HxTraining *training, HxModel *model, HxModel *second);
} HxTrainer;

/* Ends at an entry without `train`. One file a family of trainers defines its entries. */
extern const HxTrainer *const hx_trainers[];

/* The trainer of that name, or NULL. */
extern const HxTrainer *hx_trainer_find(const char *name);

/* Sets training->problem; always false, so that `return hx_training_fail(...)` reads well. */
extern bool hx_training_fail(HxTraining *training, const char *format,...)
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
;

/*
 * Thresholds for the last step, one a bit: zeros, or with training->median the
 * medians of what the model so far (steps without SIGN) gives for the rows, training->count of
 * them.
 */
extern const float *hx_training_thresholds(HxTraining *training, const HxModel *model,
										   const float *rows);

#endif							/* HX_TRAIN_H */

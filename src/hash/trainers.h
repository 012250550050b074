/*
 * trainers.h
 *	  The entries of the trainers' table, and the steps that many trainers end with.
 */
#ifndef HX_TRAINERS_H
#define HX_TRAINERS_H

#include "hash/train.h"

extern const HxTrainer hx_trainer_simhash;
extern const HxTrainer hx_trainer_sparse;
extern const HxTrainer hx_trainer_pca;
extern const HxTrainer hx_trainer_itq;
extern const HxTrainer hx_trainer_ksh;
extern const HxTrainer hx_trainer_recurrent;
extern const HxTrainer hx_trainer_cca_itq;
extern const HxTrainer hx_trainer_projection;
extern const HxTrainer hx_trainer_relative;
extern const HxTrainer hx_trainer_weights;
extern const HxTrainer hx_trainer_pq;
extern const HxTrainer hx_trainer_rq;
extern const HxTrainer hx_trainer_fsq;

/* Memory for `count` floats that lasts as long as the model. */
extern float *hx_training_floats(HxTraining *training, size_t count);

/* Anchors or centroids, `count` rows of n numbers, as the n x count matrix that steps take. */
extern void hx_training_transpose(HxTraining *training, const float *rows, size_t count, size_t n,
								  float *matrix);

/*
 * Each appends one step to the model: x - mean; W^T x, where W has a row for each number
 * that comes in and m columns; the code, with thresholds by hx_training_thresholds(),
 * but of `rows`, which are training->rows or training->second_rows.
 */
extern void hx_training_add_centre(HxTraining *training, HxModel *model, const double *mean);
extern void hx_training_add_matrix(HxTraining *training, HxModel *model, const double *w,
								   uint32_t m);
extern void hx_training_add_sign(HxTraining *training, HxModel *model, const float *rows);

/*
 * Appends the steps that subtract the mean of the first `count` rows and bring what is
 * left to length 1; returns what they make of these rows, in scratch. count > 0.
 */
extern float *hx_training_add_unit(HxTraining *training, HxModel *model, size_t count);

#endif							/* HX_TRAINERS_H */

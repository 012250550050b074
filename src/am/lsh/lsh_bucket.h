/*
 * lsh_bucket.h
 *	  Reading the rows of one bucket, or of all buckets of a range of keys.
 */
#ifndef HX_LSH_BUCKET_H
#define HX_LSH_BUCKET_H

#include "am/lsh/lsh.h"

/*
 * Takes a row, whose page is locked: what is wanted of it is copied. False: no more.
 * A row may be offered twice when vacuum is at work on its bucket.
 */
typedef bool (*LshTake) (uint32 key, const LshRow *row, BlockNumber blk, void *context);

/* Offers the rows of a bucket; false when take() did not want more. The caller holds no lock. */
extern bool lsh_bucket_read(Relation index, int row_bytes, uint32 key,
							LshTake take, void *context);

/* Offers the rows of all buckets from key `first` to key `last`, in the order of pages. */
extern bool lsh_buckets_read(Relation index, int row_bytes, uint32 first, uint32 last,
							 LshTake take, void *context);

/* The first page of a long bucket; InvalidBlockNumber: the bucket is not long. */
extern BlockNumber lsh_bucket_head(Relation index, int row_bytes, uint32 key);

#endif							/* HX_LSH_BUCKET_H */

/*
 * lsh_tree.h
 *	  The directory: finding and splitting the pages of buckets; new and free pages.
 */
#ifndef HX_LSH_TREE_H
#define HX_LSH_TREE_H

#include "am/lsh/lsh.h"

struct GenericXLogState;

/*
 * Reads and locks a page that must be of that kind; damage when it is not, or when a link led
 * beyond the end. The caller has a right to the page's kind: directory and bucket pages
 * keep theirs for ever.
 */
extern Buffer lsh_lock_page(Relation index, int row_bytes, BlockNumber blk, HxPageKind kind,
							int mode);

/* The bucket page that a key belongs to, locked; the caller holds no lock. */
extern Buffer lsh_find(Relation index, int row_bytes, uint32 key, int mode);

/* Splits the bucket page of that key, unless somebody was faster; the caller holds no lock. */
extern void lsh_split(Relation index, int row_bytes, uint32 key);

/* A page to be written anew, exclusively locked: a free one, or one more at the end. */
typedef struct LshNewPage
{
	Buffer		buf;
	Buffer		meta_buf;		/* the metapage, when the page comes from its list */
	BlockNumber next_free;		/* what its list begins with then */
} LshNewPage;

/* Takes the locks; the caller holds none on metapage or free pages. */
extern LshNewPage lsh_new_page(Relation index, int row_bytes);

/* Registers what changes with the record; returns the image to be written. */
extern Page lsh_new_page_register(struct GenericXLogState *record, const LshNewPage *page);

extern void lsh_new_page_release(const LshNewPage *page);

#endif							/* HX_LSH_TREE_H */

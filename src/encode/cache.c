/*
 * cache.c
 *	  Unpacked models, cached by content for the life of the backend.
 *
 * Two steps keep a million rows from unpacking a large model a million times. A holder remembers
 * the values that it was given last: the TOAST pointer, or the address and the header, which has
 * a checksum of all the rest. For any other value, the table below is searched for the content. A
 * content is unpacked only the first time that a backend sees it.
 *
 * Each entry has its own memory context under CacheMemoryContext. It is made under the caller's
 * context and moved when it is complete, so that an error on the way frees it. Entries that
 * nobody holds are freed, least recently used first, when all entries take more than CACHE_LIMIT
 * bytes.
 */
#include "hashidx.h"

#include "access/detoast.h"
#include "lib/ilist.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "encode/cache.h"
#include "type/model.h"

#define CACHE_LIMIT ((Size) 64 * 1024 * 1024)

/* Where to look; two contents with one key are told apart by comparing them. */
typedef struct ModelKey
{
	uint64		size;
	uint8		header[HX_MODEL_HEADER];
} ModelKey;

typedef struct ModelEntry
{
	CachedModel cached;			/* what holders see */
	MemoryContext context;		/* holds the entry and all it points to */
	Size		charged;		/* bytes that the context takes */
	ModelKey	key;
	const uint8 *bytes;			/* the stored form, key.size bytes */
	int			holders;
	bool		listed;			/* in the table; else gone with its last holder */
	dlist_node	recency;		/* when listed: in `entries`, last used first */
} ModelEntry;

/* An element of the table. */
typedef struct ModelSlot
{
	ModelKey	key;			/* must be first */
	ModelEntry *entry;
} ModelSlot;

/* A value that a holder was given, as far as can be said without reading all of it. */
typedef enum SourceSort
{
	SOURCE_UNKNOWN,				/* compressed, expanded ...: always looked at */
	SOURCE_PLAIN,
	SOURCE_TOASTED,
} SourceSort;

typedef struct Source
{
	SourceSort	sort;
	const void *address;		/* plain */
	ModelKey	key;			/* plain */
	struct varatt_external pointer; /* toasted: the same value for as long as a transaction lasts */
} Source;

/* A join may bring a few models in turns. */
#define HELD_MODELS 4

typedef struct Held
{
	ModelEntry *entry;			/* NULL: nothing */
	Source		source;
} Held;

struct ModelHolder
{
	Held		held[HELD_MODELS];
	int			oldest;			/* the next to be let go */
	MemoryContextCallback at_end;
};

static HTAB *table = NULL;
static dlist_head entries = DLIST_STATIC_INIT(entries);
static Size total_charged = 0;

static ModelKey
make_key(const uint8 *bytes, Size size)
{
	ModelKey	key = {.size = size};

	memcpy(key.header, bytes, Min(size, HX_MODEL_HEADER));
	return key;
}

static bool
same_key(const ModelKey *a, const ModelKey *b)
{
	return memcmp(a, b, sizeof(ModelKey)) == 0;
}

static Source
source_of(Datum value)
{
	struct varlena *varlena = (struct varlena *) DatumGetPointer(value);
	Source		source = {.sort = SOURCE_UNKNOWN};

	if (VARATT_IS_EXTERNAL_ONDISK(varlena))
	{
		source.sort = SOURCE_TOASTED;
		VARATT_EXTERNAL_GET_POINTER(source.pointer, varlena);
	}
	else if (!VARATT_IS_EXTERNAL(varlena) && !VARATT_IS_COMPRESSED(varlena))
	{
		source.sort = SOURCE_PLAIN;
		source.address = varlena;
		source.key = make_key((const uint8 *) VARDATA_ANY(varlena), VARSIZE_ANY_EXHDR(varlena));
	}
	return source;
}

static bool
same_source(const Source *a, const Source *b)
{
	if (a->sort != b->sort)
		return false;
	switch (a->sort)
	{
		case SOURCE_PLAIN:
			return a->address == b->address && same_key(&a->key, &b->key);
		case SOURCE_TOASTED:
			return memcmp(&a->pointer, &b->pointer, sizeof(a->pointer)) == 0;
		case SOURCE_UNKNOWN:
			break;
	}
	return false;
}

/* Takes an entry out of the table; it is freed when nobody holds it. */
static void
drop(ModelEntry *entry)
{
	if (entry->listed)
	{
		hash_search(table, &entry->key, HASH_REMOVE, NULL);
		dlist_delete(&entry->recency);
		total_charged -= entry->charged;
		entry->listed = false;
	}
	if (entry->holders == 0)
		MemoryContextDelete(entry->context);
}

/* Makes room: the least recently used first, but never one that is held. */
static void
keep_limit(void)
{
	dlist_node *node = entries.head.prev;

	while (total_charged > CACHE_LIMIT && node != &entries.head)
	{
		ModelEntry *entry = dlist_container(ModelEntry, recency, node);

		node = node->prev;
		if (entry->holders == 0)
			drop(entry);
	}
}

/* Unpacks a model into an entry of its own, under the current context. */
static ModelEntry *
make_entry(const ModelView *view)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx model",
												  ALLOCSET_START_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	ModelEntry *entry = palloc0(sizeof(ModelEntry));
	uint8	   *bytes = palloc(Max(view->size, 1));
	Size		signs_size;

	hx_model_copy(bytes, view->bytes, view->size);
	entry->context = context;
	entry->key = make_key(bytes, view->size);
	entry->bytes = bytes;
	entry->cached.model = hx_model_unpack(bytes, view->size);
	entry->cached.scratch = palloc(Max(hx_model_scratch(entry->cached.model), 1) * sizeof(float));
	signs_size = hx_signs_size(entry->cached.model);
	if (signs_size > 0)
		entry->cached.signs = hx_signs_make(entry->cached.model, hx_model_look_for_interrupts,
											palloc(signs_size));
	entry->charged = MemoryContextMemAllocated(context, false);
	MemoryContextSwitchTo(caller);
	return entry;
}

static void
create_table(void)
{
	HASHCTL		control = {
		.keysize = sizeof(ModelKey),
		.entrysize = sizeof(ModelSlot),
		.hcxt = CacheMemoryContext,
	};

	table = hash_create("hashidx models", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* The entry of a content, which is made if need be. */
static ModelEntry *
find_entry(const ModelView *view)
{
	ModelKey	key = make_key(view->bytes, view->size);

	if (table == NULL)
		create_table();

	ModelSlot  *slot = hash_search(table, &key, HASH_FIND, NULL);

	if (slot != NULL && memcmp(slot->entry->bytes, view->bytes, view->size) == 0)
	{
		dlist_move_head(&entries, &slot->entry->recency);
		return slot->entry;
	}
	if (slot != NULL)
		drop(slot->entry);

	ModelEntry *entry = make_entry(view);

	slot = hash_search(table, &key, HASH_ENTER, NULL);

	/* From here on nothing can fail. */
	slot->entry = entry;
	MemoryContextSetParent(entry->context, CacheMemoryContext);
	dlist_push_head(&entries, &entry->recency);
	total_charged += entry->charged;
	entry->listed = true;
	return entry;
}

static void
let_go(Held *held)
{
	ModelEntry *entry = held->entry;

	held->entry = NULL;
	if (entry != NULL && --entry->holders == 0 && !entry->listed)
		drop(entry);
	keep_limit();
}

/* The holder's memory is about to end. */
static void
end_holder(void *arg)
{
	ModelHolder *holder = arg;

	for (int i = 0; i < HELD_MODELS; i++)
		let_go(&holder->held[i]);
}

ModelHolder *
hx_model_holder(MemoryContext context)
{
	ModelHolder *holder = MemoryContextAllocZero(context, sizeof(ModelHolder));

	holder->at_end.func = end_holder;
	holder->at_end.arg = holder;
	MemoryContextRegisterResetCallback(context, &holder->at_end);
	return holder;
}

ModelHolder *
hx_model_holder_of_call(FunctionCallInfo fcinfo)
{
	FmgrInfo   *call = fcinfo->flinfo;

	if (call->fn_extra == NULL)
		call->fn_extra = hx_model_holder(call->fn_mcxt);
	return call->fn_extra;
}

const CachedModel *
hx_model_hold(ModelHolder *holder, Datum value)
{
	Source		source = source_of(value);

	for (int i = 0; i < HELD_MODELS; i++)
	{
		Held	   *held = &holder->held[i];

		if (held->entry != NULL && same_source(&source, &held->source))
			return &held->entry->cached;
	}

	Held	   *held = &holder->held[holder->oldest];
	ModelView	view = hx_model_view(value);
	ModelEntry *entry = find_entry(&view);

	/* In this order, or the entry could go before it is held. */
	entry->holders++;
	let_go(held);
	held->entry = entry;
	held->source = source;
	holder->oldest = (holder->oldest + 1) % HELD_MODELS;
	hx_model_release(&view);
	return &entry->cached;
}

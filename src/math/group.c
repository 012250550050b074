/*
 * group.c
 *	  Finding equal byte strings in a large array, on the team.
 *
 * Every string is hashed; the numbers of the strings are distributed over
 * partitions by the high bits of the hashes, and each partition is sorted by
 * the next bits. Equal strings are neighbours now, and neighbours with equal
 * hashes are compared byte by byte. So each string is read once, in order, and
 * again only where its hash is not the only one of its kind.
 *
 * No step is slower when there are few groups, or one: the sort skips bytes in
 * which all hashes agree, and the comparison goes over neighbours wherever
 * partitions begin.
 *
 * The hash is not frozen: nothing that depends on it leaves this file.
 */
#include "math/group.h"

#include <string.h>

/* The strings are counted and distributed in this many chunks, whatever the number of threads. */
#define CHUNKS 64

#define MAX_PARTITION_BITS 11
#define PARTITION_TARGET 4096	/* strings a partition, to be sorted in the cache */

/* Bytes of strings a thread hashes or compares at a time, and items it looks at: milliseconds. */
#define SLICE_BYTES ((size_t) 16 << 20)
#define SLICE_ITEMS ((size_t) 1 << 20)

/* How an entry stands to the entry before it. */
typedef enum Match
{
	MATCH_NONE,					/* another hash, or the first of its partition */
	MATCH_SAME,					/* the same string */
	MATCH_HASH,					/* another string with the same hash */
} Match;

/*
 * What the steps work on. An entry is the number of a string in the low half
 * and 32 bits of its hash in the high half.
 */
typedef struct Grouping
{
	const uint8_t *strings;
	size_t		width;
	size_t		count;
	int			partition_bits;
	size_t		partitions;
	size_t		chunk_items;	/* strings a chunk, the last one may have fewer */
	uint64_t   *entries;		/* by partition, then sorted */
	uint64_t   *spare;			/* the hashes; then the sort's other buffer; then matches */
	uint32_t   *leader;			/* of each string, the first one equal to it */
	uint32_t   *places;			/* [CHUNKS][partitions]: counts, then places to write to */
	uint32_t   *bounds;			/* [partitions + 1]: where each partition begins */
} Grouping;

static inline uint64_t
mix(uint64_t x)
{
	x *= UINT64_C(0x9fb21c651e98df25);
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	return x ^ (x >> 29);
}

static inline uint64_t
load_word(const uint8_t *p, size_t bytes)
{
	uint64_t	word = 0;

	memcpy(&word, p, bytes);
	return word;
}

/* The last word is mixed in like the others; all strings have the same width. */
static uint64_t
hash_string(const uint8_t *string, size_t width)
{
	uint64_t	hash = width;

	for (; width >= 8; string += 8, width -= 8)
		hash = mix(hash ^ load_word(string, 8));
	if (width > 0)
		hash = mix(hash ^ load_word(string, width));
	return hash;
}

static size_t
partition_of(const Grouping *g, uint64_t hash)
{
	return g->partition_bits == 0 ? 0 : (size_t) (hash >> (64 - g->partition_bits));
}

/* The 32 bits of the hash below those that chose the partition, and the number. */
static uint64_t
make_entry(const Grouping *g, uint64_t hash, size_t number)
{
	return (hash << g->partition_bits & ~(uint64_t) UINT32_MAX) | number;
}

static const uint8_t *
string_of(const Grouping *g, uint64_t entry)
{
	return g->strings + (size_t) (uint32_t) entry * g->width;
}

/* Step 1, over strings: hash each, into spare. Every string is its own leader until step 5. */
static void
hash_strings(void *context, size_t begin, size_t end)
{
	const Grouping *g = context;

	for (size_t i = begin; i < end; i++)
	{
		g->spare[i] = hash_string(g->strings + i * g->width, g->width);
		g->leader[i] = (uint32_t) i;
	}
}

/* Step 2, over chunks: count how many strings go to each partition. */
static void
count_chunks(void *context, size_t begin, size_t end)
{
	const Grouping *g = context;

	for (size_t chunk = begin; chunk < end; chunk++)
	{
		uint32_t   *places = g->places + chunk * g->partitions;
		size_t		last = (chunk + 1) * g->chunk_items;

		memset(places, 0, g->partitions * sizeof(uint32_t));
		for (size_t i = chunk * g->chunk_items; i < last && i < g->count; i++)
			places[partition_of(g, g->spare[i])]++;
	}
}

/* Turns the counts into places: partition by partition, and chunk by chunk within one. */
static void
assign_places(Grouping *g)
{
	uint32_t	next = 0;

	for (size_t p = 0; p < g->partitions; p++)
	{
		g->bounds[p] = next;
		for (size_t chunk = 0; chunk < CHUNKS; chunk++)
		{
			uint32_t   *place = &g->places[chunk * g->partitions + p];
			uint32_t	items = *place;

			*place = next;
			next += items;
		}
	}
	g->bounds[g->partitions] = next;
}

/* Step 3, over chunks: write the entries to their partitions, in ascending number in each. */
static void
distribute_chunks(void *context, size_t begin, size_t end)
{
	const Grouping *g = context;

	for (size_t chunk = begin; chunk < end; chunk++)
	{
		uint32_t   *places = g->places + chunk * g->partitions;
		size_t		last = (chunk + 1) * g->chunk_items;

		for (size_t i = chunk * g->chunk_items; i < last && i < g->count; i++)
		{
			uint64_t	hash = g->spare[i];

			g->entries[places[partition_of(g, hash)]++] = make_entry(g, hash, i);
		}
	}
}

/* One pass of the radix sort, stable: by the byte at `shift`, of which `counts` are known. */
static void
sort_pass(const uint64_t *from, uint64_t *to, size_t count, int shift, const uint32_t counts[256])
{
	uint32_t	place[256];
	uint32_t	next = 0;

	for (int b = 0; b < 256; b++)
	{
		place[b] = next;
		next += counts[b];
	}
	for (size_t i = 0; i < count; i++)
		to[place[from[i] >> shift & 0xff]++] = from[i];
}

/* Sorts entries by their 32 bits of hash; those with equal hashes keep their order. */
static void
sort_entries(uint64_t *entries, uint64_t *spare, size_t count)
{
	uint32_t	counts[4][256] = {{0}};
	uint64_t   *from = entries;
	uint64_t   *to = spare;

	for (size_t i = 0; i < count; i++)
		for (int byte = 0; byte < 4; byte++)
			counts[byte][entries[i] >> (32 + byte * 8) & 0xff]++;

	for (int byte = 0; byte < 4; byte++)
	{
		const int	shift = 32 + byte * 8;
		uint64_t   *swap = from;

		/* Nothing to do where all entries have the same byte. */
		if (count == 0 || counts[byte][entries[0] >> shift & 0xff] == count)
			continue;
		sort_pass(from, to, count, shift, counts[byte]);
		from = to;
		to = swap;
	}
	if (from != entries)
		memcpy(entries, from, count * sizeof(uint64_t));
}

/* Step 4, over partitions. */
static void
sort_partitions(void *context, size_t begin, size_t end)
{
	const Grouping *g = context;

	for (size_t p = begin; p < end; p++)
		sort_entries(g->entries + g->bounds[p], g->spare + g->bounds[p],
					 g->bounds[p + 1] - g->bounds[p]);
}

static Match
match_entries(const Grouping *g, uint64_t a, uint64_t b)
{
	if (a >> 32 != b >> 32)
		return MATCH_NONE;
	return memcmp(string_of(g, a), string_of(g, b), g->width) == 0 ? MATCH_SAME : MATCH_HASH;
}

/*
 * Step 5, over entries: compare each with the one before it. Partitions do not
 * matter here: entries of two partitions are told apart by their strings.
 */
static void
match_neighbours(void *context, size_t begin, size_t end)
{
	const Grouping *g = context;
	uint8_t    *matches = (uint8_t *) g->spare;

	for (size_t i = begin; i < end; i++)
	{
		Match		match = MATCH_NONE;

		if (i > 0)
			match = match_entries(g, g->entries[i - 1], g->entries[i]);
		matches[i] = (uint8_t) match;
	}
}

/* Order by string, then by number. */
static int
compare_entries(const Grouping *g, uint64_t a, uint64_t b)
{
	int			order = memcmp(string_of(g, a), string_of(g, b), g->width);

	if (order != 0)
		return order;
	return (uint32_t) a < (uint32_t) b ? -1 : 1;
}

static void
sift_down(const Grouping *g, uint64_t *heap, size_t at, size_t count)
{
	const uint64_t entry = heap[at];

	for (size_t child; (child = 2 * at + 1) < count; at = child)
	{
		if (child + 1 < count && compare_entries(g, heap[child], heap[child + 1]) < 0)
			child++;
		if (compare_entries(g, entry, heap[child]) >= 0)
			break;
		heap[at] = heap[child];
	}
	heap[at] = entry;
}

/* Heapsort: no worst case, and no memory. */
static void
sort_by_string(const Grouping *g, uint64_t *entries, size_t count)
{
	for (size_t at = count / 2; at > 0; at--)
		sift_down(g, entries, at - 1, count);
	for (size_t last = count; last > 1; last--)
	{
		uint64_t	largest = entries[0];

		entries[0] = entries[last - 1];
		entries[last - 1] = largest;
		sift_down(g, entries, 0, last - 1);
	}
}

/*
 * Different strings with one hash stand mixed up around entry `at`, the first that
 * differs. Sorts all of that hash by the strings themselves, and matches them anew.
 * Returns the first. Leaders found before, of strings equal to the first, stay right.
 */
static size_t
untangle(Grouping *g, size_t at)
{
	uint8_t    *matches = (uint8_t *) g->spare;
	size_t		begin = at;
	size_t		end = at + 1;

	while (matches[begin] != MATCH_NONE)
		begin--;
	while (end < g->count && matches[end] != MATCH_NONE)
		end++;

	sort_by_string(g, g->entries + begin, end - begin);
	for (size_t i = begin; i < end; i++)
	{
		matches[i] = MATCH_NONE;
		if (i > begin && match_entries(g, g->entries[i - 1], g->entries[i]) == MATCH_SAME)
			matches[i] = MATCH_SAME;
	}
	return begin;
}

/* Step 6, over entries, in the caller alone: the members of a group learn its first one. */
static void
find_leaders(void *context, size_t begin, size_t end)
{
	Grouping   *g = context;
	const uint8_t *matches = (const uint8_t *) g->spare;

	for (size_t i = begin; i < end; i++)
	{
		if (matches[i] == MATCH_HASH)
			i = untangle(g, i);
		else if (matches[i] == MATCH_SAME)
			g->leader[(uint32_t) g->entries[i]] = g->leader[(uint32_t) g->entries[i - 1]];
	}
}

/* What orders the strings by their leaders: a counting sort. */
typedef struct Ordering
{
	const uint32_t *leader;
	uint32_t   *places;			/* by leader: members, then where the next one goes */
	uint32_t   *order;
	uint32_t	next;			/* the next free place */
	size_t		groups;
} Ordering;

static void
count_members(void *context, size_t begin, size_t end)
{
	const Ordering *o = context;

	for (size_t i = begin; i < end; i++)
	{
		/* A leader is the first of its group, so its count begins here. */
		if (o->leader[i] == i)
			o->places[i] = 1;
		else
			o->places[o->leader[i]]++;
	}
}

static void
place_groups(void *context, size_t begin, size_t end)
{
	Ordering   *o = context;

	for (size_t i = begin; i < end; i++)
	{
		if (o->leader[i] == i)
		{
			uint32_t	members = o->places[i];

			o->places[i] = o->next;
			o->next += members;
			o->groups++;
		}
	}
}

static void
write_order(void *context, size_t begin, size_t end)
{
	const Ordering *o = context;

	for (size_t i = begin; i < end; i++)
		o->order[o->places[o->leader[i]]++] = (uint32_t) i;
}

/* As hx_team_run, for work that must go on in order: in the caller alone. */
static void
run_alone(HxTeamWork work, void *context, size_t items, HxTeamCheck check, void *check_context)
{
	for (size_t begin = 0; begin < items; begin += SLICE_ITEMS)
	{
		work(context, begin, items - begin < SLICE_ITEMS ? items : begin + SLICE_ITEMS);
		if (check != NULL)
			check(check_context);
	}
}

static int
partition_bits_for(size_t count)
{
	int			bits = 0;

	while (bits < MAX_PARTITION_BITS && count >> bits > PARTITION_TARGET)
		bits++;
	return bits;
}

size_t
hx_group_scratch(size_t count)
{
	size_t		partitions = (size_t) 1 << partition_bits_for(count);

	return 2 * count * sizeof(uint64_t) + ((CHUNKS + 1) * partitions + 1) * sizeof(uint32_t);
}

/* Cuts the scratch into the arrays; order serves as the leaders until all are known. */
static Grouping
grouping_of(const uint8_t *strings, size_t width, size_t count, uint32_t *order, void *scratch)
{
	Grouping	g = {.strings = strings, .width = width, .count = count, .leader = order};

	g.partition_bits = partition_bits_for(count);
	g.partitions = (size_t) 1 << g.partition_bits;
	g.chunk_items = (count + CHUNKS - 1) / CHUNKS;
	g.entries = scratch;
	g.spare = g.entries + count;
	g.places = (uint32_t *) (g.spare + count);
	g.bounds = g.places + CHUNKS * g.partitions;
	return g;
}

size_t
hx_group_equal(const uint8_t *strings, size_t width, size_t count,
			   uint32_t *order, void *scratch,
			   HxTeamCheck check, void *check_context)
{
	Grouping	g = grouping_of(strings, width, count, order, scratch);
	Ordering	o = {.leader = scratch, .places = (uint32_t *) g.spare, .order = order};
	size_t		slice = SLICE_BYTES / (width + 16) + 1;

	hx_team_run(hash_strings, &g, count, slice, check, check_context);
	hx_team_run(count_chunks, &g, CHUNKS, 4, check, check_context);
	assign_places(&g);
	hx_team_run(distribute_chunks, &g, CHUNKS, 4, check, check_context);
	hx_team_run(sort_partitions, &g, g.partitions, 16, check, check_context);
	hx_team_run(match_neighbours, &g, count, slice, check, check_context);
	run_alone(find_leaders, &g, count, check, check_context);

	/* The entries are done with: the leaders move there, out of the way of the result. */
	memcpy(scratch, order, count * sizeof(uint32_t));
	run_alone(count_members, &o, count, check, check_context);
	run_alone(place_groups, &o, count, check, check_context);
	run_alone(write_order, &o, count, check, check_context);
	return o.groups;
}

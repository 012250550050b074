/*
 * hamming_options.c
 *	  The options of an index, and their defaults.
 */
#include "am/hamming/hamming_options.h"

#include "access/reloptions.h"

/* The option `method`: HAMMING_METHOD_*, or this. */
#define METHOD_AUTO 0

/*
 * From this many bytes of codes on, and for codes of these lengths, chunk tables are made
 * unasked: below, reading them all is a matter of a few milliseconds, and most who ask
 * for nearest neighbours alone are better off with small indexes and fast inserts.
 */
#define AUTO_BYTES 40000000
#define AUTO_MIN_BITS 32
#define AUTO_MAX_BITS 256

/*
 * Chunk tables that are made unasked: one for so many bits, which tell as many leaves
 * apart as tables have. Each costs its share of space and of an insert. Nine at most, not eight:
 * people ask for radii that are multiples of eight, and of eight tables one has to be searched
 * farther then than the others.
 */
#define BITS_A_CHUNK 16
#define LEAST_CHUNKS 2
#define MOST_CHUNKS 9

typedef struct HammingOptions
{
	int32		vl_len_;		/* varlena header: do not touch directly */
	int			method;
	int			chunks;
} HammingOptions;

static relopt_kind options_kind;

static relopt_enum_elt_def methods[] = {
	{"auto", METHOD_AUTO},
	{"scan", HAMMING_METHOD_SCAN},
	{"mih", HAMMING_METHOD_MIH},
	{NULL, 0},
};

void
hamming_options_register(void)
{
	options_kind = add_reloption_kind();
	add_enum_reloption(options_kind, "method",
					   "Whether ranges are found by chunk tables or by reading all codes.",
					   methods, METHOD_AUTO,
					   "Valid values are \"auto\", \"scan\" and \"mih\".", AccessExclusiveLock);
	add_int_reloption(options_kind, "chunks", "Number of chunk tables; 0 chooses it.",
					  0, 0, HX_MAX_CHUNKS, AccessExclusiveLock);
}

bytea *
hamming_options(Datum reloptions, bool validate)
{
	static const relopt_parse_elt entries[] = {
		{.optname = "method",.opttype = RELOPT_TYPE_ENUM,.offset = offsetof(HammingOptions, method)},
		{.optname = "chunks",.opttype = RELOPT_TYPE_INT,.offset = offsetof(HammingOptions, chunks)},
	};

	return build_reloptions(reloptions, validate, options_kind, sizeof(HammingOptions),
							entries, lengthof(entries));
}

int
hamming_choose_method(Relation index, const HammingShape *shape, double rows, int *chunks)
{
	const HammingOptions *options = (HammingOptions *) index->rd_options;

	*chunks = options != NULL ? options->chunks : 0;
	if (options != NULL && options->method != METHOD_AUTO)
		return options->method;
	if (rows * shape->code_bytes >= AUTO_BYTES &&
		shape->bits >= AUTO_MIN_BITS && shape->bits <= AUTO_MAX_BITS)
		return HAMMING_METHOD_MIH;
	return HAMMING_METHOD_SCAN;
}

int
hamming_choose_chunks(Relation index, const HammingShape *shape, int method, int chunks)
{
	if (method == HAMMING_METHOD_SCAN)
		return 0;
	if (shape->bits > HAMMING_MAX_TABLE_BITS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("codes of %u bits are too long for the chunk tables of index \"%s\"",
						shape->bits, RelationGetRelationName(index)),
				 errdetail("Chunk tables take codes of at most %d bits.", HAMMING_MAX_TABLE_BITS),
				 errhint("Build the index WITH (method = scan).")));

	if (chunks == 0)
		chunks = Min(Max(shape->bits / BITS_A_CHUNK, LEAST_CHUNKS), MOST_CHUNKS);
	return Min((uint32) chunks, shape->bits);
}

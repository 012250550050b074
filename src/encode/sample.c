/*
 * sample.c
 *	  A random sample of the rows of a table, in random order.
 *
 * Every row is read once and each is as likely to stay (reservoir sampling; Vitter:
 * Random Sampling with a Reservoir, 1985, algorithm R). So the whole table is read,
 * but a view or a table whose rows lie in an order is sampled as well as any other.
 */
#include "hashidx.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "encode/progress.h"
#include "encode/sample.h"
#include "math/random.h"

/* Streams of random numbers, apart from those that trainers draw from the same seed. */
#define KEEP_STREAM (UINT64CONST(1) << 48)
#define ORDER_STREAM (KEEP_STREAM + 1)

#define REPORTED_ROWS 1024		/* the progress is told after so many */
#define FIRST_ROOM 1024			/* rows; it grows as they come */

/* A number below n that depends on the seed alone. */
static uint64
choose(uint64 seed, uint64 stream, uint64 counter, uint64 n)
{
	return hx_random(seed, stream, counter) % n;
}

/* Bytes of one row with its number. */
static Size
row_bytes(const Sample *sample)
{
	Size		bytes = sizeof(int64);

	for (int i = 0; i < sample->column_count; i++)
		bytes += hx_rows_bytes(&sample->columns[i]);
	return bytes;
}

/*
 * Called when the first row tells what a row takes: cuts the wish to the memory there is. Of
 * that the usual sample leaves half, as some trainers work on a copy of it.
 */
static void
keep_limit(Sample *sample)
{
	uint64		limit = (uint64) maintenance_work_mem * 1024 / row_bytes(sample);

	if (sample->wanted <= (sample->exact ? limit : limit / 2))
		return;
	if (sample->exact)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a sample of %llu rows does not fit into maintenance_work_mem",
						(unsigned long long) sample->wanted),
				 errdetail("It holds %llu rows of %zu bytes.",
						   (unsigned long long) limit, row_bytes(sample)),
				 errhint("Raise maintenance_work_mem to %llu kB, or make the sample smaller.",
						 (unsigned long long) (sample->wanted * row_bytes(sample) / 1024 + 1))));
	sample->wanted = Max(limit / 2, 1);
}

static void *
grow(void *memory, MemoryContext context, Size bytes)
{
	return memory == NULL ? MemoryContextAllocHuge(context, bytes) : repalloc_huge(memory, bytes);
}

/* Room for `room` rows. */
static void
make_room(Sample *sample, MemoryContext context, uint64 room)
{
	sample->numbers = grow(sample->numbers, context, room * sizeof(int64));
	for (int i = 0; i < sample->column_count; i++)
		sample->rows[i] = grow(sample->rows[i], context,
							   room * hx_rows_bytes(&sample->columns[i]));
}

static void
put_row(Sample *sample, uint64 place, int64 number)
{
	sample->numbers[place] = number;
	for (int i = 0; i < sample->column_count; i++)
	{
		Size		bytes = hx_rows_bytes(&sample->columns[i]);

		memcpy(sample->rows[i] + place * bytes, sample->columns[i].value, bytes);
	}
}

static void
swap_bytes(char *a, char *b, char *spare, Size bytes)
{
	memcpy(spare, a, bytes);
	memcpy(a, b, bytes);
	memcpy(b, spare, bytes);
}

/* Fisher and Yates: every order is as likely. */
static void
shuffle(Sample *sample)
{
	char	   *spare = palloc(row_bytes(sample));

	for (uint64 left = sample->count; left > 1; left--)
	{
		uint64		last = left - 1;
		uint64		other = choose(sample->seed, ORDER_STREAM, last, left);

		CHECK_FOR_INTERRUPTS();
		if (other == last)
			continue;
		swap_bytes((char *) &sample->numbers[other], (char *) &sample->numbers[last],
				   spare, sizeof(int64));
		for (int i = 0; i < sample->column_count; i++)
		{
			Size		bytes = hx_rows_bytes(&sample->columns[i]);

			swap_bytes(sample->rows[i] + other * bytes, sample->rows[i] + last * bytes,
					   spare, bytes);
		}
	}
	pfree(spare);
}

void
hx_sample_read(Sample *sample, MemoryContext context)
{
	Rows	   *rows = hx_rows_open(sample->source, sample->columns, sample->column_count,
									sample->unset, sample->call);
	uint64		room = 0;

	for (int64 number = 0; hx_rows_next(rows); number++)
	{
		uint64		place = sample->count;

		if (number == 0)
			keep_limit(sample);
		if (number % REPORTED_ROWS == 0)
			hx_progress_report(HX_PHASE_READING, number, 0);
		if (sample->count == sample->wanted)
			place = choose(sample->seed, KEEP_STREAM, number, number + 1);
		else
			sample->count++;
		if (sample->count > room)
		{
			room = Min(Max(room * 2, FIRST_ROOM), sample->wanted);
			make_room(sample, context, room);
		}
		if (place < sample->count)
			put_row(sample, place, number);
	}
	hx_rows_close(rows);
	shuffle(sample);
}

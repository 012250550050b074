/*
 * model_store.c
 *	  The stored form of a model: writing it, and reading bytes that may be hostile.
 *
 * model.h has the layout. There is exactly one stored form of each model: what is
 * read without complaint would be written back byte by byte.
 */
#include "hash/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NO_STEP 0xffff			/* HX_MODEL_INPUT, as it is stored */
#define CRC_OFFSET 20

static uint16_t
get_u16(const uint8_t *bytes)
{
	return (uint16_t) (bytes[0] | bytes[1] << 8);
}

static uint32_t
get_u32(const uint8_t *bytes)
{
	return get_u16(bytes) | (uint32_t) get_u16(bytes + 2) << 16;
}

static uint64_t
get_u64(const uint8_t *bytes)
{
	return get_u32(bytes) | (uint64_t) get_u32(bytes + 4) << 32;
}

static void
put_u16(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t) value;
	bytes[1] = (uint8_t) (value >> 8);
}

static void
put_u32(uint8_t *bytes, uint32_t value)
{
	put_u16(bytes, value);
	put_u16(bytes + 2, value >> 16);
}

static void
put_u64(uint8_t *bytes, uint64_t value)
{
	put_u32(bytes, (uint32_t) value);
	put_u32(bytes + 4, (uint32_t) (value >> 32));
}

/* What CRC-32C makes of k zero bytes after each byte: table[k][byte]. */
typedef uint32_t CrcTable[8][256];

/* Made anew each time: it costs less than reading the bytes of a small model. */
static void
make_crc_table(CrcTable table)
{
	for (uint32_t byte = 0; byte < 256; byte++)
	{
		uint32_t	crc = byte;

		/* Castagnoli's polynomial, lowest bit first. */
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
		table[0][byte] = crc;
	}
	for (int k = 1; k < 8; k++)
		for (int byte = 0; byte < 256; byte++)
			table[k][byte] = table[k - 1][byte] >> 8 ^ table[0][table[k - 1][byte] & 0xff];
}

/* Eight bytes a step (Kounavis and Berry 2005). */
static uint32_t
add_to_crc(const CrcTable table, uint32_t crc, const uint8_t *bytes, size_t size)
{
	for (; size >= 8; bytes += 8, size -= 8)
	{
		uint32_t	low = get_u32(bytes) ^ crc;
		uint32_t	high = get_u32(bytes + 4);

		crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^
			table[5][low >> 16 & 0xff] ^ table[4][low >> 24] ^
			table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^
			table[1][high >> 16 & 0xff] ^ table[0][high >> 24];
	}
	for (; size > 0; bytes++, size--)
		crc = crc >> 8 ^ table[0][(crc ^ *bytes) & 0xff];
	return crc;
}

/* CRC-32C of all bytes but those that hold it. */
static uint32_t
stored_crc(const uint8_t *bytes, size_t size, HxModelPause pause)
{
	const size_t most = (size_t) HX_MODEL_PIECE * 4;
	CrcTable	table;
	uint32_t	crc;
	size_t		piece;

	make_crc_table(table);
	crc = add_to_crc(table, UINT32_MAX, bytes, CRC_OFFSET);
	for (size_t at = CRC_OFFSET + 4; at < size; at += piece)
	{
		hx_model_pause(pause);
		piece = size - at < most ? size - at : most;
		crc = add_to_crc(table, crc, bytes + at, piece);
	}
	return ~crc;
}

size_t
hx_model_stored_size(const HxModel *model)
{
	size_t		size = HX_MODEL_HEADER;

	for (int i = 0; i < model->step_count; i++)
		size += HX_MODEL_STEP_HEADER + (size_t) model->steps[i].param_count * 4;
	return size;
}

static uint8_t *
store_step(const HxStep *step, HxModelPause pause, uint8_t *bytes)
{
	put_u16(bytes, (uint32_t) step->op);
	put_u16(bytes + 2, (uint32_t) step->input);
	put_u16(bytes + 4, (uint32_t) step->input2);
	put_u16(bytes + 6, 0);
	put_u32(bytes + 8, step->outputs);
	put_u32(bytes + 12, step->detail);
	put_u64(bytes + 16, step->seed);
	put_u32(bytes + 24, step->param_count);
	put_u32(bytes + 28, 0);
	bytes += HX_MODEL_STEP_HEADER;

	for (uint32_t i = 0; i < step->param_count; i++, bytes += 4)
	{
		uint32_t	bits;

		if (i % HX_MODEL_PIECE == 0)
			hx_model_pause(pause);
		memcpy(&bits, &step->params[i], sizeof(bits));
		put_u32(bytes, bits);
	}
	return bytes;
}

void
hx_model_store(const HxModel *model, HxModelPause pause, uint8_t *bytes)
{
	uint8_t    *at = bytes + HX_MODEL_HEADER;

	put_u32(bytes, HX_MODEL_MAGIC);
	put_u16(bytes + 4, HX_MODEL_FORMAT);
	put_u16(bytes + 6, (uint32_t) model->kind);
	put_u32(bytes + 8, model->dims);
	put_u32(bytes + 12, model->outputs);
	put_u16(bytes + 16, (uint32_t) model->step_count);
	put_u16(bytes + 18, 0);
	for (int i = 0; i < model->step_count; i++)
		at = store_step(&model->steps[i], pause, at);
	put_u32(bytes + CRC_OFFSET, stored_crc(bytes, (size_t) (at - bytes), pause));
}

/* What is being read. */
typedef struct Reader
{
	const uint8_t *bytes;		/* the next one */
	size_t		size;			/* bytes left */
	float	   *floats;			/* where the next parameters go */
	HxModelPause pause;
	char	   *problem;
	size_t		problem_size;
} Reader;

/* Writes what is wrong; always false. */
static bool __attribute__((format(printf, 2, 3)))
complain(const Reader *reader, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vsnprintf(reader->problem, reader->problem_size, format, args);
	va_end(args);
	return false;
}

/* Magic, checksum and format, and the fields that follow. */
static bool
load_header(Reader *reader, HxModel *model, bool *newer)
{
	const uint8_t *bytes = reader->bytes;

	if (reader->size < HX_MODEL_HEADER)
		return complain(reader, "The model has %zu bytes, less than its header.", reader->size);
	if (reader->size > HX_MODEL_MAX_BYTES)
		return complain(reader, "The model has %zu bytes, which must be %d at most.",
						reader->size, HX_MODEL_MAX_BYTES);
	if (get_u32(bytes) != HX_MODEL_MAGIC)
		return complain(reader, "The bytes do not begin as a model does.");
	if (get_u32(bytes + CRC_OFFSET) != stored_crc(bytes, reader->size, reader->pause))
		return complain(reader, "The checksum of the model is wrong.");
	if (get_u16(bytes + 4) != HX_MODEL_FORMAT)
	{
		*newer = get_u16(bytes + 4) > HX_MODEL_FORMAT;
		return complain(reader, "The model has the format %d, but this version reads %d.",
						get_u16(bytes + 4), HX_MODEL_FORMAT);
	}
	if (get_u16(bytes + 18) != 0)
		return complain(reader, "A reserved field of the model is not 0.");
	if (get_u16(bytes + 16) > HX_MODEL_MAX_STEPS)
		return complain(reader, "The model has %d steps, which must be 1 to %d.",
						get_u16(bytes + 16), HX_MODEL_MAX_STEPS);

	hx_model_init(model, (HxModelKind) get_u16(bytes + 6), get_u32(bytes + 8));
	model->outputs = get_u32(bytes + 12);
	model->step_count = get_u16(bytes + 16);
	reader->bytes += HX_MODEL_HEADER;
	reader->size -= HX_MODEL_HEADER;
	return true;
}

static int
stored_input(uint16_t number)
{
	return number == NO_STEP ? HX_MODEL_INPUT : number;
}

/*
 * Copies the parameters of a step to where the model may point: its matrix, which follows
 * `lead` other numbers, to the beginning of a cache line, so that no register full of it needs
 * two of them.
 */
static const float *
take_params(Reader *reader, uint32_t lead, uint32_t count)
{
	const size_t place = (uintptr_t) (reader->floats + lead) / sizeof(float) % HX_MODEL_LINE;
	float	   *params = reader->floats + (HX_MODEL_LINE - place) % HX_MODEL_LINE;

	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t	bits = get_u32(reader->bytes + (size_t) i * 4);

		if (i % HX_MODEL_PIECE == 0)
			hx_model_pause(reader->pause);
		memcpy(&params[i], &bits, sizeof(bits));
	}
	reader->bytes += (size_t) count * 4;
	reader->size -= (size_t) count * 4;
	reader->floats = params + count;
	return params;
}

static bool
load_step(Reader *reader, int number, HxStep *step)
{
	const uint8_t *bytes = reader->bytes;

	if (reader->size < HX_MODEL_STEP_HEADER)
		return complain(reader, "The model ends within step %d.", number + 1);
	if (get_u16(bytes + 6) != 0 || get_u32(bytes + 28) != 0)
		return complain(reader, "A reserved field of step %d is not 0.", number + 1);

	*step = (HxStep) {
		.op = (HxStepOp) get_u16(bytes),
		.input = stored_input(get_u16(bytes + 2)),
		.input2 = stored_input(get_u16(bytes + 4)),
		.outputs = get_u32(bytes + 8),
		.detail = get_u32(bytes + 12),
		.seed = get_u64(bytes + 16),
		.param_count = get_u32(bytes + 24),
	};
	reader->bytes += HX_MODEL_STEP_HEADER;
	reader->size -= HX_MODEL_STEP_HEADER;

	if (step->param_count > reader->size / 4)
		return complain(reader, "The model ends within the parameters of step %d.", number + 1);
	step->params = take_params(reader, step->op == HX_STEP_GAUSSIAN ? 1 : 0, step->param_count);
	return true;
}

static bool
load_model(Reader *reader, HxModel *model, bool *newer)
{
	if (!load_header(reader, model, newer))
		return false;
	for (int number = 0; number < model->step_count; number++)
	{
		if (!load_step(reader, number, &model->steps[number]))
			return false;
	}
	if (reader->size > 0)
		return complain(reader, "%zu bytes follow the last step of the model.", reader->size);
	return hx_model_check(model, reader->pause, reader->problem, reader->problem_size) == NULL;
}

const char *
hx_model_load(const uint8_t *bytes, size_t size, float *floats, HxModelPause pause,
			  HxModel *model, bool *newer, char *problem, size_t problem_size)
{
	Reader		reader = {bytes, size, floats, pause, problem, problem_size};

	*newer = false;
	return load_model(&reader, model, newer) ? NULL : problem;
}

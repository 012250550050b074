/*
 * qvec.c
 *	  Making a qvec from floats and reading it as floats: the one place that
 *	  knows the layout and keeps the canonical form of qvec.h.
 */
#include "hashidx.h"

#include <math.h>

#include "kernel/kernel.h"
#include "math/finite.h"
#include "quant/scalar.h"
#include "type/qvec.h"
#include "type/toast.h"

/* int8 and int4 keep the least and the greatest number in front of the codes. */
#define RANGE_BYTES (2 * sizeof(float))

static const char *const format_names[QVEC_FORMATS] = {"f32", "f16", "int8", "int4"};

const char *
hx_qvec_format_name(QvecFormat format)
{
	return format_names[format];
}

static int
code_bits(QvecFormat format)
{
	return format == QVEC_INT8 ? 8 : 4;
}

Size
hx_qvec_data_bytes(int dims, QvecFormat format)
{
	switch (format)
	{
		case QVEC_F32:
			return dims * sizeof(float);
		case QVEC_F16:
			return dims * sizeof(uint16);
		case QVEC_INT8:
		case QVEC_INT4:
			return RANGE_BYTES + hx_scalar_bytes(dims, code_bits(format));
	}
	pg_unreachable();
}

bool
hx_qvec_check_dims(int dims, struct Node *escontext)
{
	if (dims < 1 || dims > HX_QVEC_MAX_DIMS)
		ereturn(escontext, false,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("a qvec must have between 1 and %d dimensions", HX_QVEC_MAX_DIMS),
				 errdetail("This one would have %d.", dims)));
	return true;
}

void
hx_qvec_check_same_dims(int a, int b)
{
	if (a != b)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("qvecs have different dimensions"),
				 errdetail("One has %d dimensions, the other %d.", a, b)));
}

bool
hx_qvec_check_typmod(int dims, int32 typmod, struct Node *escontext)
{
	if (!hx_qvec_typmod_is_valid(typmod))
		ereturn(escontext, false,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid type modifier for type %s", "qvec"),
				 errdetail("No qvec(dimensions, format) has the number %d.", typmod)));
	if (typmod >= 0 && dims != hx_qvec_typmod_dims(typmod))
		ereturn(escontext, false,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("qvec has the wrong number of dimensions"),
				 errdetail("It has %d dimensions, but the type asks for %d.",
						   dims, hx_qvec_typmod_dims(typmod))));
	return true;
}

static bool
check_finite(const float *values, int dims, struct Node *escontext)
{
	if (hx_all_finite(values, dims))
		return true;
	for (int i = 0; i < dims; i++)
	{
		if (isfinite(values[i]))
			continue;
		if (isnan(values[i]))
			ereturn(escontext, false,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("NaN is not allowed in a qvec"),
					 errdetail("Dimension %d is not a number.", i + 1)));
		ereturn(escontext, false,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value out of range for type %s", "qvec"),
				 errdetail("Dimension %d is infinite or beyond the range of type %s.",
						   i + 1, "real")));
	}
	return true;
}

/*
 * Adding 0 turns -0 into 0 and leaves every other number as it is. (Only f32
 * needs this: quant/scalar.c makes no -0, in either direction.)
 */
static void
copy_without_negative_zero(float *to, const float *from, int dims)
{
	for (int i = 0; i < dims; i++)
		to[i] = from[i] + 0.0f;
}

static bool
encode_halves(uint16 *halves, const float *values, int dims, struct Node *escontext)
{
	size_t		bad;

	if (!hx_f16_encode(values, halves, dims, &bad))
		ereturn(escontext, false,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value out of range for qvec format %s", "f16"),
				 errdetail("Dimension %d is %g, and half precision ends at 65504.",
						   (int) bad + 1, values[bad])));
	return true;
}

Qvec *
hx_qvec_make(const float *values, int dims, QvecFormat format, struct Node *escontext)
{
	if (!hx_qvec_check_dims(dims, escontext) || !check_finite(values, dims, escontext))
		return NULL;

	Size		size = HX_QVEC_HEADER + hx_qvec_data_bytes(dims, format);
	Qvec	   *result = palloc(size);

	SET_VARSIZE(result, size);
	result->dims = dims;
	result->format = format;
	switch (format)
	{
		case QVEC_F32:
			copy_without_negative_zero((float *) result->data, values, dims);
			break;
		case QVEC_F16:
			if (!encode_halves((uint16 *) result->data, values, dims, escontext))
				return NULL;
			break;
		case QVEC_INT8:
		case QVEC_INT4:
			{
				float	   *range = (float *) result->data;

				hx_scalar_encode(values, dims, code_bits(format), result->data + RANGE_BYTES,
								 &range[0], &range[1]);
				break;
			}
	}
	return result;
}

Qvec *
hx_qvec_make_typmod(const float *values, int dims, int32 typmod, struct Node *escontext)
{
	if (!hx_qvec_check_typmod(dims, typmod, escontext))
		return NULL;
	return hx_qvec_make(values, dims, typmod < 0 ? QVEC_F32 : hx_qvec_typmod_format(typmod),
						escontext);
}

Qvec *
hx_qvec_from_floats(const float *values, int dims, QvecFormat format)
{
	return hx_qvec_make(values, dims, format, NULL);
}

/*
 * Reads the header of a value whose varlena word is already dealt with, and
 * tells whether it can be believed: everything else is sized by it.
 */
static bool
read_header(QvecView *view, const uint8 *bytes, Size length)
{
	uint16		header[2];

	if (length < sizeof(header))
		return false;
	memcpy(header, bytes, sizeof(header));
	view->dims = header[0];
	view->format = (QvecFormat) header[1];
	return header[0] >= 1 && header[0] <= HX_QVEC_MAX_DIMS && header[1] < QVEC_FORMATS;
}

static void
report_damaged(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("a stored qvec is damaged"),
			 errdetail("Its length does not agree with its dimensions and format.")));
}

QvecView
hx_qvec_view(Datum datum)
{
	struct varlena *value = hx_toast_fetch((struct varlena *) DatumGetPointer(datum));
	const uint8 *bytes = (const uint8 *) VARDATA_ANY(value);
	Size		length = VARSIZE_ANY_EXHDR(value);
	Size		header_bytes = HX_QVEC_HEADER - VARHDRSZ;
	QvecView	view;

	if (!read_header(&view, bytes, length) ||
		length != header_bytes + hx_qvec_data_bytes(view.dims, view.format))
		report_damaged();
	view.data = bytes + header_bytes;
	view.detoasted = (Pointer) value == DatumGetPointer(datum) ? NULL : value;
	return view;
}

QvecView
hx_qvec_header(Datum datum)
{
	struct varlena *start = PG_DETOAST_DATUM_SLICE(datum, 0, HX_QVEC_HEADER - VARHDRSZ);
	QvecView	view;

	if (!read_header(&view, (const uint8 *) VARDATA_ANY(start), VARSIZE_ANY_EXHDR(start)))
		report_damaged();
	view.data = NULL;
	view.detoasted = NULL;
	return view;
}

static float *
decode(const QvecView *view)
{
	float	   *values = palloc(view->dims * sizeof(float));

	switch (view->format)
	{
		case QVEC_F32:
			memcpy(values, view->data, view->dims * sizeof(float));
			break;
		case QVEC_F16:
			hx_kernels->f16_to_f32((const uint16 *) view->data, values, view->dims);
			break;
		case QVEC_INT8:
		case QVEC_INT4:
			{
				float		range[2];

				memcpy(range, view->data, sizeof(range));
				hx_scalar_decode(view->data + RANGE_BYTES, view->dims, code_bits(view->format),
								 range[0], range[1], values);
				break;
			}
	}
	return values;
}

QvecFloats
hx_qvec_floats(Datum datum)
{
	QvecView	view = hx_qvec_view(datum);
	bool		direct = view.format == QVEC_F32 && (uintptr_t) view.data % sizeof(float) == 0;
	float	   *decoded = direct ? NULL : decode(&view);

	return (QvecFloats) {
		.dims = view.dims,
		.format = view.format,
		.values = direct ? (const float *) view.data : decoded,
		.detoasted = view.detoasted,
		.decoded = decoded,
	};
}

void
hx_qvec_release(QvecFloats *floats)
{
	if (floats->decoded != NULL)
		pfree(floats->decoded);
	if (floats->detoasted != NULL)
		pfree(floats->detoasted);
}

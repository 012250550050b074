/*
 * qvec.h
 *	  The type qvec(d [, format]): a vector of d numbers in one of four formats.
 *
 * OFFSET  SIZE  MEANING
 *      0     4  varlena length word (may be a 1-byte header in a tuple)
 *      4     2  dimensions, 1 .. 16,000
 *      6     2  format: 0 f32, 1 f16, 2 int8, 3 int4
 *      8     -  f32: d floats; f16: d IEEE halves;
 *               int8, int4: float low, float high, then d codes of 8 or 4 bits
 *
 * Canonical form: every number is finite and never -0, and encoding what a qvec
 * decodes to gives its bytes back. For int8 and int4 this means that low is
 * code 0, high is the highest code, all codes are 0 when low = high, and an
 * unused nibble is zero. Two qvecs of one format are therefore equal when their
 * bytes are; every function that makes a qvec goes through hx_qvec_make.
 */
#ifndef HX_QVEC_H
#define HX_QVEC_H

#include "hashidx.h"

#define HX_QVEC_MAX_DIMS 16000

struct Node;

typedef enum QvecFormat
{
	QVEC_F32 = 0,
	QVEC_F16 = 1,
	QVEC_INT8 = 2,
	QVEC_INT4 = 3,
} QvecFormat;

#define QVEC_FORMATS 4

typedef struct Qvec
{
	int32		vl_len_;		/* varlena header: do not touch directly */
	uint16		dims;
	uint16		format;
	uint8		data[FLEXIBLE_ARRAY_MEMBER];
} Qvec;

#define HX_QVEC_HEADER offsetof(Qvec, data)

/* A look at a qvec wherever it lies, short varlena header or not: unaligned. */
typedef struct QvecView
{
	int			dims;
	QvecFormat	format;
	const uint8 *data;			/* hx_qvec_data_bytes(dims, format) of them */
	void	   *detoasted;		/* the copy that detoasting made, or NULL */
} QvecView;

/*
 * The numbers of a qvec as floats: points into the value when it is f32 and
 * aligned, otherwise to a palloc'd decoded copy.
 */
typedef struct QvecFloats
{
	int			dims;
	QvecFormat	format;			/* as stored */
	const float *values;
	void	   *detoasted;		/* copies made on the way, or NULL */
	float	   *decoded;
} QvecFloats;

/* Both detoast if needed, into CurrentMemoryContext, and check the header against the length. */
extern QvecView hx_qvec_view(Datum datum);
extern QvecFloats hx_qvec_floats(Datum datum);

/* Dimensions and format alone (data is NULL): reads no more of a toasted value than its start. */
extern QvecView hx_qvec_header(Datum datum);

/* Frees the copies made: for comparisons, which sorts call in a long-lived context. */
extern void hx_qvec_release(QvecFloats *floats);

/*
 * A new qvec of the given format; -0 becomes 0. Errors (softly when escontext
 * can take it, returning NULL) when there are too few or too many dimensions, a
 * number is not finite, or f16 cannot hold it.
 */
extern Qvec *hx_qvec_make(const float *values, int dims, QvecFormat format,
						  struct Node *escontext);

/* The same for the dimensions and format of a typmod; f32 when that is -1. */
extern Qvec *hx_qvec_make_typmod(const float *values, int dims, int32 typmod,
								 struct Node *escontext);

/* The same, always throwing its errors. */
extern Qvec *hx_qvec_from_floats(const float *values, int dims, QvecFormat format);

/* Bytes of `data` that `dims` numbers take. */
extern Size hx_qvec_data_bytes(int dims, QvecFormat format);

/* "f32", "f16", "int8", "int4". */
extern const char *hx_qvec_format_name(QvecFormat format);

/* False (or an error, as escontext says) unless 1 <= dims <= HX_QVEC_MAX_DIMS. */
extern bool hx_qvec_check_dims(int dims, struct Node *escontext);

/* ERRCODE_DATA_EXCEPTION with both numbers unless the dimensions agree. */
extern void hx_qvec_check_same_dims(int a, int b);

/*
 * A typmod of qvec: dimensions in the low 16 bits, the format above them; -1
 * leaves both open.
 */
static inline int32
hx_qvec_typmod(int dims, QvecFormat format)
{
	return (int32) format << 16 | dims;
}

static inline int
hx_qvec_typmod_dims(int32 typmod)
{
	return typmod & 0xffff;
}

static inline QvecFormat
hx_qvec_typmod_format(int32 typmod)
{
	return (QvecFormat) (typmod >> 16);
}

/* Can qvec_typmod_in() have made it? Anyone may call a function with any number. */
static inline bool
hx_qvec_typmod_is_valid(int32 typmod)
{
	return typmod == -1 ||
		(typmod >= 0 && hx_qvec_typmod_format(typmod) < QVEC_FORMATS &&
		 hx_qvec_typmod_dims(typmod) >= 1 && hx_qvec_typmod_dims(typmod) <= HX_QVEC_MAX_DIMS);
}

/*
 * False (or an error, as escontext says) when the typmod is none, or asks for other dimensions.
 * To be called before its format is used.
 */
extern bool hx_qvec_check_typmod(int dims, int32 typmod, struct Node *escontext);

/* The value with the typmod's format (itself when it has it); errors on other dimensions. */
extern Datum hx_qvec_coerce(Datum datum, int32 typmod);

#endif							/* HX_QVEC_H */

/*
 * model.h
 *	  A trained model: a short program of steps on vectors of floats, and the form
 *	  in which it is kept.
 *
 * Every kind of encoder ends as such a program, so there is one validator, one
 * interpreter and one stored form for all of them. The kind is a label; what runs
 * is the program. Running a model is frozen: the same output on every CPU (sums in
 * input order, products and sums rounded separately, exp and tanh of our own).
 *
 * Stored form, little-endian:
 *
 * OFFSET  SIZE  MEANING
 *      0     4  magic 0x4d647848 ("HxdM")
 *      4     2  format version, 1
 *      6     2  kind, HxModelKind
 *      8     4  dimensions of the input
 *     12     4  outputs: bits, dimensions or tokens, as the last step says
 *     16     2  number of steps, 1 .. HX_MODEL_MAX_STEPS
 *     18     2  reserved, 0
 *     20     4  CRC-32C of all bytes but these four
 *     24     -  the steps, one after the other:
 *			 0  2  operation, HxStepOp
 *			 2  2  first input: number of an earlier step, or 0xffff for the model's input
 *			 4  2  second input, or 0xffff
 *			 6  2  reserved, 0
 *			 8  4  outputs of the step
 *			12  4  detail (see HxStepOp)
 *			16  8  seed
 *			24  4  number of parameters
 *			28  4  reserved, 0
 *			32  -  the parameters, floats
 */
#ifndef HX_MODEL_H
#define HX_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HX_MODEL_MAGIC 0x4d647848
#define HX_MODEL_FORMAT 1
#define HX_MODEL_HEADER 24
#define HX_MODEL_STEP_HEADER 32
#define HX_MODEL_MAX_STEPS 64
#define HX_MODEL_MAX_DIMS 16000		/* of the input, and of a vector that comes out: as qvec */
#define HX_MODEL_MAX_WIDTH 65536	/* numbers that a step may put out */
#define HX_MODEL_MAX_BYTES (256 * 1024 * 1024)	/* of the stored form: a value, also as text */
#define HX_MODEL_LINE 16			/* floats of a cache line */
#define HX_MODEL_INPUT (-1)			/* as an input: what the model is given */

/* What the model was made by; the number is stored. */
typedef enum HxModelKind
{
	HX_MODEL_SIMHASH = 1,
	HX_MODEL_SPARSE = 2,
	HX_MODEL_PCA = 3,
	HX_MODEL_ITQ = 4,
	HX_MODEL_KSH = 5,
	HX_MODEL_RECURRENT = 6,
	HX_MODEL_CCA_ITQ = 7,
	HX_MODEL_LAYERS = 8,
	HX_MODEL_ACTIVATION = 9,
	HX_MODEL_PROJECTION = 10,	/* PCA or LeanVec-style, to a vector */
	HX_MODEL_RELATIVE = 11,		/* cosines to anchors, to a vector */
	HX_MODEL_WEIGHTS = 12,		/* masks and diagonal weights, to a vector */
	HX_MODEL_PQ = 13,			/* tokens */
	HX_MODEL_RQ = 14,			/* tokens */
	HX_MODEL_FSQ = 15,			/* tokens */
} HxModelKind;

/*
 * Operations; n numbers come in, m go out. Parameters are floats in the order
 * given. A matrix of n x m is stored input-major: the m weights of input 0, then
 * those of input 1, so that a product runs over outputs side by side. So are
 * anchors and centroids, as the columns of a matrix: the first number of each,
 * then the second of each.
 */
typedef enum HxStepOp
{
	HX_STEP_CENTRE = 1,			/* x - p; n parameters */
	HX_STEP_LINEAR = 2,			/* W x + b; n * m weights, m biases */
	HX_STEP_ROTATE = 3,			/* first m outputs of the blocks of the seeded rotation (simhash);
								 * only signs and ratios mean anything, see math/rotation.h */
	HX_STEP_SPARSE = 4,			/* detail d: each output is the sum of d inputs with signs;
								 * m * d parameters: (index + 1), negative for a minus. With d = 1
								 * it picks numbers. */
	HX_STEP_NORMALISE = 5,		/* x / |x|; zero stays zero */
	HX_STEP_RELU = 6,			/* max(0, x) */
	HX_STEP_TANH = 7,
	HX_STEP_SCALE = 8,			/* x * p, number by number; n parameters */
	HX_STEP_TRUNCATE = 9,		/* the first m of n */
	HX_STEP_GAUSSIAN = 10,		/* exp(-|x - a|^2 * g) - c for m anchors; 1 (g > 0), n * m anchors,
								 * m (c) */
	HX_STEP_COSINES = 11,		/* <x, a> / |x| for m anchors of length 1; zero gives zeros; n * m
								 * anchors */
	HX_STEP_SIGNUM = 12,		/* 1 where x > 0, else -1 */
	HX_STEP_SUBTRACT = 13,		/* first input - second input */
	HX_STEP_CONCAT = 14,		/* first input, then second input */
	HX_STEP_SIGN = 15,			/* last step: code, bit j = x_j > t_j; n thresholds */
	HX_STEP_PQ = 16,			/* last step: m tokens, one a slice of n / m numbers: its nearest of
								 * `detail` centroids; m matrices of (n / m) * detail parameters */
	HX_STEP_RQ = 17,			/* last step: m tokens: level by level the nearest of `detail`
								 * centroids of what is left; m matrices of n * detail parameters */
	HX_STEP_FSQ = 18,			/* last step: m = n tokens: x_j, put through tanh, to one of p_j
								 * levels, 0 .. p_j - 1; n parameters, whole numbers of 2 or more */
} HxStepOp;

typedef struct HxStep
{
	HxStepOp	op;
	int			input;			/* step number, or HX_MODEL_INPUT */
	int			input2;			/* SUBTRACT, CONCAT; else HX_MODEL_INPUT */
	uint32_t	outputs;
	uint32_t	detail;
	uint64_t	seed;
	const float *params;
	uint32_t	param_count;
} HxStep;

/* What comes out of a model. */
typedef enum HxModelOutput
{
	HX_OUTPUT_VECTOR,
	HX_OUTPUT_CODE,
	HX_OUTPUT_TOKENS,
} HxModelOutput;

typedef struct HxModel
{
	HxModelKind kind;
	uint32_t	dims;			/* of the input */
	uint32_t	outputs;		/* of the last step */
	int			step_count;
	HxStep		steps[HX_MODEL_MAX_STEPS];
} HxModel;

/* "simhash", "sparse", ...; NULL for a number that is no kind. */
extern const char *hx_model_kind_name(HxModelKind kind);

/* "centre", "linear", ...; NULL for a number that is no operation. */
extern const char *hx_model_step_name(HxStepOp op);

extern HxModelOutput hx_model_output(const HxModel *model);

/* The step before the signs at the model's end, if it has that operation; else NULL. */
extern const HxStep *hx_model_signed_step(const HxModel *model, HxStepOp op);

/* Numbers that come in where a step's input says `input`: from a step or the model's input. */
extern uint32_t hx_model_width(const HxModel *model, int input);

/* Starts a model without steps. */
extern void hx_model_init(HxModel *model, HxModelKind kind, uint32_t dims);

/*
 * Appends a step that reads the step before it (or the input), or, with
 * hx_model_add2, the two steps named. params must live as long as the model.
 * Returns the step's number. Whether the model makes sense is hx_model_check()'s business.
 */
extern int	hx_model_add(HxModel *model, HxStepOp op, uint32_t outputs, uint32_t detail,
						 uint64_t seed, const float *params, uint32_t param_count);
extern int	hx_model_add2(HxModel *model, HxStepOp op, int input, int input2, uint32_t outputs,
						  uint32_t detail, uint64_t seed, const float *params,
						  uint32_t param_count);

/*
 * Runs between pieces of HX_MODEL_PIECE parameters, a few milliseconds, of what goes over all of a
 * model, so that a large one can be left: it may longjmp. NULL does nothing.
 */
typedef void (*HxModelPause) (void);

#define HX_MODEL_PIECE ((uint32_t) 1 << 20)

static inline void
hx_model_pause(HxModelPause pause)
{
	if (pause != NULL)
		pause();
}

/*
 * NULL, or what is wrong with the model, as a sentence in `problem` (`size`
 * bytes): limits, shapes of neighbouring steps, numbers of parameters, finite
 * parameters, a last step that may be last. Names the step.
 */
extern const char *hx_model_check(const HxModel *model, HxModelPause pause,
								  char *problem, size_t size);

/* Bytes of the stored form, and writing it. The model has passed hx_model_check(). */
extern size_t hx_model_stored_size(const HxModel *model);
extern void hx_model_store(const HxModel *model, HxModelPause pause, uint8_t *bytes);

/* Floats that the parameters of a stored form of `size` bytes take, with the gaps between them. */
static inline size_t
hx_model_floats(size_t size)
{
	return size / 4 + HX_MODEL_MAX_STEPS * HX_MODEL_LINE;
}

/*
 * Reads a stored form, which may be hostile: NULL, or what is wrong, which
 * includes what hx_model_check() finds. `newer` is set when the only trouble is a
 * later format. Parameters are copied to `floats`, which has room for hx_model_floats() of
 * them; the model points there. Matrices begin on a cache line.
 */
extern const char *hx_model_load(const uint8_t *bytes, size_t size, float *floats,
								 HxModelPause pause, HxModel *model, bool *newer,
								 char *problem, size_t problem_size);

/* Floats of scratch that running the model takes. */
extern size_t hx_model_scratch(const HxModel *model);

/*
 * Run a checked model on x (model->dims finite floats). The output must be of that
 * sort: (outputs + 7) / 8 bytes, packed as in hash/hyperplane.h, or `outputs` numbers.
 * False when a number on the way is beyond the range of floats; the output then
 * means nothing.
 */
extern bool hx_model_run_code(const HxModel *model, const float *x, float *scratch, uint8_t *code);
extern bool hx_model_run_vector(const HxModel *model, const float *x, float *scratch, float *out);
extern bool hx_model_run_tokens(const HxModel *model, const float *x, float *scratch,
								uint16_t *tokens);

#endif							/* HX_MODEL_H */

/*
 * target.h
 *	  What a file needs to be compiled for one SIMD level, and to round the same
 *	  way at all of them. For files of the pure-C layers only.
 *
 * The rules stand in the source and not in compiler flags, because PGXS builds
 * the bitcode of a module without the module's flags.
 */
#ifndef HX_TARGET_H
#define HX_TARGET_H

/*
 * From here to the end of the file no product may be fused with the sum that
 * takes it (FMA): a fused pair rounds once instead of twice, and only some CPUs
 * can do it.
 */
#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize ("fp-contract=off")
#else
#error "hashidx needs gcc or clang"
#endif

/*
 * HX_TARGET_PUSH("avx2,popcnt") ... HX_TARGET_POP: the functions between them
 * are compiled for these instructions. Include system headers before.
 */
#define HX_PRAGMA(text) _Pragma(#text)

#if defined(__clang__)
#define HX_TARGET_PUSH(features) \
	HX_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define HX_TARGET_POP HX_PRAGMA(clang attribute pop)
#define HX_UNROLL(times) HX_PRAGMA(unroll times)
#else
#define HX_TARGET_PUSH(features) \
	HX_PRAGMA(GCC push_options) \
	HX_PRAGMA(GCC target(features))
#define HX_TARGET_POP HX_PRAGMA(GCC pop_options)
#define HX_UNROLL(times) HX_PRAGMA(GCC unroll times)
#endif

/*
 * For files with plain loops over all numbers of a vector: gcc at -O2 leaves such loops as
 * they are unless it is told. They round alike, whatever the width.
 */
#if defined(__clang__)
#define HX_VECTORISE_LOOPS
#else
#define HX_VECTORISE_LOOPS HX_PRAGMA(GCC optimize ("tree-vectorize", "vect-cost-model=dynamic"))
#endif

/*
 * A function that must become part of its caller: because its callers specialise
 * it with constants, or because it takes vectors, which have no stable ABI.
 */
#define HX_INLINE static inline __attribute__((always_inline))

#endif							/* HX_TARGET_H */

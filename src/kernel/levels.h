/*
 * levels.h
 *	  The tables of the levels this build has. Only dispatch.c and the level
 *	  files need it.
 */
#ifndef HX_LEVELS_H
#define HX_LEVELS_H

#include "kernel/kernel.h"

extern const HxKernels hx_kernels_generic;

#if defined(__x86_64__)
extern const HxKernels hx_kernels_x86_64_v2;
extern const HxKernels hx_kernels_avx2;
extern const HxKernels hx_kernels_avx512;
#elif defined(__aarch64__)
extern const HxKernels hx_kernels_neon;
#endif

#endif							/* HX_LEVELS_H */

/*
 * cpu.h
 *	  What the CPU, and the operating system on it, can run.
 */
#ifndef HX_CPU_H
#define HX_CPU_H

#include "kernel/kernel.h"

/* Can this machine run code compiled for the level? HX_SIMD_AUTO is none: false. */
extern bool hx_cpu_has(HxSimdLevel level);

#endif							/* HX_CPU_H */

/*
 * hashidx.c
 *	  The module's entry: calls the initialisers of the layers, nothing else.
 */
#include "hashidx.h"

#include "am/hamming/hamming_register.h"
#include "am/hnsw/hnsw_register.h"
#include "am/lsh/lsh_register.h"
#include "guc.h"
#include "kernel/kernel.h"
#include "plan/unread_distance.h"

PG_MODULE_MAGIC_EXT(
					.name = "hashidx",
					.version = HX_VERSION
);

PGDLLEXPORT void _PG_init(void);

/* The kernels come first: the settings choose among them. */
void
_PG_init(void)
{
	hx_kernel_init();
	hx_guc_init();
	hx_hamming_register();
	hx_hnsw_register();
	hx_lsh_register();
	hx_unread_distance_register();
}

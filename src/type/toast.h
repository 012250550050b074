/*
 * toast.h
 *	  Values that lie outside their rows, fetched one after another.
 */
#ifndef HX_TOAST_H
#define HX_TOAST_H

#include "hashidx.h"

/*
 * What PG_DETOAST_DATUM_PACKED() gives, sooner where values are read in the order in which
 * they were stored. Of all the rest that is what is called.
 */
extern struct varlena *hx_toast_fetch(struct varlena *value);

#endif							/* HX_TOAST_H */

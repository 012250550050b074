/*
 * phase.h
 *	  The phases that computations of this folder report (HxReport in math/compute.h).
 */
#ifndef HX_PHASE_H
#define HX_PHASE_H

/* In the comments: what is counted. Where nothing is said, it is not known how far they are. */
typedef enum HxPhase
{
	HX_PHASE_READING,			/* rows read; of how many is not known */
	HX_PHASE_AXES,
	HX_PHASE_ROTATION,			/* rounds; it may end early */
	HX_PHASE_ANCHORS,
	HX_PHASE_BITS,				/* bits learnt */
	HX_PHASE_PLANES,			/* planes of a recurrent code */
	HX_PHASE_CENTROIDS,			/* tokens whose centroids are found */
	HX_PHASE_THRESHOLDS,
	HX_PHASE_NEW_CODES,			/* sweeps over the codes of new rows; it may end early */
	HX_PHASE_CORRECTION,
	HX_PHASE_COMPARING,			/* rows compared with the queries; of how many is not known */
} HxPhase;

#define HX_PHASES (HX_PHASE_COMPARING + 1)

/* For people: "reading rows". */
extern const char *hx_phase_name(HxPhase phase);

#endif							/* HX_PHASE_H */

/*
 * phase.c
 *	  Names of the phases that computations report.
 */
#include "hash/phase.h"

static const char *const names[HX_PHASES] = {
	[HX_PHASE_READING] = "reading rows",
	[HX_PHASE_AXES] = "finding axes",
	[HX_PHASE_ROTATION] = "rotating",
	[HX_PHASE_ANCHORS] = "choosing anchors",
	[HX_PHASE_BITS] = "learning bits",
	[HX_PHASE_PLANES] = "learning planes",
	[HX_PHASE_CENTROIDS] = "finding centroids",
	[HX_PHASE_THRESHOLDS] = "finding thresholds",
	[HX_PHASE_NEW_CODES] = "finding codes of new rows",
	[HX_PHASE_CORRECTION] = "fitting the correction",
	[HX_PHASE_COMPARING] = "comparing rows",
};

const char *
hx_phase_name(HxPhase phase)
{
	return names[phase];
}

/*
 * unread_distance.h
 *	  What the module's entry needs of the planner's hook.
 */
#ifndef HX_UNREAD_DISTANCE_H
#define HX_UNREAD_DISTANCE_H

/* At module load: from now on plans do not compute distances that nobody reads. */
extern void hx_unread_distance_register(void);

#endif							/* HX_UNREAD_DISTANCE_H */

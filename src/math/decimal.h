/*
 * decimal.h
 *	  Reading decimal numbers as strtof() does, in a third of its time or less.
 */
#ifndef HX_DECIMAL_H
#define HX_DECIMAL_H

/*
 * The number at the beginning of `text`, and in *end where it ends: what strtof() says in the C
 * locale, to the bit, whatever the text is. What is not an everyday number is left to it.
 */
extern float hx_read_decimal(const char *text, const char **end);

#endif							/* HX_DECIMAL_H */

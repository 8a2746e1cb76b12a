/* markup: a growing text for HTML and SVG. Byte-stable: the same values give the same bytes in every locale.
 */
#ifndef TIERBED_RECORD_MARKUP_H
#define TIERBED_RECORD_MARKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct markup {
    char *data; /* owned, zero-terminated; NULL while empty */
    size_t used, capacity;
    bool failed; /* sticky: no memory; look at it once at the end */
};

void markup_init(struct markup *markup);
void markup_close(struct markup *markup); /* safe twice */

void markup_raw(struct markup *markup, const char *text); /* as it is */
void markup_text(struct markup *markup,
                 const char *text); /* with & < > " ' escaped; other control bytes dropped */
/* As it is; for formats without %f, whose decimal point depends on the locale, and without foreign text (%s).
 */
void markup_format(struct markup *markup, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A number with at most `decimals` (0..9) decimals, trailing zeros cut, never "-0"; "n/a" for what is not
 * finite. */
void markup_number(struct markup *markup, double value, int decimals);
/* A number with three significant digits: 0.0123, 1.23, 12.3, 123, 1,230. */
void markup_quantity(struct markup *markup, double value);
/* One digit, at most `decimals` (0..9) decimals, and a power of ten: 1.5e-7. 0 for what is smaller than
 * 1e-300. */
void markup_scientific(struct markup *markup, double value, int decimals);
/* At most `digits` (1..9) significant digits; a power of ten beyond 0.0001 and a million: 0.012346, 1.2e7. */
void markup_figure(struct markup *markup, double value, int digits);
/* Thousands apart: 12,345. */
void markup_count(struct markup *markup, uint64_t value);

#endif

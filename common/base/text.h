/* text: quoting text of unknown origin in messages, and finding what a mistyped word was meant to be. */
#ifndef TIERBED_BASE_TEXT_H
#define TIERBED_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_QUOTED_MAX 64 /* room for any result of text_quote, with the terminating zero */

/* Writes `text` (`size` bytes, any content) into `quoted` for use in a message: control bytes become `?`,
 * invalid UTF-8 too, and what is too long ends in "...". Returns `quoted`. */
const char *text_quote(const char *text, size_t size, char quoted[TEXT_QUOTED_MAX]);

/* Decodes one UTF-8 character of data[0..size), size > 0. Returns its length in bytes, 0 when it is invalid
 * (overlong forms, surrogates and values above U+10FFFF are), and the character in `code` (may be NULL). */
size_t text_utf8(const char *data, size_t size, uint32_t *code);

/* Edit distance (insert, delete, replace, swap of neighbours: one each), letter case counting nothing;
 * SIZE_MAX when either text is longer than 63 bytes. */
size_t text_distance(const char *a, const char *b);

/* The search for the best suggestion: offer candidates, then ask. */
struct text_closest {
    const char *word; /* borrowed */
    const char *best; /* borrowed, NULL: nothing close enough (at most a third of the letters differ) */
    size_t distance;
};

static inline struct text_closest text_closest_to(const char *word) {
    return (struct text_closest){.word = word, .distance = SIZE_MAX};
}
void text_closest_offer(struct text_closest *search, const char *candidate);

#endif

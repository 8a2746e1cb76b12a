/* hash: SHA-256 (FIPS 180-4) through OpenSSL EVP, one value type for every identity of the ledger. */
#ifndef TIERBED_LEDGER_HASH_H
#define TIERBED_LEDGER_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_BYTES 32u
#define HASH_TEXT_BYTES 65u /* hexadecimal with the terminating zero */

struct hash {
    uint8_t bytes[HASH_BYTES];
};

/* SHA-256(tag || data); `tag` is ASCII without its zero, NULL for none. */
struct hash hash_of(const char *tag, const void *data, size_t size);
/* SHA-256(tag || a || b). */
struct hash hash_of_two(const char *tag, const void *a, size_t a_size, const void *b, size_t b_size);

static inline bool hash_equal(const struct hash *a, const struct hash *b) {
    return memcmp(a->bytes, b->bytes, HASH_BYTES) == 0;
}
static inline int hash_compare(const struct hash *a, const struct hash *b) {
    return memcmp(a->bytes, b->bytes, HASH_BYTES);
}
/* Where `hash` stands, or would, among `count` elements of `size` bytes that begin with a hash and are sorted
 * by it. `found` says whether it is there. O(log count). */
uint32_t hash_place(const void *elements, uint32_t count, size_t size, const struct hash *hash, bool *found);
/* Zero stands for "none": no block before the first, the vote for nil. */
bool hash_is_zero(const struct hash *hash);

/* Lower-case hexadecimal. */
void hash_text(const struct hash *hash, char text[HASH_TEXT_BYTES]);
/* STATUS via bool: false when `text` is not 64 hexadecimal digits. */
bool hash_parse(const char *text, struct hash *hash);

#endif

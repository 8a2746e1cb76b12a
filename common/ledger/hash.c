#include "common/ledger/hash.h"

#include <assert.h>
#include <openssl/evp.h>
#include <pthread.h>

/* The algorithm as OpenSSL fetched it: set once, constant from then on. EVP_sha256() would be fetched anew
 * for each digest, which makes 65 bytes cost 0.45 us instead of 0.2 us. */
static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void fetch_sha256(void) {
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

struct hash hash_of_two(const char *tag, const void *a, size_t a_size, const void *b, size_t b_size) {
    struct hash hash;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool fine = pthread_once(&sha256_once, fetch_sha256) == 0 && sha256 != NULL && context != NULL &&
                EVP_DigestInit_ex(context, sha256, NULL) == 1;
    fine = fine && (tag == NULL || EVP_DigestUpdate(context, tag, strlen(tag)) == 1);
    fine = fine && (a_size == 0 || EVP_DigestUpdate(context, a, a_size) == 1);
    fine = fine && (b_size == 0 || EVP_DigestUpdate(context, b, b_size) == 1);
    fine = fine && EVP_DigestFinal_ex(context, hash.bytes, NULL) == 1;
    EVP_MD_CTX_free(context);
    assert(fine); /* SHA-256 of bytes in memory fails only without memory or without its library */
    (void)fine;
    return hash;
}

struct hash hash_of(const char *tag, const void *data, size_t size) {
    return hash_of_two(tag, data, size, NULL, 0);
}

bool hash_is_zero(const struct hash *hash) {
    static const struct hash zero;
    return hash_equal(hash, &zero);
}

uint32_t hash_place(const void *elements, uint32_t count, size_t size, const struct hash *hash, bool *found) {
    const uint8_t *bytes = elements;
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (memcmp(bytes + middle * size, hash->bytes, HASH_BYTES) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < count && memcmp(bytes + low * size, hash->bytes, HASH_BYTES) == 0;
    return low;
}

void hash_text(const struct hash *hash, char text[HASH_TEXT_BYTES]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < HASH_BYTES; i++) {
        text[2 * i] = digits[hash->bytes[i] >> 4];
        text[2 * i + 1] = digits[hash->bytes[i] & 15];
    }
    text[2 * (size_t)HASH_BYTES] = '\0';
}

static int digit_value(char digit) {
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool hash_parse(const char *text, struct hash *hash) {
    struct hash parsed;
    for (size_t i = 0; i < HASH_BYTES; i++) {
        int high = digit_value(text[2 * i]);
        int low = high < 0 ? -1 : digit_value(text[2 * i + 1]);
        if (low < 0)
            return false;
        parsed.bytes[i] = (uint8_t)(high * 16 + low);
    }
    if (text[2 * (size_t)HASH_BYTES] != '\0')
        return false;
    *hash = parsed;
    return true;
}

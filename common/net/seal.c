#include "common/net/seal.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "common/base/bytes.h"

#define KEY_TAG "tierbed-seal-v1"

bool seal_prepare(void) {
    return sodium_init() >= 0;
}

void seal_secret_of(const uint8_t seed[SEAL_KEY_BYTES], uint8_t secret[SEAL_KEY_BYTES]) {
    uint8_t full[crypto_sign_SECRETKEYBYTES] = {0}; /* only its first half, the seed, is looked at */
    memcpy(full, seed, SEAL_KEY_BYTES);
    int failed = crypto_sign_ed25519_sk_to_curve25519(secret, full);
    assert(failed == 0);
    sodium_memzero(full, sizeof full);
}

void seal_public_of_secret(const uint8_t secret[SEAL_KEY_BYTES], uint8_t public[SEAL_KEY_BYTES]) {
    int failed = crypto_scalarmult_base(public, secret);
    assert(failed == 0);
}

bool seal_public_of(const uint8_t key[SEAL_KEY_BYTES], uint8_t public[SEAL_KEY_BYTES]) {
    return crypto_sign_ed25519_pk_to_curve25519(public, key) == 0;
}

bool seal_shared(const uint8_t secret[SEAL_KEY_BYTES], const uint8_t public[SEAL_KEY_BYTES],
                 uint8_t shared[SEAL_KEY_BYTES]) {
    return crypto_scalarmult(shared, secret, public) == 0;
}

void seal_key(const uint8_t shared[SEAL_KEY_BYTES], const struct seal_direction *direction,
              uint8_t key[SEAL_KEY_BYTES]) {
    uint8_t input[sizeof KEY_TAG + SEAL_NONCE_BYTES + 12];
    struct bytes_writer writer = bytes_writer_over(input, sizeof input);
    bytes_put(&writer, KEY_TAG, sizeof KEY_TAG);
    bytes_put(&writer, direction->nonce, SEAL_NONCE_BYTES);
    bytes_put_u32(&writer, direction->source);
    bytes_put_u32(&writer, direction->destination);
    bytes_put_u32(&writer, direction->incarnation);
    assert(!writer.failed);
    crypto_generichash(key, SEAL_KEY_BYTES, input, sizeof input, shared, SEAL_KEY_BYTES);
}

/* ---- sealing ---- */

_Static_assert(SEAL_TAG_BYTES == crypto_aead_chacha20poly1305_IETF_ABYTES, "the tag of RFC 8439");
_Static_assert(SEAL_KEY_BYTES == crypto_aead_chacha20poly1305_IETF_KEYBYTES, "the key of RFC 8439");

#define NONCE_BYTES crypto_aead_chacha20poly1305_IETF_NPUBBYTES

static void nonce_of(const struct seal_frame *frame, uint8_t nonce[NONCE_BYTES]) {
    struct bytes_writer writer = bytes_writer_over(nonce, NONCE_BYTES);
    bytes_put_u32(&writer, frame->lane);
    bytes_put_u64(&writer, frame->counter);
}

void seal_make(const uint8_t key[SEAL_KEY_BYTES], const struct seal_frame *frame, const uint8_t *text,
               size_t size, uint8_t *sealed) {
    uint8_t nonce[NONCE_BYTES];
    nonce_of(frame, nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt(sealed, NULL, text, size, frame->header, frame->header_bytes,
                                              NULL, nonce, key);
}

bool seal_open(const uint8_t key[SEAL_KEY_BYTES], const struct seal_frame *frame, const uint8_t *sealed,
               size_t size, uint8_t *text) {
    uint8_t nonce[NONCE_BYTES];
    if (size < SEAL_TAG_BYTES)
        return false;
    nonce_of(frame, nonce);
    return crypto_aead_chacha20poly1305_ietf_decrypt(text, NULL, NULL, sealed, size, frame->header,
                                                     frame->header_bytes, nonce, key) == 0;
}

/* ---- replays ---- */

bool seal_window_fresh(const struct seal_window *window, uint64_t counter) {
    if (counter > window->newest)
        return true;
    if (counter == 0 || window->newest - counter >= SEAL_WINDOW)
        return false;
    uint64_t bit = counter % SEAL_WINDOW;
    return (window->seen[bit / 64] >> (bit % 64) & 1u) == 0;
}

void seal_window_mark(struct seal_window *window, uint64_t counter) {
    if (counter > window->newest) {
        uint64_t ahead = counter - window->newest;
        if (ahead >= SEAL_WINDOW) {
            memset(window->seen, 0, sizeof window->seen);
        } else {
            for (uint64_t passed = window->newest + 1; passed < counter; passed++)
                window->seen[passed % SEAL_WINDOW / 64] &= ~((uint64_t)1 << (passed % 64));
        }
        window->newest = counter;
    }
    window->seen[counter % SEAL_WINDOW / 64] |= (uint64_t)1 << (counter % 64);
}

/* seal: authenticated encryption of what nodes say to each other, and the memory that makes a replay show.
 *
 * ChaCha20-Poly1305 (RFC 8439) under a key per direction, run and life of the sender: X25519 of the two
 * nodes' Ed25519 keys, then keyed BLAKE2b over everything the key is for. The nonce is lane and counter, so a
 * key never meets a nonce twice. What lies beside the text (the header) is authenticated with it. */
#ifndef TIERBED_NET_SEAL_H
#define TIERBED_NET_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEAL_KEY_BYTES 32u
#define SEAL_TAG_BYTES 16u /* a sealed text is so much longer */
#define SEAL_NONCE_BYTES 32u
#define SEAL_WINDOW 1024u /* so far behind the newest may a message be and still be told from a replay */

/* Lets libsodium find what this processor can do; without it sealing works, at a quarter of the speed. Once
 * per process is enough. false: there is no source of randomness. */
bool seal_prepare(void);

/* X25519 keys of an Ed25519 key (RFC 7748 from RFC 8032, the birational map). `public` fails for points of
 * small order and for what is no point. */
void seal_secret_of(const uint8_t seed[SEAL_KEY_BYTES], uint8_t secret[SEAL_KEY_BYTES]);
void seal_public_of_secret(const uint8_t secret[SEAL_KEY_BYTES], uint8_t public[SEAL_KEY_BYTES]);
bool seal_public_of(const uint8_t key[SEAL_KEY_BYTES], uint8_t public[SEAL_KEY_BYTES]);
/* The secret two nodes share; false for a public key that gives none. */
bool seal_shared(const uint8_t secret[SEAL_KEY_BYTES], const uint8_t public[SEAL_KEY_BYTES],
                 uint8_t shared[SEAL_KEY_BYTES]);

/* One direction between two nodes during one life of the sender. */
struct seal_direction {
    const uint8_t *nonce; /* of the run, SEAL_NONCE_BYTES */
    uint32_t source, destination, incarnation;
};
void seal_key(const uint8_t shared[SEAL_KEY_BYTES], const struct seal_direction *direction,
              uint8_t key[SEAL_KEY_BYTES]);

/* What a seal is made with, beside the key. The pair (lane, counter) is used once per key. */
struct seal_frame {
    uint32_t lane;
    uint64_t counter;
    const uint8_t *header; /* authenticated, not encrypted */
    size_t header_bytes;
};
/* `sealed` has room for size + SEAL_TAG_BYTES. */
void seal_make(const uint8_t key[SEAL_KEY_BYTES], const struct seal_frame *frame, const uint8_t *text,
               size_t size, uint8_t *sealed);
/* `size` counts the sealed bytes; `text` has room for them. false: forged, damaged or cut short; `text` is
 * then of no use. */
bool seal_open(const uint8_t key[SEAL_KEY_BYTES], const struct seal_frame *frame, const uint8_t *sealed,
               size_t size, uint8_t *text);

/* Counters seen, in the manner of RFC 6479: links may reorder. Zero-filled is new; counters start at 1. */
struct seal_window {
    uint64_t newest;
    uint64_t seen[SEAL_WINDOW / 64];
};
/* Has `counter` not been seen? Counters too old to tell count as seen. */
bool seal_window_fresh(const struct seal_window *window, uint64_t counter);
/* After the seal opened, and only then. */
void seal_window_mark(struct seal_window *window, uint64_t counter);

#endif

/* signature_cache: which signatures were verified already, so that each is verified once
 * (specs/chain.md, 1.12).
 *
 * A precommit is verified when it comes, and again in the certificate, and again in the next block. Whether a
 * signature is good is a pure function of key, signature and message, so remembering the answer hides
 * nothing. Only good ones are kept, by SHA-256(key || signature || message), in a table of fixed size where a
 * newer entry replaces an older one: a flood of forgeries costs nothing but their verification. Not
 * thread-safe. */
#ifndef TIERBED_LEDGER_SIGNATURE_CACHE_H
#define TIERBED_LEDGER_SIGNATURE_CACHE_H

#include "common/ledger/genesis.h"

struct signature_cache {
    uint32_t mask;        /* entries - 1 */
    struct hash *entries; /* owned; zero: free */
    uint64_t hits, misses;
};

/* `entries` is a power of two. STATUS_MEMORY. */
enum status signature_cache_init(struct signature_cache *cache, uint32_t entries);
void signature_cache_close(struct signature_cache *cache);

/* signature_valid through genesis->verified (NULL: verifies every time). */
bool genesis_signature_valid(const struct genesis *genesis, const struct signature *signature,
                             const struct public_key *key, const void *data, size_t size);

#endif

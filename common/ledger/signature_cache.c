/* signature_cache: one probe by the first bytes of the hash, no chains. */
#include "common/ledger/signature_cache.h"

#include <assert.h>
#include <stdlib.h>

enum status signature_cache_init(struct signature_cache *cache, uint32_t entries) {
    assert(entries != 0 && (entries & (entries - 1)) == 0);
    *cache = (struct signature_cache){.mask = entries - 1};
    cache->entries = calloc(entries, sizeof *cache->entries);
    return cache->entries == NULL ? STATUS_MEMORY : STATUS_OK;
}

void signature_cache_close(struct signature_cache *cache) {
    free(cache->entries);
    *cache = (struct signature_cache){0};
}

/* SHA-256("sig" || key || signature || SHA-256(message)): one length whatever the message. */
static struct hash probe_of(const struct signature *signature, const struct public_key *key, const void *data,
                            size_t size) {
    struct hash message = hash_of(NULL, data, size);
    uint8_t whole[PUBLIC_KEY_BYTES + SIGNATURE_BYTES];
    memcpy(whole, key->bytes, PUBLIC_KEY_BYTES);
    memcpy(whole + PUBLIC_KEY_BYTES, signature->bytes, SIGNATURE_BYTES);
    return hash_of_two("sig", whole, sizeof whole, message.bytes, HASH_BYTES);
}

bool genesis_signature_valid(const struct genesis *genesis, const struct signature *signature,
                             const struct public_key *key, const void *data, size_t size) {
    struct signature_cache *cache = genesis->verified;
    if (cache == NULL)
        return signature_valid(signature, key, data, size);
    struct hash probe = probe_of(signature, key, data, size);
    uint32_t place;
    memcpy(&place, probe.bytes, sizeof place);
    struct hash *entry = &cache->entries[place & cache->mask];
    if (hash_equal(entry, &probe)) {
        cache->hits++;
        return true;
    }
    cache->misses++;
    if (!signature_valid(signature, key, data, size))
        return false;
    *entry = probe;
    return true;
}

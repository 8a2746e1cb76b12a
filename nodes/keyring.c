#include "nodes/keyring.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/net/seal.h"
#include "nodes/join.h"

#define JOIN_BYTES ((size_t)1 << 20) /* of one message */

bool keyring_must_join(const struct keyring_config *config) {
    return config->scenario->identity.keys[0] != '\0' ||
           (config->rank_count > 1 && config->topology->node_count <= KEYRING_SEEDED_JOIN_MAX);
}

static bool has_directory(const struct keyring *keyring) {
    return keyring->config.scenario->identity.keys[0] != '\0';
}

static bool is_here(const struct keyring *keyring, uint32_t node) {
    const struct keyring_config *config = &keyring->config;
    return config->rank_of_node == NULL || config->rank_of_node[node] == config->rank;
}

enum status keyring_open(struct keyring *keyring, const struct keyring_config *config, struct error *error) {
    uint32_t node_count = config->topology->node_count;
    *keyring = (struct keyring){.config = *config};
    if (!seal_prepare())
        return error_set(error, STATUS_UNSUPPORTED, "libsodium does not start on this machine");
    keyring->joins = keyring_must_join(config);
    keyring->nodes = calloc(node_count, sizeof *keyring->nodes);
    if (keyring->nodes == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the keys of %u nodes", node_count);
    for (uint32_t id = 0; id < node_count; id++)
        keyring->nodes[id].verdict = keyring->joins ? JOIN_ABSENT : JOIN_ADMITTED;
    return STATUS_OK;
}

void keyring_close(struct keyring *keyring) {
    if (keyring->shared != NULL)
        sodium_memzero(keyring->shared, (size_t)keyring->config.topology->link_count * SEAL_KEY_BYTES);
    if (keyring->nodes != NULL)
        sodium_memzero(keyring->nodes, keyring->config.topology->node_count * sizeof *keyring->nodes);
    free(keyring->nodes);
    free(keyring->shared);
    free(keyring->has_shared);
    free(keyring->join);
    *keyring = (struct keyring){0};
}

bool keyring_admits(const struct keyring *keyring, uint32_t node) {
    return keyring->nodes[node].verdict == JOIN_ADMITTED;
}

static bool seed_of(const struct keyring *keyring, uint32_t node, uint8_t seed[IDENTITY_KEY_BYTES]) {
    const struct scenario *scenario = keyring->config.scenario;
    if (has_directory(keyring))
        return identity_load_key(scenario->identity.keys, keyring->config.topology->nodes[node].name, seed,
                                 NULL) == STATUS_OK;
    identity_key_seed(scenario->seed, node, seed);
    return true;
}

/* ---- joining ---- */

static bool make_certificate(const struct keyring *keyring, const struct identity_authority *authority,
                             uint32_t node, const uint8_t seed[IDENTITY_KEY_BYTES],
                             struct identity_certificate *certificate) {
    const struct topology_node *info = &keyring->config.topology->nodes[node];
    struct identity_subject subject;
    if (authority == NULL)
        return identity_load_certificate(keyring->config.scenario->identity.keys, info->name, certificate,
                                         NULL) == STATUS_OK;
    snprintf(subject.name, sizeof subject.name, "%s", info->name);
    snprintf(subject.role, sizeof subject.role, "%s", node_role_name(info->role));
    identity_public_key(seed, subject.key);
    return identity_issue(authority, &subject, identity_serial(node), certificate, NULL) == STATUS_OK;
}

static void speak_for(const struct keyring *keyring, const struct identity_authority *authority,
                      uint32_t node, struct bytes_writer *writer) {
    uint8_t seed[IDENTITY_KEY_BYTES], signature[IDENTITY_SIGNATURE_BYTES];
    struct identity_certificate certificate = {.bytes = 0};
    struct identity_claim claim = {
        .nonce = keyring->config.nonce, .node = node, .rank = keyring->config.rank};
    if (!seed_of(keyring, node, seed) || !make_certificate(keyring, authority, node, seed, &certificate))
        return;
    identity_prove(seed, &claim, signature);
    sodium_memzero(seed, sizeof seed);
    join_put_entry(writer, &(struct join_entry){.node = node,
                                                .certificate = certificate.data,
                                                .certificate_bytes = certificate.bytes,
                                                .signature = signature});
}

/* Without a key directory the authority, too, follows from the seed. */
static struct identity_authority *authority_of_seed(const struct keyring *keyring) {
    uint8_t seed[IDENTITY_KEY_BYTES];
    struct identity_authority *authority = NULL;
    if (has_directory(keyring))
        return NULL;
    identity_authority_seed(keyring->config.scenario->seed, seed);
    return identity_authority_open(seed, &authority, NULL) == STATUS_OK ? authority : NULL;
}

const uint8_t *keyring_next_join(struct keyring *keyring, size_t *size) {
    uint32_t node_count = keyring->config.topology->node_count;
    if (!keyring->joins || keyring->join_node == node_count)
        return NULL;
    if (keyring->join == NULL)
        keyring->join = memory_grow(NULL, JOIN_BYTES, 1, "what a process says to join");
    struct identity_authority *authority = authority_of_seed(keyring);
    struct bytes_writer writer = bytes_writer_over(keyring->join, JOIN_BYTES);
    for (; keyring->join_node < node_count && JOIN_BYTES - writer.used >= JOIN_ENTRY_BYTES_MAX;
         keyring->join_node++)
        if (is_here(keyring, keyring->join_node))
            speak_for(keyring, authority, keyring->join_node, &writer);
    identity_authority_close(authority);
    *size = writer.used;
    return keyring->join;
}

enum status keyring_take_admission(struct keyring *keyring, const uint8_t *data, size_t size) {
    uint32_t node_count = keyring->config.topology->node_count;
    struct bytes_reader reader = bytes_reader_over(data, size);
    if (size != (size_t)node_count * JOIN_ADMISSION_BYTES)
        return STATUS_INVALID;
    for (uint32_t id = 0; id < node_count; id++)
        keyring->nodes[id].verdict = (uint8_t)join_get_admission(&reader, keyring->nodes[id].key);
    if (bytes_done(&reader))
        return STATUS_OK;
    for (uint32_t id = 0; id < node_count; id++)
        keyring->nodes[id].verdict = JOIN_ABSENT;
    return STATUS_INVALID;
}

/* ---- sessions ---- */

static bool find_secret(struct keyring *keyring, uint32_t node) {
    struct keyring_node *known = &keyring->nodes[node];
    uint8_t seed[IDENTITY_KEY_BYTES];
    if (known->has_secret)
        return true;
    if (!seed_of(keyring, node, seed))
        return false;
    seal_secret_of(seed, known->secret);
    sodium_memzero(seed, sizeof seed);
    known->has_secret = true;
    return true;
}

static bool find_exchange(struct keyring *keyring, uint32_t node) {
    struct keyring_node *known = &keyring->nodes[node];
    if (known->has_exchange || known->barren)
        return known->has_exchange;
    known->has_exchange = seal_public_of(known->key, known->exchange);
    known->barren = !known->has_exchange;
    return known->has_exchange;
}

/* Without a join every key follows from the seed, and so may what two nodes share, at a hundredth of the
 * cost. */
static void share_seed(const struct keyring *keyring, uint32_t one, uint32_t other, uint8_t *shared) {
    static const uint8_t purpose[] = "tierbed-shared-by-seed-v1";
    uint8_t input[16];
    struct bytes_writer writer = bytes_writer_over(input, sizeof input);
    bytes_put_u64(&writer, keyring->config.scenario->seed);
    bytes_put_u32(&writer, one < other ? one : other);
    bytes_put_u32(&writer, one < other ? other : one);
    crypto_generichash(shared, SEAL_KEY_BYTES, input, sizeof input, purpose, sizeof purpose - 1);
}

static bool make_shared(struct keyring *keyring, uint32_t here, uint32_t there, uint8_t *shared) {
    if (!keyring->joins) {
        share_seed(keyring, here, there, shared);
        return true;
    }
    return find_exchange(keyring, there) && find_secret(keyring, here) &&
           seal_shared(keyring->nodes[here].secret, keyring->nodes[there].exchange, shared);
}

/* Both directions between two nodes, and both ends of each, follow from one secret: where this process has
 * made it before, it is not made again. */
static const uint8_t *shared_of(struct keyring *keyring, uint32_t link) {
    const struct topology *topology = keyring->config.topology;
    const struct topology_link *info = &topology->links[link];
    if (keyring->shared == NULL) {
        keyring->shared = memory_grow(NULL, topology->link_count, SEAL_KEY_BYTES, "secrets between nodes");
        keyring->has_shared = memory_grow(NULL, topology->link_count, sizeof(bool), "secrets between nodes");
        memset(keyring->has_shared, 0, topology->link_count * sizeof(bool));
    }
    uint8_t *shared = keyring->shared + (size_t)link * SEAL_KEY_BYTES;
    if (keyring->has_shared[link])
        return shared;
    uint32_t back = topology_link_between(topology, info->to, info->from);
    if (back != TOPOLOGY_NONE && keyring->has_shared[back]) {
        memcpy(shared, keyring->shared + (size_t)back * SEAL_KEY_BYTES, SEAL_KEY_BYTES);
    } else {
        bool sends = is_here(keyring, info->from);
        if (!make_shared(keyring, sends ? info->from : info->to, sends ? info->to : info->from, shared))
            return NULL;
    }
    keyring->has_shared[link] = true;
    return shared;
}

bool keyring_session(struct keyring *keyring, uint32_t link, uint32_t incarnation,
                     uint8_t key[IDENTITY_KEY_BYTES]) {
    const struct topology_link *info = &keyring->config.topology->links[link];
    assert(is_here(keyring, info->from) || is_here(keyring, info->to));
    if (!keyring_admits(keyring, info->from) || !keyring_admits(keyring, info->to))
        return false;
    const uint8_t *shared = shared_of(keyring, link);
    if (shared == NULL)
        return false;
    seal_key(shared,
             &(struct seal_direction){.nonce = keyring->config.nonce,
                                      .source = info->from,
                                      .destination = info->to,
                                      .incarnation = incarnation},
             key);
    return true;
}

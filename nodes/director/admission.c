#include "nodes/director/admission.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "nodes/join.h"

static enum status load_authority(const char *dir, struct admission *admission, struct error *error) {
    struct error reason = {0};
    enum status status = identity_load_authority(dir, &admission->authority, &reason);
    return status == STATUS_OK ? STATUS_OK
                               : error_set(error, status,
                                           "identity.keys: %.700s; make keys with `tierbed keys init DIR "
                                           "--scenario FILE`",
                                           reason.text);
}

enum status admission_open(struct admission *admission, const struct keyring_config *config,
                           struct error *error) {
    uint32_t node_count = config->topology->node_count;
    const struct scenario *scenario = config->scenario;
    *admission = (struct admission){.config = *config};
    admission->nodes = calloc(node_count, sizeof *admission->nodes);
    admission->heard = calloc(node_count, sizeof *admission->heard);
    if (admission->nodes == NULL || admission->heard == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the admission of %u nodes", node_count);
    for (uint32_t id = 0; id < node_count; id++)
        admission->nodes[id].verdict = JOIN_ABSENT;
    if (scenario->identity.keys[0] != '\0')
        return load_authority(scenario->identity.keys, admission, error);
    uint8_t seed[IDENTITY_KEY_BYTES];
    identity_authority_seed(scenario->seed, seed);
    return identity_authority_open(seed, &admission->authority, error);
}

void admission_close(struct admission *admission) {
    identity_authority_close(admission->authority);
    free(admission->nodes);
    free(admission->heard);
    free(admission->result);
    *admission = (struct admission){0};
}

static enum join_verdict judge(const struct admission *admission, uint32_t rank,
                               const struct join_entry *entry, uint8_t key[IDENTITY_KEY_BYTES]) {
    const struct topology_node *info = &admission->config.topology->nodes[entry->node];
    struct identity_claim claim = {.nonce = admission->config.nonce, .node = entry->node, .rank = rank};
    struct identity_subject subject;
    switch (identity_check(admission->authority, entry->certificate, entry->certificate_bytes, &subject)) {
    case IDENTITY_MALFORMED:
        return JOIN_MALFORMED;
    case IDENTITY_FOREIGN:
        return JOIN_FOREIGN;
    case IDENTITY_SOUND:
        break;
    }
    if (strcmp(subject.name, info->name) != 0)
        return JOIN_WRONG_NAME;
    if (strcmp(subject.role, node_role_name(info->role)) != 0)
        return JOIN_WRONG_ROLE;
    if (!identity_proven(subject.key, &claim, entry->signature))
        return JOIN_UNPROVEN;
    memcpy(key, subject.key, IDENTITY_KEY_BYTES);
    return JOIN_ADMITTED;
}

static bool hosts(const struct admission *admission, uint32_t rank, uint32_t node) {
    const struct keyring_config *config = &admission->config;
    if (node >= config->topology->node_count)
        return false;
    return config->rank_of_node == NULL ? rank == config->rank : config->rank_of_node[node] == rank;
}

void admission_take(struct admission *admission, uint32_t rank, const uint8_t *data, size_t size) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    struct join_entry entry;
    while (join_get_entry(&reader, &entry)) {
        if (!hosts(admission, rank, entry.node) || admission->heard[entry.node])
            continue;
        struct keyring_node *node = &admission->nodes[entry.node];
        admission->heard[entry.node] = true;
        node->verdict = (uint8_t)judge(admission, rank, &entry, node->key);
    }
}

const uint8_t *admission_result(struct admission *admission, size_t *size) {
    uint32_t node_count = admission->config.topology->node_count;
    admission->result = memory_grow(admission->result, node_count, JOIN_ADMISSION_BYTES, "the admission");
    struct bytes_writer writer =
        bytes_writer_over(admission->result, (size_t)node_count * JOIN_ADMISSION_BYTES);
    for (uint32_t id = 0; id < node_count; id++)
        join_put_admission(&writer, (enum join_verdict)admission->nodes[id].verdict,
                           admission->nodes[id].key);
    *size = writer.used;
    return admission->result;
}

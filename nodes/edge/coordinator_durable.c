#include "nodes/edge/coordinator_durable.h"

#include <assert.h>
#include <sodium.h>

#include "common/model/scheme_options.h"

#define MAGIC UINT32_C(0x504b4354) /* "TCKP" */
#define DURABLE_VERSION 2
#define HASH_BYTES crypto_generichash_BYTES_MIN
#define HEAD_BYTES (4 + 1 + 4 * 4 + 4)

static void hash_of(const uint8_t *data, size_t bytes, uint8_t hash[HASH_BYTES]) {
    crypto_generichash(hash, HASH_BYTES, data, bytes, NULL, 0);
}

void coordinator_persist(const struct coordinator *edge, const struct node_env *env, struct outbox *out) {
    size_t bytes = edge->scheme->saved_bytes(edge->scheme_state);
    struct bytes_writer writer = outbox_reserve(out, HEAD_BYTES + bytes + HASH_BYTES);
    uint8_t hash[HASH_BYTES];
    if (out->status != STATUS_OK)
        return;
    bytes_put_u32(&writer, MAGIC);
    bytes_put_u8(&writer, DURABLE_VERSION);
    bytes_put_u32(&writer, env->scenario->scheme);
    bytes_put_u32(&writer, edge->device_count);
    bytes_put_u32(&writer, edge->step_base);
    bytes_put_u32(&writer, edge->next_slot);
    bytes_put_u32(&writer, (uint32_t)bytes);
    edge->scheme->save(edge->scheme_state, &writer);
    hash_of(writer.data, writer.used, hash);
    bytes_put(&writer, hash, sizeof hash);
    assert(!writer.failed && writer.used == HEAD_BYTES + bytes + HASH_BYTES);
    outbox_persist_reserved(out, &writer);
}

enum status coordinator_checkpoint_read(const uint8_t *data, size_t bytes,
                                        struct coordinator_checkpoint *checkpoint, struct error *error) {
    struct bytes_reader reader = bytes_reader_over(data, bytes);
    uint8_t hash[HASH_BYTES];
    *checkpoint = (struct coordinator_checkpoint){0};
    uint32_t magic = bytes_get_u32(&reader);
    uint8_t version = bytes_get_u8(&reader);
    checkpoint->scheme = bytes_get_u32(&reader);
    checkpoint->device_count = bytes_get_u32(&reader);
    checkpoint->step_base = bytes_get_u32(&reader);
    checkpoint->next_slot = bytes_get_u32(&reader);
    checkpoint->saved_bytes = bytes_get_u32(&reader);
    if (reader.failed || magic != MAGIC)
        return error_set(error, STATUS_INVALID, "this is no checkpoint of an edge server");
    if (version != DURABLE_VERSION)
        return error_set(
            error, STATUS_INVALID,
            "the checkpoint has format %u, this build reads format %u; it was written by another version",
            version, DURABLE_VERSION);
    checkpoint->saved = bytes_get(&reader, checkpoint->saved_bytes);
    const uint8_t *kept = bytes_get(&reader, HASH_BYTES);
    if (!bytes_done(&reader))
        return error_set(error, STATUS_INVALID, "the checkpoint is damaged: its length does not fit");
    hash_of(data, bytes - HASH_BYTES, hash);
    if (memcmp(kept, hash, sizeof hash) != 0)
        return error_set(error, STATUS_INVALID, "the checkpoint is damaged: its checksum does not fit");
    return STATUS_OK;
}

/* Where the run stands after the checkpoint. */
static enum status place(struct coordinator *edge, const struct node_env *env, bool new_run,
                         const struct coordinator_checkpoint *checkpoint) {
    uint32_t first_slot = env->scenario->training.first_slot;
    if (new_run && first_slot == 0) {
        edge->step_base = checkpoint->step_base + checkpoint->next_slot;
        edge->next_slot = 0;
        return STATUS_OK;
    }
    if (new_run && checkpoint->next_slot != first_slot)
        return error_set(env->error, STATUS_INVALID,
                         "the checkpoint goes on with slot %u, but training.first_slot is %u",
                         checkpoint->next_slot, first_slot);
    edge->step_base = checkpoint->step_base;
    edge->next_slot = checkpoint->next_slot;
    return STATUS_OK;
}

enum status coordinator_recover(struct coordinator *edge, const struct node_env *env, bool new_run,
                                const uint8_t *durable, size_t durable_bytes) {
    struct coordinator_checkpoint checkpoint;
    if (durable_bytes == 0)
        return STATUS_OK;
    TRY(coordinator_checkpoint_read(durable, durable_bytes, &checkpoint, env->error));
    if (checkpoint.scheme != env->scenario->scheme)
        return error_set(env->error, STATUS_INVALID, "the checkpoint is of another scheme than `%s`",
                         scheme_names[env->scenario->scheme]);
    if (checkpoint.device_count != edge->device_count)
        return error_set(env->error, STATUS_INVALID, "the checkpoint is of %u devices, the scenario has %u",
                         checkpoint.device_count, edge->device_count);
    struct bytes_reader reader = bytes_reader_over(checkpoint.saved, checkpoint.saved_bytes);
    if (edge->scheme->load(edge->scheme_state, &reader) != STATUS_OK || !bytes_done(&reader))
        return error_set(env->error, STATUS_INVALID,
                         "the checkpoint does not fit the options that scheme `%s` has in this scenario",
                         scheme_names[env->scenario->scheme]);
    return place(edge, env, new_run, &checkpoint);
}

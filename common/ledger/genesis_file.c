#include "common/ledger/genesis_file.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/record/durable.h"

#define GENESIS_FILE_BYTES_MAX (PUBLIC_KEY_BYTES * (SUBMITTERS_MAX + VALIDATORS_MAX) + 1024u)

static enum status write_new(const char *path, const uint8_t *data, size_t size, struct error *error) {
    char *found = NULL;
    size_t found_bytes = 0;
    if (access(path, F_OK) != 0)
        return durable_write(path, data, size, error);
    TRY(durable_read(path, GENESIS_FILE_BYTES_MAX, &found, &found_bytes, error));
    bool same = found_bytes == size && memcmp(found, data, size) == 0;
    free(found);
    return same ? STATUS_OK
                : error_set(error, STATUS_INVALID,
                            "%s is the genesis of another chain; give the run a new directory", path);
}

enum status genesis_write(const char *dir, const struct genesis *genesis, struct error *error) {
    char path[DURABLE_PATH_MAX];
    TRY(durable_path(path, dir, GENESIS_FILE, error));
    TRY(durable_make_dirs(dir, error));
    size_t bytes = genesis_bytes(genesis);
    uint8_t *data = memory_grow(NULL, bytes, 1, "a genesis");
    struct bytes_writer writer = bytes_writer_over(data, bytes);
    genesis_encode(&writer, genesis);
    assert(!writer.failed && writer.used == bytes);
    enum status status = write_new(path, data, bytes, error);
    free(data);
    return status;
}

enum status genesis_read(const char *dir, struct genesis *genesis, struct public_key **senders,
                         struct error *error) {
    char path[DURABLE_PATH_MAX], *data = NULL;
    size_t size = 0;
    *senders = NULL;
    TRY(durable_path(path, dir, GENESIS_FILE, error));
    TRY(durable_read(path, GENESIS_FILE_BYTES_MAX, &data, &size, error));
    struct public_key *keys = memory_grow(NULL, SUBMITTERS_MAX, sizeof *keys, "keys of senders");
    struct bytes_reader reader = bytes_reader_over((const uint8_t *)data, size);
    bool good = genesis_decode(&reader, keys, SUBMITTERS_MAX, genesis) == STATUS_OK && bytes_done(&reader);
    free(data);
    if (!good) {
        free(keys);
        return error_set(error, STATUS_INVALID, "%s is no genesis of a ledger: it was damaged or replaced",
                         path);
    }
    *senders = keys;
    return STATUS_OK;
}

/* chain_cost: what it costs to make something durable in a directory: plainly, and by the store. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/chain_bench.h"
#include "common/time/wall.h"

#define PLAIN_WRITES 200u
#define STORE_WRITES 100u
#define PAGE_BYTES 4096u
#define BLOCK_BYTES 27000u /* a block of 400 records */

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The store's own crash points say where a write is. Never dies here. */
static bool on_point(void *context, const char *point) {
    struct chain_writes *writes = context;
    bool votes = strncmp(point, "votes-", 6) == 0;
    const char *where = strchr(point, '-') + 1;
    if (strcmp(where, "inside") == 0)
        writes->since_s = wall_now_s();
    if (strcmp(where, "sentinel") != 0)
        return false;
    *(votes ? &writes->votes_sum_s : &writes->commit_sum_s) += wall_now_s() - writes->since_s;
    (*(votes ? &writes->votes_count : &writes->commit_count))++;
    return false;
}

void chain_writes_watch(struct chain_writes *writes, struct ledger_store *ledger) {
    ledger_store_set_crash_point(ledger, on_point, writes);
}

void chain_writes_average(struct chain_writes *writes) {
    writes->votes_s = writes->votes_count > 0 ? writes->votes_sum_s / (double)writes->votes_count : 0;
    writes->commit_s = writes->commit_count > 0 ? writes->commit_sum_s / (double)writes->commit_count : 0;
}

void chain_bench_remove(const char *dir) {
    char path[1024];
    DIR *stream = opendir(dir);
    const struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int size = snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (size > 0 && (size_t)size < sizeof path && unlink(path) != 0 && entry->d_type == DT_DIR)
            chain_bench_remove(path);
    }
    if (stream != NULL)
        closedir(stream);
    rmdir(dir);
}

static enum status plain_writes(const char *dir, struct chain_cost *cost, struct error *error) {
    char path[1024];
    double spent_s[PLAIN_WRITES];
    uint8_t page[PAGE_BYTES] = {1};
    snprintf(path, sizeof path, "%s/plain", dir);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        return error_set_errno(error, STATUS_IO, "cannot make %s", path);
    for (uint32_t i = 0; i < PLAIN_WRITES; i++) {
        double start_s = wall_now_s();
        if (write(file, page, sizeof page) != (ssize_t)sizeof page || fdatasync(file) != 0) {
            enum status status = error_set_errno(error, STATUS_IO, "cannot write %s", path);
            close(file);
            return status;
        }
        spent_s[i] = wall_now_s() - start_s;
    }
    close(file);
    qsort(spent_s, PLAIN_WRITES, sizeof *spent_s, compare_doubles);
    cost->fdatasync_s = 0;
    for (uint32_t i = 0; i < PLAIN_WRITES; i++)
        cost->fdatasync_s += spent_s[i] / PLAIN_WRITES;
    cost->fdatasync_p99_s = spent_s[PLAIN_WRITES * 99 / 100];
    return STATUS_OK;
}

static enum status put_votes(struct ledger_store *ledger, uint64_t height) {
    struct ledger_votes votes = {.height = height,
                                 .step = VOTE_PREVOTE,
                                 .locked_round = -1,
                                 .valid_round = -1,
                                 .sign_bytes = {(uint8_t)height}};
    return ledger_store_put_votes(ledger, &votes, NULL, 0);
}

static enum status put_block(struct ledger_store *ledger, uint64_t height, const uint8_t *block) {
    uint8_t state[512] = {0};
    struct certificate certificate = {.height = height, .bitmap = 7};
    memcpy(certificate.block_id.bytes, &height, sizeof height);
    struct ledger_commit commit = {.height = height,
                                   .block_id = certificate.block_id,
                                   .block = block,
                                   .block_bytes = BLOCK_BYTES,
                                   .certificate = &certificate,
                                   .state = state,
                                   .state_bytes = sizeof state};
    return ledger_store_commit(ledger, &commit);
}

/* As a validator writes: signatures and blocks in turn. */
static enum status store_writes(struct ledger_store *ledger, struct chain_writes *writes) {
    uint8_t *block = calloc(1, BLOCK_BYTES);
    enum status status = block != NULL ? STATUS_OK : STATUS_MEMORY;
    chain_writes_watch(writes, ledger);
    for (uint32_t i = 0; status == STATUS_OK && i < STORE_WRITES; i++) {
        status = put_votes(ledger, i + 1);
        if (status == STATUS_OK)
            status = put_block(ledger, i + 1, block);
    }
    free(block);
    chain_writes_average(writes);
    return status;
}

enum status chain_cost_measure(const char *dir, uint32_t node, enum ledger_durability durability,
                               struct chain_cost *cost, struct error *error) {
    char path[600];
    struct ledger_store *ledger;
    snprintf(path, sizeof path, "%s/cost-%u", dir, node);
    struct ledger_store_config config = {.dir = path, .durability = durability};
    memset(cost, 0, sizeof *cost);
    TRY(ledger_store_open(&config, &ledger, error));
    enum status status = store_writes(ledger, &cost->writes);
    if (status != STATUS_OK)
        error_set(error, status, "cannot measure the store in %s: %s", path, ledger_store_reason(ledger));
    ledger_store_close(ledger);
    if (status == STATUS_OK)
        status = plain_writes(path, cost, error);
    chain_bench_remove(path);
    return status;
}

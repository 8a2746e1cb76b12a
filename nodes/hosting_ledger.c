#include "nodes/hosting_ledger.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "common/ledger/disk.h"
#include "common/ledger/genesis_file.h"
#include "common/ledger/store.h"
#include "nodes/chain/chain.h"

int hosting_ledger_path(const char *run_dir, const char *node, char *path, size_t size) {
    return snprintf(path, size, "%s/nodes/%s.ledger", run_dir, node);
}

static const char *name_of(const struct hosting *hosting) {
    return hosting->env.topology->nodes[hosting->env.self].name;
}

static bool is_validator(const struct hosting *hosting) {
    return hosting->env.topology->nodes[hosting->env.self].role == ROLE_CHAIN;
}

static struct ledger_store_config config_of(const struct hosting *hosting, bool first) {
    bool power = hosting->env.scenario->chain.durability == CHAIN_POWER;
    return (struct ledger_store_config){.dir = hosting->ledger_dir,
                                        .disk = hosting->ledger_dir == NULL ? hosting->disk : NULL,
                                        .durability = power ? DURABILITY_POWER : DURABILITY_PROCESS,
                                        .restarted = !first};
}

/* The chain or the models are damaged beyond opening: they can be had from the others. Votes are not touched.
 */
static enum status open_again(struct hosting *hosting, const struct ledger_store_config *config,
                              struct error *error) {
    TRY(ledger_store_discard_chain(config, error));
    return ledger_store_open(config, &hosting->env.ledger, error);
}

static enum status open_store(struct hosting *hosting, bool first, struct error *error) {
    struct ledger_store_config config = config_of(hosting, first);
    if (config.dir != NULL)
        TRY(genesis_write(config.dir, &hosting->env.chain->genesis, error));
    enum status status = ledger_store_open(&config, &hosting->env.ledger, error);
    if (status == STATUS_FAILED && !first)
        status = open_again(hosting, &config, error);
    TRY(status);
    if (first && ledger_store_condition(hosting->env.ledger) != LEDGER_FRESH)
        return error_set(error, STATUS_INVALID, "%s already holds a ledger; a run begins with none",
                         config.dir != NULL ? config.dir : "the disk");
    return STATUS_OK;
}

enum status hosting_ledger_open(struct hosting *hosting, bool first, struct error *error) {
    struct error reason = {0};
    if (!is_validator(hosting))
        return STATUS_OK;
    assert(hosting->env.chain != NULL && hosting->env.ledger == NULL);
    if (hosting->ledger_dir == NULL && hosting->disk == NULL)
        TRY(ledger_disk_open(&hosting->disk));
    enum status status = open_store(hosting, first, &reason);
    return status == STATUS_OK ? status
                               : error_set(error, status, "node %s cannot open its ledger: %s",
                                           name_of(hosting), reason.text);
}

void hosting_ledger_close(struct hosting *hosting) {
    ledger_store_close(hosting->env.ledger);
    hosting->env.ledger = NULL;
}

void hosting_ledger_set_full(struct hosting *hosting, bool full) {
    hosting->disk_full = full;
    if (hosting->disk != NULL)
        ledger_disk_set_fault(hosting->disk, full ? DISK_FULL : DISK_SOUND, 0);
}

void hosting_ledger_enter(struct hosting *hosting) {
    struct rlimit limit;
    if (!hosting->disk_full || hosting->ledger_dir == NULL || getrlimit(RLIMIT_FSIZE, &limit) != 0)
        return;
    hosting->file_bytes_max = limit.rlim_cur;
    limit.rlim_cur = 0;
    signal(SIGXFSZ, SIG_IGN); /* the write then fails with EFBIG */
    (void)setrlimit(RLIMIT_FSIZE, &limit);
}

void hosting_ledger_leave(struct hosting *hosting) {
    struct rlimit limit;
    if (!hosting->disk_full || hosting->ledger_dir == NULL || getrlimit(RLIMIT_FSIZE, &limit) != 0)
        return;
    limit.rlim_cur = hosting->file_bytes_max;
    (void)setrlimit(RLIMIT_FSIZE, &limit);
}

bool hosting_ledger_failed(const struct hosting *hosting, enum status status) {
    return is_validator(hosting) &&
           (status == STATUS_IO || status == STATUS_FAILED || status == STATUS_STOPPED);
}

#include "cli/ledger_view.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/memory.h"

#define SUFFIX ".ledger"
#define VERIFIED_ENTRIES 4096u /* signatures remembered: a certificate stands in the next block again */

static bool has_genesis(const char *dir) {
    char path[DURABLE_PATH_MAX];
    return durable_path(path, dir, GENESIS_FILE, NULL) == STATUS_OK && access(path, F_OK) == 0;
}

/* "v0" from "runs/x/nodes/v0.ledger/". */
static void name_of(const char *dir, char name[LEDGER_NAME_MAX]) {
    size_t end = strlen(dir);
    while (end > 1 && dir[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && dir[begin - 1] != '/')
        begin--;
    size_t length = end - begin;
    if (length > strlen(SUFFIX) && strncmp(dir + end - strlen(SUFFIX), SUFFIX, strlen(SUFFIX)) == 0)
        length -= strlen(SUFFIX);
    snprintf(name, LEDGER_NAME_MAX, "%.*s", (int)(length < LEDGER_NAME_MAX ? length : LEDGER_NAME_MAX - 1),
             dir + begin);
}

static void add_view(struct ledger_views *views, const char *dir, const char *node) {
    char name[LEDGER_NAME_MAX];
    name_of(dir, name);
    if (node != NULL && strcmp(node, name) != 0)
        return;
    views->items = memory_grow(views->items, views->count + 1u, sizeof *views->items, "ledgers");
    struct ledger_view *view = &views->items[views->count++];
    *view = (struct ledger_view){0};
    snprintf(view->dir, sizeof view->dir, "%s", dir);
    memcpy(view->name, name, sizeof name);
}

static int is_ledger(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    return length > strlen(SUFFIX) && strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) == 0;
}

static void add_nodes(struct ledger_views *views, const char *dir, const char *node) {
    char nodes[DURABLE_PATH_MAX], ledger[DURABLE_PATH_MAX];
    struct dirent **entries = NULL;
    int count = -1;
    if (durable_path(nodes, dir, "nodes", NULL) == STATUS_OK)
        count = scandir(nodes, &entries, is_ledger, alphasort);
    for (int i = 0; i < count; i++) {
        if (durable_path(ledger, nodes, entries[i]->d_name, NULL) == STATUS_OK)
            add_view(views, ledger, node);
        free(entries[i]);
    }
    free(entries);
}

enum status ledger_views_find(struct ledger_views *views, const char *dir, const char *node,
                              struct error *error) {
    struct stat about;
    *views = (struct ledger_views){0};
    if (stat(dir, &about) != 0)
        return error_set_errno(error, STATUS_IO, "cannot open %s", dir);
    if (has_genesis(dir))
        add_view(views, dir, node);
    else
        add_nodes(views, dir, node);
    if (views->count > 0)
        return STATUS_OK;
    if (node != NULL)
        return error_set(error, STATUS_INVALID, "%s holds no ledger of a node named %s", dir, node);
    return error_set(error, STATUS_IO,
                     "%s holds no ledger: neither a file %s nor nodes/*%s (was it a run with validators, and "
                     "with --out?)",
                     dir, GENESIS_FILE, SUFFIX);
}

void ledger_views_close(struct ledger_views *views) {
    for (uint32_t i = 0; i < views->count; i++)
        ledger_view_close(&views->items[i]);
    free(views->items);
    *views = (struct ledger_views){0};
}

enum status ledger_view_open(struct ledger_view *view, struct error *error) {
    struct ledger_store_config config = {.dir = view->dir, .read_only = true};
    TRY(genesis_read(view->dir, &view->genesis, &view->senders, error));
    if (signature_cache_init(&view->verified, VERIFIED_ENTRIES) != STATUS_OK)
        return error_set(error, STATUS_MEMORY, "no memory for the signatures of %s", view->dir);
    view->genesis.verified = &view->verified;
    TRY(ledger_store_open(&config, &view->store, error));
    view->height = ledger_store_height(view->store);
    return STATUS_OK;
}

void ledger_view_close(struct ledger_view *view) {
    ledger_store_close(view->store);
    signature_cache_close(&view->verified);
    free(view->senders);
    view->store = NULL;
    view->senders = NULL;
}

enum status ledger_views_open(struct ledger_views *views, const char *dir, const char *node,
                              struct ledger_view **best, struct error *error) {
    TRY(ledger_views_find(views, dir, node, error));
    *best = NULL;
    for (uint32_t i = 0; i < views->count; i++) {
        TRY(ledger_view_open(&views->items[i], error));
        if (*best == NULL || views->items[i].height > (*best)->height)
            *best = &views->items[i];
    }
    return STATUS_OK;
}

/* experiment_cache: finished runs, each a run directory under the name of its key, ROOT/ab/abcdef....
 *
 * A run is made in a folder of this process below ROOT and renamed into its place when it has finished and
 * is on disk, so that whatever ends an experiment, an entry is whole or absent. Several experiments may share
 * a root. What a killed one left behind is removed by the next. */
#ifndef TIERBED_CLI_EXPERIMENT_CACHE_H
#define TIERBED_CLI_EXPERIMENT_CACHE_H

#include <stdbool.h>

#include "common/base/error.h"

struct cache {
    char root[1024];
    char work[1200]; /* where this process makes runs; locked while it lives */
    int lock;        /* -1: not open */
};

/* Makes ROOT and the work folder, and removes those of processes that are gone. */
enum status cache_open(struct cache *cache, const char *root, struct error *error);
/* Removes the work folder; safe after a failed open, and twice. */
void cache_close(struct cache *cache);

#define CACHE_PATH_MAX 1400
/* Where the entry `key` is, or will be. */
void cache_entry(const struct cache *cache, const char *key, char path[CACHE_PATH_MAX]);
/* Where the run `key` is made, and the file for what it prints. */
void cache_work(const struct cache *cache, const char *key, char path[CACHE_PATH_MAX],
                char log[CACHE_PATH_MAX]);

/* Is there a finished run of the scenario `text` under `key`? Its digest then. An entry that is damaged does
 * not count. */
bool cache_find(const struct cache *cache, const char *key, const char *text, char digest[72]);

/* Checks that the run made under `key` finished, brings it to disk and into its place (an entry that is there
 * already is replaced), and removes its log. STATUS_FAILED: it did not finish. */
enum status cache_commit(const struct cache *cache, const char *key, char digest[72], struct error *error);

/* Removes a folder with all in it; what cannot be removed stays. */
void cache_remove(const char *path);

#endif

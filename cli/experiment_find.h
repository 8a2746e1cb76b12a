/* experiment_find: where experiments are: SCHEME/NAME.yaml below ./experiments, or below the folder that
 * `make install` filled. */
#ifndef TIERBED_CLI_EXPERIMENT_FIND_H
#define TIERBED_CLI_EXPERIMENT_FIND_H

#include "common/base/arena.h"
#include "common/base/error.h"

struct found_list {
    const char **paths; /* of sweep files, in order of names */
    size_t count;
};

/* The folder of experiments: `given` (NULL: search). STATUS_IO when there is none. */
enum status find_root(const char *given, char *root, size_t size, struct error *error);

/* Every sweep file below ROOT/SCHEME/; in `arena`. */
enum status find_all(const char *root, struct arena *arena, struct found_list *list, struct error *error);

/* What `word` names: a file, SCHEME/NAME, or all of a SCHEME. STATUS_INVALID with the nearest name when there
 * is none such. */
enum status find_named(const char *root, const char *word, struct arena *arena, struct found_list *list,
                       struct error *error);

#endif

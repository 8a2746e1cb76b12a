/* experiment_key: the name under which a finished run is kept: a hash of everything its result depends on.
 *
 * These are: the resolved scenario with its seed; the content of the files and folders it names; this program
 * (code and constants of the executable itself, but neither its debug information nor the commit it was built
 * from, so that a commit that changes no code costs no result); the libraries it is linked with; the
 * processor; and the variables of the environment that choose kernels. A key that is too specific costs time;
 * one that is not specific enough would show a stale result, so in doubt a thing is part of it. */
#ifndef TIERBED_CLI_EXPERIMENT_KEY_H
#define TIERBED_CLI_EXPERIMENT_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/model/scenario.h"

#define KEY_TEXT_SIZE 65 /* 64 hex digits and a zero */
#define KEY_PATHS_MAX 64

/* What all keys of one call share. Plain data; nothing to close. */
struct key_base {
    uint8_t program[32];
    struct {
        char path[512];
        uint8_t hash[32];
    } paths[KEY_PATHS_MAX]; /* read once each */
    size_t path_count;
};

/* Hashes this program, its libraries and the machine. STATUS_IO: cannot be read. */
enum status key_base_init(struct key_base *base, struct error *error);

/* The key of a run of `scenario`, whose resolved text is `text`. STATUS_IO: a file it names cannot be read.
 */
enum status key_of_run(struct key_base *base, const struct scenario *scenario, const char *text,
                       char key[KEY_TEXT_SIZE], struct error *error);

/* Hash over the sections of an ELF file that are loaded, `commit` (at least 7 letters) blanked wherever it
 * stands; over the whole of any other file. */
enum status key_hash_program(const uint8_t *data, size_t size, const char *commit, uint8_t hash[32]);

/* Hash over a file, or over a folder with all that is in it (names and contents, in order of names). */
enum status key_hash_path(const char *path, uint8_t hash[32], struct error *error);

#endif

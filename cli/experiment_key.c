#include "cli/experiment_key.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/version.h"
#include "common/record/durable.h"

#define PROGRAM_BYTES_MAX ((size_t)1 << 30)
#define DEPTH_MAX 16

static void add_text(crypto_generichash_state *state, const char *text) {
    crypto_generichash_update(state, (const unsigned char *)text, strlen(text) + 1);
}

static void add_number(crypto_generichash_state *state, uint64_t value) {
    crypto_generichash_update(state, (const unsigned char *)&value, sizeof value);
}

/* ---- the program ---- */

static void blank(uint8_t *data, size_t size, const char *word) {
    size_t length = strlen(word);
    if (length < 7) /* "unknown" is no commit, and short words stand by accident */
        return;
    uint8_t *at = data;
    while ((at = memmem(at, size - (size_t)(at - data), word, length)) != NULL)
        memset(at, 0, length);
}

static bool is_elf(const uint8_t *data, size_t size) {
    return size >= sizeof(Elf64_Ehdr) && memcmp(data, ELFMAG, SELFMAG) == 0 && data[EI_CLASS] == ELFCLASS64;
}

/* A build-id is a hash over all sections, debug information and commit included: notes stay out. */
static void add_sections(crypto_generichash_state *state, const uint8_t *data, size_t size) {
    Elf64_Ehdr header;
    memcpy(&header, data, sizeof header);
    for (size_t i = 0; i < header.e_shnum; i++) {
        Elf64_Shdr section;
        uint64_t at = header.e_shoff + i * header.e_shentsize;
        if (at > size || size - at < sizeof section)
            return;
        memcpy(&section, data + at, sizeof section);
        bool loaded = (section.sh_flags & SHF_ALLOC) != 0 && section.sh_type != SHT_NOBITS &&
                      section.sh_type != SHT_NOTE;
        if (!loaded || section.sh_offset > size || size - section.sh_offset < section.sh_size)
            continue;
        add_number(state, section.sh_addr);
        crypto_generichash_update(state, data + section.sh_offset, section.sh_size);
    }
}

enum status key_hash_program(const uint8_t *data, size_t size, const char *commit, uint8_t hash[32]) {
    crypto_generichash_state state;
    uint8_t *copy = malloc(size + 1);
    if (copy == NULL)
        return STATUS_MEMORY;
    memcpy(copy, data, size);
    blank(copy, size, commit);
    crypto_generichash_init(&state, NULL, 0, 32);
    if (is_elf(copy, size))
        add_sections(&state, copy, size);
    else
        crypto_generichash_update(&state, copy, size);
    crypto_generichash_final(&state, hash, 32);
    free(copy);
    return STATUS_OK;
}

/* ---- what it runs on ---- */

/* Size and time tell another version of a library apart without reading it. */
static int add_library(struct dl_phdr_info *info, size_t size, void *context) {
    crypto_generichash_state *state = context;
    struct stat about;
    (void)size;
    if (info->dlpi_name == NULL || *info->dlpi_name == '\0' || stat(info->dlpi_name, &about) != 0)
        return 0;
    add_text(state, info->dlpi_name);
    add_number(state, (uint64_t)about.st_size);
    add_number(state, (uint64_t)about.st_mtim.tv_sec);
    return 0;
}

/* Libraries choose kernels by the processor. */
static void add_processor(crypto_generichash_state *state) {
    char line[4096];
    FILE *file = fopen("/proc/cpuinfo", "re");
    bool model = false, flags = false;
    while (file != NULL && !(model && flags) && fgets(line, sizeof line, file) != NULL) {
        bool is_model = strncmp(line, "model name", 10) == 0, is_flags = strncmp(line, "flags", 5) == 0;
        if ((is_model && !model) || (is_flags && !flags))
            add_text(state, line);
        model = model || is_model;
        flags = flags || is_flags;
    }
    if (file != NULL)
        fclose(file);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_environment(crypto_generichash_state *state) {
    char *chosen[64] = {NULL};
    size_t count = 0;
    for (char **entry = environ; *entry != NULL && count < 64; entry++)
        if (strncmp(*entry, "OPENBLAS_", 9) == 0 || strncmp(*entry, "OMP_", 4) == 0)
            chosen[count++] = *entry;
    qsort(chosen, count, sizeof *chosen, by_name);
    for (size_t i = 0; i < count; i++)
        add_text(state, chosen[i]);
}

enum status key_base_init(struct key_base *base, struct error *error) {
    char *data = NULL;
    size_t size = 0;
    uint8_t code[32];
    base->path_count = 0;
    TRY(durable_read("/proc/self/exe", PROGRAM_BYTES_MAX, &data, &size, error));
    enum status status = key_hash_program((const uint8_t *)data, size, version_commit(), code);
    free(data);
    if (status != STATUS_OK)
        return error_set(error, status, "no memory to read this program");
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 32);
    add_text(&state, "tierbed-run-cache-1");
    crypto_generichash_update(&state, code, sizeof code);
    dl_iterate_phdr(add_library, &state);
    add_processor(&state);
    add_environment(&state);
    crypto_generichash_final(&state, base->program, 32);
    return STATUS_OK;
}

/* ---- files a scenario names ---- */

static enum status add_path(crypto_generichash_state *state, const char *path, int depth,
                            struct error *error);

static enum status add_file(crypto_generichash_state *state, const char *path, struct error *error) {
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_set_errno(error, STATUS_IO, "cannot open %s", path);
    unsigned char buffer[65536];
    size_t got;
    uint64_t size = 0;
    while ((got = fread(buffer, 1, sizeof buffer, file)) > 0) {
        crypto_generichash_update(state, buffer, got);
        size += got;
    }
    bool failed = ferror(file) != 0;
    fclose(file);
    add_number(state, size);
    return failed ? error_set(error, STATUS_IO, "cannot read %s", path) : STATUS_OK;
}

static enum status add_folder(crypto_generichash_state *state, const char *path, int depth,
                              struct error *error) {
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0)
        return error_set_errno(error, STATUS_IO, "cannot list %s", path);
    enum status status = STATUS_OK;
    for (int i = 0; i < count; i++) {
        char below[DURABLE_PATH_MAX];
        const char *name = entries[i]->d_name;
        if (status == STATUS_OK && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            add_text(state, name);
            status = durable_path(below, path, name, error);
            if (status == STATUS_OK)
                status = add_path(state, below, depth + 1, error);
        }
        free(entries[i]);
    }
    free(entries);
    return status;
}

static enum status add_path(crypto_generichash_state *state, const char *path, int depth,
                            struct error *error) {
    struct stat about;
    if (depth > DEPTH_MAX)
        return error_set(error, STATUS_LIMIT, "%s: folders are nested too deeply", path);
    if (stat(path, &about) != 0)
        return error_set_errno(error, STATUS_IO, "cannot read %s", path);
    if (S_ISDIR(about.st_mode))
        return add_folder(state, path, depth, error);
    return S_ISREG(about.st_mode) ? add_file(state, path, error) : STATUS_OK;
}

enum status key_hash_path(const char *path, uint8_t hash[32], struct error *error) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 32);
    enum status status = add_path(&state, path, 0, error);
    crypto_generichash_final(&state, hash, 32);
    return status;
}

struct path_visit {
    struct key_base *base;
    crypto_generichash_state *state;
    struct error *error;
};

static enum status visit_path(void *context, const char *path) {
    struct path_visit *visit = context;
    struct key_base *base = visit->base;
    size_t i = 0;
    while (i < base->path_count && strcmp(base->paths[i].path, path) != 0)
        i++;
    if (i == base->path_count) {
        if (i == KEY_PATHS_MAX || strlen(path) >= sizeof base->paths[i].path)
            return error_set(visit->error, STATUS_LIMIT, "more than %d files, or too long a name: %.80s",
                             KEY_PATHS_MAX, path);
        TRY(key_hash_path(path, base->paths[i].hash, visit->error));
        snprintf(base->paths[i].path, sizeof base->paths[i].path, "%s", path);
        base->path_count++;
    }
    add_text(visit->state, path);
    crypto_generichash_update(visit->state, base->paths[i].hash, 32);
    return STATUS_OK;
}

enum status key_of_run(struct key_base *base, const struct scenario *scenario, const char *text,
                       char key[KEY_TEXT_SIZE], struct error *error) {
    crypto_generichash_state state;
    uint8_t hash[32];
    crypto_generichash_init(&state, NULL, 0, 32);
    crypto_generichash_update(&state, base->program, sizeof base->program);
    add_text(&state, text);
    struct path_visit visit = {.base = base, .state = &state, .error = error};
    TRY(scenario_each_path(scenario, visit_path, &visit));
    crypto_generichash_final(&state, hash, sizeof hash);
    sodium_bin2hex(key, KEY_TEXT_SIZE, hash, sizeof hash);
    return STATUS_OK;
}

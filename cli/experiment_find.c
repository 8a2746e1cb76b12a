#include "cli/experiment_find.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/experiment_sweep.h"
#include "common/base/text.h"
#include "common/record/durable.h"

#define FOUND_MAX 1000

static bool is_folder(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* PREFIX/bin/tierbed has its experiments in PREFIX/share/tierbed/experiments. */
static bool installed_root(char *root, size_t size) {
    char program[DURABLE_PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0)
        return false;
    program[length] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(program, '/');
        if (slash == NULL)
            return false;
        *slash = '\0';
    }
    int used = snprintf(root, size, "%s/share/tierbed/experiments", program);
    return used > 0 && (size_t)used < size && is_folder(root);
}

enum status find_root(const char *given, char *root, size_t size, struct error *error) {
    snprintf(root, size, "%s", given != NULL ? given : "experiments");
    if (is_folder(root))
        return STATUS_OK;
    if (given != NULL)
        return error_set(error, STATUS_IO, "there is no folder %s", given);
    if (installed_root(root, size))
        return STATUS_OK;
    return error_set(error, STATUS_IO,
                     "there is no folder `experiments` here; name the folder that has them with --dir");
}

static bool is_yaml(const char *name) {
    size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, ".yaml") == 0;
}

/* Sweeps directly in `folder`. */
static enum status add_folder(const char *folder, struct arena *arena, struct found_list *list,
                              struct error *error) {
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0)
        return error_set_errno(error, STATUS_IO, "cannot list %s", folder);
    for (int i = 0; i < count; i++) {
        char path[DURABLE_PATH_MAX];
        if (entries[i]->d_name[0] != '.' && is_yaml(entries[i]->d_name) && list->count < FOUND_MAX &&
            durable_path(path, folder, entries[i]->d_name, NULL) == STATUS_OK && sweep_is_one(path))
            list->paths[list->count++] = arena_copy_text(arena, path);
        free(entries[i]);
    }
    free(entries);
    return STATUS_OK;
}

static struct found_list new_list(struct arena *arena) {
    return (struct found_list){.paths = arena_alloc_array(arena, FOUND_MAX, sizeof(const char *))};
}

enum status find_all(const char *root, struct arena *arena, struct found_list *list, struct error *error) {
    struct dirent **entries = NULL;
    *list = new_list(arena);
    int count = scandir(root, &entries, NULL, alphasort);
    if (count < 0)
        return error_set_errno(error, STATUS_IO, "cannot list %s", root);
    enum status status = STATUS_OK;
    for (int i = 0; i < count; i++) {
        char folder[DURABLE_PATH_MAX];
        if (entries[i]->d_name[0] != '.' && status == STATUS_OK &&
            durable_path(folder, root, entries[i]->d_name, NULL) == STATUS_OK && is_folder(folder))
            status = add_folder(folder, arena, list, error);
        free(entries[i]);
    }
    free(entries);
    return status;
}

/* "experiments/factory/policies.yaml" below "experiments" is "factory/policies". */
static void short_name(const char *root, const char *path, char *name, size_t size) {
    snprintf(name, size, "%s", path + strlen(root) + 1);
    size_t length = strlen(name);
    if (length > 5)
        name[length - 5] = '\0';
}

static enum status nothing_named(const char *root, const char *word, struct arena *arena,
                                 struct error *error) {
    struct found_list all;
    struct text_closest search = text_closest_to(word);
    TRY(find_all(root, arena, &all, error));
    for (size_t i = 0; i < all.count; i++) {
        char name[DURABLE_PATH_MAX];
        short_name(root, all.paths[i], name, sizeof name);
        text_closest_offer(&search, arena_copy_text(arena, name));
        name[strcspn(name, "/")] = '\0';
        text_closest_offer(&search, arena_copy_text(arena, name));
    }
    if (search.best != NULL)
        return error_set(error, STATUS_INVALID, "there is no experiment '%s'; did you mean '%s'?", word,
                         search.best);
    return error_set(error, STATUS_INVALID,
                     "there is no experiment '%s' below %s; `tierbed experiment list` shows what there is",
                     word, root);
}

enum status find_named(const char *root, const char *word, struct arena *arena, struct found_list *list,
                       struct error *error) {
    char path[DURABLE_PATH_MAX], below[DURABLE_PATH_MAX];
    *list = new_list(arena);
    TRY(durable_path(below, root, word, error));
    if (is_yaml(word) && access(word, R_OK) == 0) {
        list->paths[list->count++] = arena_copy_text(arena, word);
        return STATUS_OK;
    }
    if (is_folder(word) && strchr(word, '/') != NULL)
        TRY(add_folder(word, arena, list, error));
    if (list->count == 0 && is_folder(below))
        TRY(add_folder(below, arena, list, error));
    if (list->count > 0)
        return STATUS_OK;
    int length = snprintf(path, sizeof path, "%s%s", below, is_yaml(below) ? "" : ".yaml");
    if (length < 0 || (size_t)length >= sizeof path || access(path, R_OK) != 0)
        return nothing_named(root, word, arena, error);
    list->paths[list->count++] = arena_copy_text(arena, path);
    return STATUS_OK;
}

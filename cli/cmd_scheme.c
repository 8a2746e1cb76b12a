/* cmd_scheme: `tierbed scheme`: which schemes this build has, and a new one from the template. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "common/model/scenario.h"
#include "common/model/scheme_options.h"
#include "common/record/durable.h"

#define REGISTER "schemes/schemes.def"
#define TEMPLATE "template"
#define NAME_MAX_BYTES 24
#define FILE_BYTES_MAX ((size_t)1 << 20)

struct scheme_request {
    bool json;
    const char *dir; /* of the sources */
    const char *summary;
};

static int take_option(const char *name, const char *argument, void *context) {
    struct scheme_request *request = context;
    if (strcmp(name, "json") == 0)
        request->json = true;
    else if (strcmp(name, "dir") == 0)
        request->dir = argument;
    else
        request->summary = argument;
    return 0;
}

/* ---- list ---- */

static int list(const struct scheme_request *request) {
    json_t *all = json_array();
    for (unsigned i = 1; scheme_names[i] != NULL; i++) {
        if (request->json)
            json_array_append_new(
                all, json_pack("{s:s, s:s}", "name", scheme_names[i], "summary", scheme_docs[i]));
        else
            printf("%-12s %s\n", scheme_names[i], scheme_docs[i]);
    }
    if (request->json) {
        json_dumpf(all, stdout, JSON_INDENT(2));
        printf("\n");
    }
    json_decref(all);
    return 0;
}

/* ---- new ---- */

/* What the template consists of. */
static const char *const template_files[] = {"schemes/template/scheme.c", "schemes/template/README.md",
                                             "tests/schemes/test_template.c",
                                             "experiments/template/template.yaml"};

/* `text` with every word "template" replaced by `name`; owned by the caller. */
static char *rename_words(const char *text, const char *name) {
    char *renamed = NULL;
    size_t size = 0, length = strlen(TEMPLATE);
    FILE *out = open_memstream(&renamed, &size);
    while (out != NULL && *text != '\0') {
        const char *found = strstr(text, TEMPLATE);
        size_t before = found != NULL ? (size_t)(found - text) : strlen(text);
        fwrite(text, 1, before, out);
        if (found != NULL)
            fputs(name, out);
        text += before + (found != NULL ? length : 0);
    }
    if (out != NULL)
        fclose(out);
    return renamed;
}

/* Path of the template's file `file` for scheme `name`, below `dir`. */
static enum status path_of(const char *dir, const char *file, const char *name, char *path,
                           struct error *error) {
    char *renamed = rename_words(file, name);
    if (renamed == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the path of %s", file);
    enum status status = durable_path(path, dir, renamed, error);
    free(renamed);
    return status;
}

static enum status copy_file(const struct scheme_request *request, const char *file, const char *name,
                             struct error *error) {
    char from[DURABLE_PATH_MAX], to[DURABLE_PATH_MAX], folder[DURABLE_PATH_MAX];
    char *text;
    size_t size;
    TRY(durable_path(from, request->dir, file, error));
    TRY(path_of(request->dir, file, name, to, error));
    TRY(durable_read(from, FILE_BYTES_MAX, &text, &size, error));
    snprintf(folder, sizeof folder, "%s", to);
    *strrchr(folder, '/') = '\0';
    char *renamed = rename_words(text, name);
    free(text);
    if (renamed == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for a copy of %s", from);
    enum status status = durable_make_dirs(folder, error);
    if (status == STATUS_OK)
        status = durable_write(to, renamed, strlen(renamed), error);
    free(renamed);
    if (status == STATUS_OK)
        printf("  %s\n", to);
    return status;
}

static enum status add_row(const struct scheme_request *request, const char *name, struct error *error) {
    char path[DURABLE_PATH_MAX];
    char *text, *extended = NULL;
    size_t size, length = 0;
    TRY(durable_path(path, request->dir, REGISTER, error));
    TRY(durable_read(path, FILE_BYTES_MAX, &text, &size, error));
    FILE *out = open_memstream(&extended, &length);
    if (out != NULL) {
        fprintf(out, "%sSCHEME(%s, \"%s\")\n", text, name, request->summary);
        fclose(out);
    }
    free(text);
    if (extended == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for " REGISTER);
    enum status status = durable_write(path, extended, length, error);
    free(extended);
    if (status == STATUS_OK)
        printf("  %s (one row)\n", path);
    return status;
}

static enum status check_name(const struct scheme_request *request, const char *name, struct error *error) {
    char path[DURABLE_PATH_MAX];
    size_t length = strlen(name);
    for (size_t i = 0; i < length; i++)
        if (!islower((unsigned char)name[i]) &&
            (i == 0 || (!isdigit((unsigned char)name[i]) && name[i] != '_')))
            return error_set(error, STATUS_INVALID,
                             "`%s` is no name of a scheme: a lower-case letter, then letters, digits and `_`",
                             name);
    if (length == 0 || length >= NAME_MAX_BYTES || strcmp(name, "none") == 0)
        return error_set(error, STATUS_INVALID, "a scheme's name has 1 to %d letters, and is not `none`",
                         NAME_MAX_BYTES - 1);
    TRY(durable_path(path, request->dir, REGISTER, error));
    if (access(path, W_OK) != 0)
        return error_set(error, errno == ENOENT ? STATUS_INVALID : STATUS_IO,
                         "cannot write %s (%s); run this in the folder of Tierbed's sources, or give --dir",
                         path, strerror(errno));
    for (size_t i = 0; i < sizeof template_files / sizeof *template_files; i++) {
        TRY(path_of(request->dir, template_files[i], name, path, error));
        if (access(path, F_OK) == 0)
            return error_set(error, STATUS_INVALID, "%s is already there; choose another name", path);
    }
    return STATUS_OK;
}

static int make_new(const struct scheme_request *request, const char *name) {
    struct error error = {0};
    enum status status = check_name(request, name, &error);
    if (status == STATUS_OK)
        printf("a new scheme `%s`:\n", name);
    for (size_t i = 0; status == STATUS_OK && i < sizeof template_files / sizeof *template_files; i++)
        status = copy_file(request, template_files[i], name, &error);
    if (status == STATUS_OK) /* last: a half-made scheme is not in the build */
        status = add_row(request, name, &error);
    if (status != STATUS_OK) {
        fprintf(stderr, "tierbed scheme: %s\n", error.text);
        return status_exit_code(status);
    }
    printf("\nnext:\n  make && build/bin/tierbed run experiments/%s/%s.yaml\n  make unit\nthen change "
           "schemes/%s/scheme.c; schemes/scheme.h says what each callback is given\n",
           name, name, name);
    return 0;
}

static int run(int argc, char **argv) {
    struct scheme_request request = {.dir = ".", .summary = "A new scheme"};
    int code = command_parse(&command_scheme, argc, argv, take_option, &request);
    if (code != COMMAND_GO)
        return code;
    int left = argc - optind;
    if (left == 1 && strcmp(argv[optind], "list") == 0)
        return list(&request);
    if (left == 2 && strcmp(argv[optind], "new") == 0)
        return make_new(&request, argv[optind + 1]);
    if (left >= 1 && strcmp(argv[optind], "new") == 0)
        return command_usage_error(&command_scheme, "`new` takes one name");
    return command_usage_error(&command_scheme, "say `list`, or `new NAME`");
}

static const struct command_option options[] = {
    {"json", 0, NULL, "list: print JSON"},
    {"dir", 0, "DIR", "new: folder of Tierbed's sources (default: here)"},
    {"summary", 0, "TEXT", "new: one line for help and reference"},
    {0}};

const struct command command_scheme = {
    .name = "scheme",
    .usage = "list | new NAME [options]",
    .summary = "List the schemes, or make a new one from a template",
    .details = "`list` shows the schemes that a scenario may name.\n"
               "\n"
               "`new NAME` copies a small scheme that learns, with its test and its scenario, under a new "
               "name, and\n"
               "registers it. It works at once: build, run it, then change what it decides and learns.\n"
               "\n"
               "EXIT STATUS\n"
               "  0  done\n"
               "  2  wrong usage, or the name is taken\n"
               "  4  a file cannot be written\n"
               "\n"
               "EXAMPLES\n"
               "  tierbed scheme list\n"
               "  tierbed scheme new greedy --summary \"Nearest devices first\"\n",
    .options = options,
    .run = run,
};

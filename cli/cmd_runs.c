/* cmd_runs: `tierbed runs`: what runs there are, one of them, two of them side by side. */
#include <dirent.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/runs.h"
#include "common/record/durable.h"
#include "common/record/manifest.h"
#include "common/record/summary.h"

struct runs_request {
    const char *root;
    bool json, digest;
};

int runs_fail(const struct error *error) {
    fprintf(stderr, "tierbed runs: %s\n", error->text);
    return status_exit_code(error->status);
}

/* ---- list ---- */

/* What the list shows of one run; `manifest` is NULL for one that cannot be read. */
static json_t *list_entry(const char *dir, const json_t *manifest) {
    if (manifest == NULL)
        return json_pack("{s:o, s:s}", "run", manifest_json_text(dir), "status", "corrupt");
    return json_pack("{s:o, s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:s}", "run", manifest_json_text(dir),
                     "status", manifest_status_now(manifest), "scenario",
                     manifest_text(manifest, "scenario", ""), "seed", manifest_text(manifest, "seed", ""),
                     "started_utc", manifest_text(manifest, "started_utc", ""), "transport",
                     manifest_text(manifest, "transport", ""), "virtual_s",
                     manifest_number(manifest, "virtual_ns", 0) * 1e-9, "wall_s",
                     manifest_number(manifest, "wall_s", 0), "digest", manifest_text(manifest, "digest", ""));
}

static void add_run(json_t *runs, const char *root, const char *name) {
    char dir[DURABLE_PATH_MAX], path[DURABLE_PATH_MAX];
    struct error error = {0};
    json_t *manifest = NULL;
    if (name[0] == '.' || durable_path(dir, root, name, NULL) != STATUS_OK ||
        durable_path(path, dir, MANIFEST_FILE, NULL) != STATUS_OK || access(path, F_OK) != 0)
        return;
    if (manifest_load(dir, &manifest, &error) != STATUS_OK)
        fprintf(stderr, "tierbed runs: %s\n", error.text);
    json_array_append_new(runs, list_entry(dir, manifest));
    json_decref(manifest);
}

static void print_list(const json_t *runs) {
    size_t index;
    json_t *run;
    printf("%-9s %-20s %-20s %-16s %10s %10s  %-12s %s\n", "status", "started (UTC)", "scenario", "seed",
           "virtual (s)", "wall (s)", "digest", "run");
    json_array_foreach((json_t *)runs, index, run) {
        printf("%-9s %-20s %-20s %-16s %10.3f %10.3f  %-12.12s %s\n", manifest_text(run, "status", ""),
               manifest_text(run, "started_utc", "-"), manifest_text(run, "scenario", "-"),
               manifest_text(run, "seed", "-"), manifest_number(run, "virtual_s", 0),
               manifest_number(run, "wall_s", 0), manifest_text(run, "digest", "-"),
               manifest_text(run, "run", ""));
    }
}

int runs_list(const char *root, bool json) {
    struct dirent **entries = NULL;
    struct error error = {0};
    int count = scandir(root, &entries, NULL, alphasort);
    if (count < 0) {
        error_set_errno(&error, STATUS_IO,
                        "cannot list %s (name the folder that holds your runs with --root)", root);
        return runs_fail(&error);
    }
    json_t *runs = json_array();
    for (int i = 0; i < count; i++) {
        add_run(runs, root, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    if (json) {
        json_t *list = json_pack("{s:o, s:O}", "root", manifest_json_text(root), "runs", runs);
        json_dumpf(list, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        printf("\n");
        json_decref(list);
    } else if (json_array_size(runs) == 0) {
        printf("no runs in %s\n", root);
    } else {
        print_list(runs);
    }
    json_decref(runs);
    return 0;
}

/* ---- show ---- */

static void print_origin(const json_t *manifest) {
    const json_t *host = json_object_get(manifest, "host");
    printf("  %-14s%s (now: %s), ended %s\n", "started", manifest_text(manifest, "started_utc", "?"),
           manifest_status_now(manifest), manifest_text(manifest, "ended_utc", "-"));
    printf("  %-14s%s, commit %s, %s, %s\n", "made by", manifest_text(manifest, "version", "?"),
           manifest_text(manifest, "commit", "?"), manifest_text(manifest, "variant", "?"),
           manifest_text(manifest, "compiler", "?"));
    printf("  %-14s%s, %s, %.0f cores, %s\n", "on", manifest_text(host, "name", "?"),
           manifest_text(host, "cpu", "?"), manifest_number(host, "cores", 0),
           manifest_text(host, "kernel", "?"));
    printf("  %-14s%s\n", "repeat", manifest_text(manifest, "command_line", "?"));
}

int runs_show(const char *dir, bool json) {
    struct error error = {0};
    struct summary summary;
    json_t *manifest = NULL;
    if (manifest_load(dir, &manifest, &error) != STATUS_OK)
        return runs_fail(&error);
    if (summary_load(dir, &summary, &error) != STATUS_OK) {
        json_decref(manifest);
        return runs_fail(&error);
    }
    if (json) {
        json_t *shown = json_pack("{s:o, s:O, s:o}", "run", manifest_json_text(dir), "manifest", manifest,
                                  "summary", summary_to_json(&summary));
        json_dumpf(shown, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        printf("\n");
        json_decref(shown);
    } else {
        summary_print_text(&summary, stdout);
        print_origin(manifest);
    }
    json_decref(manifest);
    return 0;
}

/* ---- the command ---- */

static int take_option(const char *name, const char *argument, void *context) {
    struct runs_request *request = context;
    if (strcmp(name, "json") == 0)
        request->json = true;
    else if (strcmp(name, "digest") == 0)
        request->digest = true;
    else
        request->root = argument;
    return 0;
}

static int run_runs(int argc, char **argv) {
    struct runs_request request = {.root = "runs"};
    int code = command_parse(&command_runs, argc, argv, take_option, &request);
    if (code != COMMAND_GO)
        return code;
    int count = argc - optind - 1;
    char **names = argv + optind + 1;
    const char *action = count < 0 ? "list" : argv[optind];
    if (strcmp(action, "list") == 0) {
        if (count > 0)
            return command_usage_error(&command_runs, "list takes --root DIR, not '%s'", names[0]);
        return runs_list(request.root, request.json);
    }
    if (strcmp(action, "show") == 0) {
        if (count != 1)
            return command_usage_error(&command_runs, "show needs the directory of one run");
        return runs_show(names[0], request.json);
    }
    if (strcmp(action, "compare") == 0) {
        if (count != 2)
            return command_usage_error(&command_runs, "compare needs the directories of two runs");
        return runs_compare(names[0], names[1], request.digest, request.json);
    }
    return command_usage_error(&command_runs, "unknown action '%s': list, show or compare", action);
}

static const struct command_option options[] = {
    {"root", 0, "DIR", "list: the folder that holds the runs (default: runs)"},
    {"digest", 0, NULL, "compare: exit with 1 unless both runs have the same digest"},
    {"json", 0, NULL, "print one JSON object instead of text"},
    {0}};

const struct command command_runs = {
    .name = "runs",
    .usage = "list | show RUN | compare RUN RUN [options]",
    .summary = "list runs, show one, compare two",
    .details =
        "list shows every run below a folder with its state: finished, stopped (by the user), failed, "
        "running, or\n"
        "killed (its process is gone and never closed the record). show prints the summary of one run and "
        "what\n"
        "made it. compare puts the key figures of two runs side by side and says whether their digests "
        "agree.\n"
        "\n"
        "Exit codes: 0 done; 1 --digest was given and the digests differ or one run has none; 2 usage, or a\n"
        "file of a run is corrupt; 4 there is no run there.\n",
    .options = options,
    .run = run_runs};

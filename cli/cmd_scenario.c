/* cmd_scenario: looks at scenario files without running anything. */
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "common/base/arena.h"
#include "common/model/scenario.h"
#include "common/model/topology.h"

#define OVERRIDES_MAX 256

struct scenario_options {
    struct scenario_override overrides[OVERRIDES_MAX];
    size_t override_count;
    bool json;
};

/* What one call works on. */
struct session {
    struct arena arena;
    struct scenario scenario;
    struct scenario_problems problems;
    struct scenario_options options;
};

static int take_option(const char *name, const char *argument, void *context) {
    struct scenario_options *options = context;
    if (strcmp(name, "json") == 0) {
        options->json = true;
        return 0;
    }
    if (options->override_count == OVERRIDES_MAX)
        return command_usage_error(&command_scenario, "more than %d --set options", OVERRIDES_MAX);
    options->overrides[options->override_count++].assignment = argument;
    return 0;
}

/* Writes `text` to standard output; the exit code says whether it got there (a full disk, a closed pipe). */
static int write_out(const char *text) {
    bool good = fputs(text, stdout) >= 0 && fflush(stdout) == 0;
    if (!good)
        perror("tierbed scenario: cannot write to standard output");
    return good ? 0 : status_exit_code(STATUS_IO);
}

static enum status load(struct session *session, const char *path) {
    const struct scenario_options *options = &session->options;
    return scenario_load_file(path, options->overrides, options->override_count, &session->arena,
                              &session->scenario, &session->problems);
}

static int print_scenario(struct session *session, const char *path) {
    enum status status = load(session, path);
    if (status == STATUS_OK)
        return write_out(scenario_print(&session->scenario, &session->arena, NULL));
    scenario_problems_print(&session->problems, stderr);
    return status_exit_code(status);
}

static json_t *problems_json(const struct scenario_problems *problems) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < problems->count; i++)
        json_array_append_new(list,
                              json_pack("{s:i, s:i, s:s}", "line", (int)problems->items[i].line, "column",
                                        (int)problems->items[i].column, "text", problems->items[i].text));
    return list;
}

static int write_json(json_t *object) {
    char *text = json_dumps(object, JSON_INDENT(2));
    json_decref(object);
    if (text == NULL)
        return status_exit_code(STATUS_MEMORY);
    int code = write_out(text) | write_out("\n");
    free(text);
    return code;
}

static int check_scenario(struct session *session, const char *path) {
    struct topology topology = {.node_count = 0};
    enum status status = load(session, path);
    if (status == STATUS_OK)
        status = topology_build(&session->scenario, &session->arena, &topology, NULL);
    int code = status_exit_code(status);
    if (session->options.json) {
        json_t *problems = problems_json(&session->problems);
        int written = write_json(json_pack("{s:b, s:s, s:i, s:i, s:o}", "ok", status == STATUS_OK, "file",
                                           path, "nodes", (int)topology.node_count, "links",
                                           (int)topology.link_count, "problems", problems));
        return code != 0 ? code : written;
    }
    if (status != STATUS_OK) {
        scenario_problems_print(&session->problems, stderr);
        return code;
    }
    char line[160];
    snprintf(line, sizeof line, ": ok, %u nodes, %u links, %u slots, %u faults\n", topology.node_count,
             topology.link_count, session->scenario.slots, session->scenario.fault_count);
    return write_out(path) | write_out(line);
}

static int write_page(struct session *session, bool schema) {
    int code =
        write_out(schema ? scenario_json_schema(&session->arena) : scenario_reference(&session->arena));
    return schema ? code | write_out("\n") : code;
}

static int dispatch(struct session *session, int count, char **words) {
    const char *verb = words[0];
    bool schema = strcmp(verb, "schema") == 0, reference = strcmp(verb, "reference") == 0;
    bool print = strcmp(verb, "print") == 0, check = strcmp(verb, "check") == 0;
    if (!schema && !reference && !print && !check)
        return command_usage_error(&command_scenario,
                                   "unknown action `%s`; there are print, check, schema, reference", verb);
    if ((schema || reference) && count != 1)
        return command_usage_error(&command_scenario, "%s takes no file", verb);
    if ((print || check) && count != 2)
        return command_usage_error(&command_scenario, "%s takes one file", verb);
    if (print)
        return print_scenario(session, words[1]);
    return check ? check_scenario(session, words[1]) : write_page(session, schema);
}

static int run(int argc, char **argv) {
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return status_exit_code(STATUS_MEMORY);
    arena_init(&session->arena);
    int code = command_parse(&command_scenario, argc, argv, take_option, &session->options);
    if (code == COMMAND_GO) {
        if (optind >= argc)
            code =
                command_usage_error(&command_scenario, "say what to do: print, check, schema or reference");
        else
            code = dispatch(session, argc - optind, argv + optind);
    }
    arena_close(&session->arena);
    free(session);
    return code;
}

static const struct command_option options[] = {
    {"set", 's', "KEY=VALUE", "replace a value of the file, such as task.size=32kbit; may be repeated"},
    {"json", 0, NULL, "check: write the findings as one JSON object"},
    {NULL, 0, NULL, NULL},
};

const struct command command_scenario = {
    .name = "scenario",
    .usage = "print FILE | check FILE | schema | reference [options]",
    .summary = "Look at scenario files without running them",
    .details =
        "print writes the resolved scenario as YAML: every default filled in, every --set applied. Loading "
        "that "
        "text gives the same scenario.\n\n"
        "check reports all problems of the file, each with line and column, what was expected and a "
        "suggestion.\n\n"
        "schema writes a JSON Schema of the file format, for editors. reference writes the reference page as "
        "Markdown.\n\n"
        "Keys of --set are dotted paths. Entries of lists go by index from 0, by * for all, nodes by name, "
        "links "
        "by from:to, faults by kind. An empty value puts a key back to its default.\n\n"
        "Exit codes: 0 the scenario is valid; 2 it is not, or the command was wrong; 4 the file cannot be "
        "read or "
        "the output not written.",
    .options = options,
    .run = run,
};

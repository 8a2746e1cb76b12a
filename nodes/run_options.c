#include "nodes/run_options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct run_option_info run_option_table[] = {
    {"set", "KEY=VALUE", "Override a key of the scenario, as in --set policy.kind=offload; may be repeated"},
    {"seed", "N", "Override the seed"},
    {"out", "DIR", "The run directory; must be empty or absent (default: runs/NAME-sSEED-TIME)"},
    {"resume", "DIR",
     "Go on with the learning of the run in DIR from its last checkpoint; leave out SCENARIO"},
    {"trace", NULL, "Write the event trace, trace.csv"},
    {"clock", "KIND", "virtual (default: as fast as possible) or wall (against the real clock)"},
    {"speed", "X", "With --clock wall: virtual seconds per real second (default 1)"},
    {"processes", "N", "Pack the nodes into N processes (default: one per node, and one for the director)"},
    {"placement", "KIND", "How nodes are packed: block (default) or cyclic"},
    {"no-report", NULL, "Do not write report.html; `tierbed report DIR` writes it later"},
    {"relaxed", NULL, "Wait for the disk only when the record is complete: for many short runs"},
    {"quiet", NULL, "No progress, no summary"},
    {NULL, NULL, NULL}};

void run_options_init(struct run_options *options) {
    *options = (struct run_options){.speed = 1.0};
}

static enum status add_override(struct run_options *options, const char *assignment, struct error *error) {
    if (options->override_count == RUN_OVERRIDES_MAX)
        return error_set(error, STATUS_INVALID, "more than %d --set options; put them into the file",
                         RUN_OVERRIDES_MAX);
    if (strchr(assignment, '=') == NULL)
        return error_set(error, STATUS_INVALID, "--set wants KEY=VALUE, got `%s`", assignment);
    options->overrides[options->override_count++].assignment = assignment;
    return STATUS_OK;
}

static enum status take_seed(struct run_options *options, const char *argument, struct error *error) {
    char *end;
    errno = 0;
    strtoull(argument, &end, 10);
    if (errno != 0 || *argument < '0' || *argument > '9' || *end != '\0')
        return error_set(error, STATUS_INVALID, "--seed wants a whole number, got `%s`", argument);
    if (strlen(argument) > sizeof options->seed - sizeof "seed=")
        return error_set(error, STATUS_INVALID, "--seed wants a number below 2^64, got `%s`", argument);
    snprintf(options->seed, sizeof options->seed, "seed=%s", argument);
    return add_override(options, options->seed, error);
}

static enum status take_clock(struct run_options *options, const char *argument, struct error *error) {
    options->wall_clock = strcmp(argument, "wall") == 0;
    if (!options->wall_clock && strcmp(argument, "virtual") != 0)
        return error_set(error, STATUS_INVALID, "--clock is virtual or wall, not `%s`", argument);
    return STATUS_OK;
}

static enum status take_speed(struct run_options *options, const char *argument, struct error *error) {
    char *end;
    options->speed = strtod(argument, &end);
    if (end == argument || *end != '\0' || !isfinite(options->speed) || options->speed <= 0.0)
        return error_set(error, STATUS_INVALID, "--speed wants a number above 0, got `%s`", argument);
    return STATUS_OK;
}

static enum status take_processes(struct run_options *options, const char *argument, struct error *error) {
    char *end;
    long count = strtol(argument, &end, 10);
    if (end == argument || *end != '\0' || count < 1 || count > RUN_PROCESSES_MAX)
        return error_set(error, STATUS_INVALID, "--processes wants a number from 1 to %d, got `%s`",
                         RUN_PROCESSES_MAX, argument);
    options->processes = (uint32_t)count;
    return STATUS_OK;
}

enum status run_options_take(struct run_options *options, const char *name, const char *argument,
                             struct error *error) {
    if (strcmp(name, "set") == 0)
        return add_override(options, argument, error);
    if (strcmp(name, "seed") == 0)
        return take_seed(options, argument, error);
    if (strcmp(name, "clock") == 0)
        return take_clock(options, argument, error);
    if (strcmp(name, "speed") == 0)
        return take_speed(options, argument, error);
    if (strcmp(name, "processes") == 0)
        return take_processes(options, argument, error);
    if (strcmp(name, "placement") == 0) {
        options->placement_given = true;
        return placement_parse(argument, &options->placement, error);
    }
    if (strcmp(name, "out") == 0)
        options->out_dir = argument;
    else if (strcmp(name, "resume") == 0)
        options->resume_dir = argument;
    else if (strcmp(name, "trace") == 0)
        options->trace = true;
    else if (strcmp(name, "no-report") == 0)
        options->no_report = true;
    else if (strcmp(name, "relaxed") == 0)
        options->relaxed = true;
    else if (strcmp(name, "quiet") == 0)
        options->quiet = true;
    else
        return STATUS_UNSUPPORTED;
    return STATUS_OK;
}

enum status run_options_check(const struct run_options *options, struct error *error) {
    if (options->resume_dir != NULL && options->scenario_path != NULL)
        return error_set(error, STATUS_INVALID, "--resume takes the scenario of its run: leave out `%s`",
                         options->scenario_path);
    if (options->resume_dir != NULL && options->seed[0] != '\0')
        return error_set(error, STATUS_INVALID,
                         "--resume goes on with the seed of its run: leave out --seed");
    if (options->scenario_path == NULL && options->resume_dir == NULL)
        return error_set(error, STATUS_INVALID,
                         "no scenario file given; try experiments/factory/quickstart.yaml");
    if (options->speed != 1.0 && !options->wall_clock)
        return error_set(error, STATUS_INVALID, "--speed needs --clock wall");
    if (options->placement_given && options->placement != PLACEMENT_SINGLE && options->processes == 0)
        return error_set(error, STATUS_INVALID, "--placement %s needs --processes N",
                         placement_name(options->placement));
    if (options->placement_given && options->placement == PLACEMENT_SINGLE && options->processes > 0)
        return error_set(error, STATUS_INVALID,
                         "--placement single is one process per node: leave out --processes");
    return STATUS_OK;
}

static const char *number_text(struct arena *arena, const char *format, double value) {
    char text[64];
    snprintf(text, sizeof text, format, value);
    return arena_copy_text(arena, text);
}

size_t run_options_arguments(const struct run_options *options, struct arena *arena, const char **arguments,
                             size_t capacity) {
    const char *all[2 * RUN_OVERRIDES_MAX + 16];
    size_t count = 0;
    all[count++] = options->scenario_path;
    for (size_t i = 0; i < options->override_count; i++) {
        all[count++] = "--set";
        all[count++] = options->overrides[i].assignment;
    }
    if (options->out_dir != NULL) {
        all[count++] = "--out";
        all[count++] = options->out_dir;
    }
    if (options->trace)
        all[count++] = "--trace";
    if (options->no_report)
        all[count++] = "--no-report";
    if (options->relaxed)
        all[count++] = "--relaxed";
    if (options->quiet)
        all[count++] = "--quiet";
    if (options->wall_clock) {
        all[count++] = "--clock";
        all[count++] = "wall";
        all[count++] = "--speed";
        all[count++] = number_text(arena, "%.17g", options->speed);
    }
    if (options->processes > 0) {
        all[count++] = "--processes";
        all[count++] = number_text(arena, "%.0f", options->processes);
        all[count++] = "--placement";
        all[count++] =
            placement_name(options->placement == PLACEMENT_SINGLE ? PLACEMENT_BLOCK : options->placement);
    }
    count = count < capacity ? count : capacity;
    memcpy(arguments, all, count * sizeof *arguments);
    return count;
}

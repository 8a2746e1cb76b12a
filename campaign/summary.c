#include "campaign/summary.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "common/time/wall.h"

#define PROGRESS_S 1.0

void summary_init(struct summary *summary, const struct campaign_options *options, uint64_t first,
                  uint64_t last, FILE *progress) {
    *summary = (struct summary){.validators = options->validators,
                                .forced_kind = options->kind != NULL,
                                .first = first,
                                .last = last,
                                .progress = progress,
                                .begin_s = wall_now_s()};
    summary->terminal = progress != NULL && isatty(fileno(progress));
}

static struct summary_kind *kind_row(struct summary *summary, const struct kind *kind) {
    for (uint32_t i = 0; i < summary->kind_count; i++)
        if (summary->kinds[i].kind == kind)
            return &summary->kinds[i];
    if (summary->kind_count == SUMMARY_KINDS_MAX)
        return NULL;
    struct summary_kind *row = &summary->kinds[summary->kind_count++];
    *row = (struct summary_kind){.kind = kind};
    return row;
}

static void show_progress(struct summary *summary, bool last) {
    double now_s = wall_now_s();
    if (summary->progress == NULL || (!last && now_s - summary->shown_s < PROGRESS_S) ||
        (!summary->terminal && !last && now_s - summary->shown_s < 30 * PROGRESS_S))
        return;
    summary->shown_s = now_s;
    double wall_s = now_s - summary->begin_s;
    fprintf(summary->progress, "%s%" PRIu64 "/%" PRIu64 " seeds, %" PRIu64 " failed, %.1f seeds/s%s",
            summary->terminal ? "\r\033[K" : "", summary->runs, summary->last - summary->first + 1,
            summary->failed, (double)summary->runs / (wall_s > 0 ? wall_s : 1),
            summary->terminal && !last ? "" : "\n");
    fflush(summary->progress);
}

void summary_add(void *context, const struct campaign_result *result) {
    struct summary *summary = context;
    struct summary_kind *row = kind_row(summary, result->kind);
    if (row != NULL) {
        row->runs++;
        row->failed += result->violation_count > 0;
        row->forks += result->forked;
        row->heights += result->heights;
    }
    summary->runs++;
    summary->heights += result->heights;
    summary->events += result->events;
    summary->restarts += result->restarts;
    summary->proofs += result->proofs;
    summary->evidence += result->evidence;
    if (result->memory_max > summary->memory_max)
        summary->memory_max = result->memory_max;
    if (result->peer_memory_max > summary->peer_memory_max)
        summary->peer_memory_max = result->peer_memory_max;
    for (uint32_t i = 0; i < INVARIANT_COUNT; i++)
        summary->checks[i] += result->checks[i];
    if (result->violation_count > 0) {
        if (summary->failed < SUMMARY_FAILURES_MAX)
            summary->failures[summary->failed] = *result;
        summary->failed++;
        if (summary->progress != NULL) {
            if (summary->terminal)
                fputs("\r\033[K", summary->progress);
            summary_print_failure(summary, result, summary->progress);
        }
    }
    show_progress(summary, summary->runs == summary->last - summary->first + 1);
}

bool summary_missed_fork(const struct summary *summary) {
    for (uint32_t i = 0; i < summary->kind_count; i++) {
        const struct summary_kind *row = &summary->kinds[i];
        if (strcmp(row->kind->rows, "19") == 0 && row->runs > 0 && row->forks == 0)
            return true;
    }
    return false;
}

bool summary_failed(const struct summary *summary) {
    return summary->failed > 0 || summary_missed_fork(summary);
}

static void print_replay(const struct summary *summary, const struct campaign_result *result, char *text,
                         size_t size) {
    snprintf(text, size, "tierbed campaign chain --seed %" PRIu64 " --validators %u%s%s --trace",
             result->seed, summary->validators, summary->forced_kind ? " --kind " : "",
             summary->forced_kind ? result->kind->name : "");
}

void summary_print_failure(const struct summary *summary, const struct campaign_result *result, FILE *file) {
    char command[160];
    print_replay(summary, result, command, sizeof command);
    for (uint32_t i = 0; i < result->violation_count && i < ORACLE_VIOLATIONS_MAX; i++) {
        const struct violation *violation = &result->violations[i];
        fprintf(file, "seed %" PRIu64 " (%s): %s at height %" PRIu64 ": %s\n", result->seed,
                result->kind->name, invariant_name(violation->invariant), violation->height, violation->text);
    }
    fprintf(file, "  %s\n", command);
}

void summary_print(const struct summary *summary, FILE *file) {
    for (uint64_t i = 0; i < summary->failed && i < SUMMARY_FAILURES_MAX; i++)
        summary_print_failure(summary, &summary->failures[i], file);
    fprintf(file, "%-16s %8s %8s %8s %10s  %s\n", "kind", "runs", "failed", "forks", "heights", "rows");
    for (uint32_t i = 0; kind_at(i) != NULL; i++)
        for (uint32_t k = 0; k < summary->kind_count; k++) {
            const struct summary_kind *row = &summary->kinds[k];
            if (row->kind == kind_at(i))
                fprintf(file, "%-16s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %10" PRIu64 "  %s\n",
                        row->kind->name, row->runs, row->failed, row->forks, row->heights, row->kind->rows);
        }
    fputs("checks:", file);
    for (uint32_t i = 1; i < INVARIANT_COUNT; i++)
        if (summary->checks[i] > 0)
            fprintf(file, " %.*s %" PRIu64, (int)strcspn(invariant_name((enum invariant)i), " "),
                    invariant_name((enum invariant)i), summary->checks[i]);
    fputc('\n', file);
    fprintf(file, "a validator held at most %" PRIu64 " bytes for others, %" PRIu64 " for one peer\n",
            summary->memory_max, summary->peer_memory_max);
    if (summary_missed_fork(summary))
        fputs("f + 1 twins ran, and no fork was found: the oracle does not look\n", file);
    fprintf(file,
            "%" PRIu64 " seeds, %" PRIu64 " failed, N = %u: %" PRIu64 " heights, %" PRIu64 " events, %" PRIu64
            " restarts, %" PRIu64 " proofs taken, %" PRIu64 " validators accused; %.1f s\n",
            summary->runs, summary->failed, summary->validators, summary->heights, summary->events,
            summary->restarts, summary->proofs, summary->evidence, wall_now_s() - summary->begin_s);
}

static json_t *failure_json(const struct summary *summary, const struct campaign_result *result) {
    char command[160];
    print_replay(summary, result, command, sizeof command);
    json_t *list = json_array();
    for (uint32_t i = 0; i < result->violation_count && i < ORACLE_VIOLATIONS_MAX; i++)
        json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "invariant",
                                              invariant_name(result->violations[i].invariant), "height",
                                              (json_int_t)result->violations[i].height, "text",
                                              result->violations[i].text));
    return json_pack("{s:I, s:s, s:s, s:o}", "seed", (json_int_t)result->seed, "kind", result->kind->name,
                     "replay", command, "violations", list);
}

char *summary_json(const struct summary *summary) {
    json_t *failures = json_array(), *kinds = json_object(), *checks = json_object();
    for (uint64_t i = 0; i < summary->failed && i < SUMMARY_FAILURES_MAX; i++)
        json_array_append_new(failures, failure_json(summary, &summary->failures[i]));
    for (uint32_t i = 0; i < summary->kind_count; i++) {
        const struct summary_kind *row = &summary->kinds[i];
        json_object_set_new(kinds, row->kind->name,
                            json_pack("{s:s, s:I, s:I, s:I, s:I}", "rows", row->kind->rows, "runs",
                                      (json_int_t)row->runs, "failed", (json_int_t)row->failed, "forks",
                                      (json_int_t)row->forks, "heights", (json_int_t)row->heights));
    }
    for (uint32_t i = 1; i < INVARIANT_COUNT; i++)
        json_object_set_new(checks, invariant_name((enum invariant)i),
                            json_integer((json_int_t)summary->checks[i]));
    json_t *whole = json_pack(
        "{s:I, s:I, s:I, s:i, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:o, s:o, s:o}", "seeds",
        (json_int_t)summary->runs, "first", (json_int_t)summary->first, "failed", (json_int_t)summary->failed,
        "validators", (int)summary->validators, "missed_fork", (int)summary_missed_fork(summary), "heights",
        (json_int_t)summary->heights, "events", (json_int_t)summary->events, "restarts",
        (json_int_t)summary->restarts, "accused", (json_int_t)summary->evidence, "memory_max",
        (json_int_t)summary->memory_max, "peer_memory_max", (json_int_t)summary->peer_memory_max, "wall_s",
        wall_now_s() - summary->begin_s, "kinds", kinds, "checks", checks, "failures", failures);
    char *text = whole == NULL ? NULL : json_dumps(whole, JSON_INDENT(2));
    json_decref(whole);
    return text;
}

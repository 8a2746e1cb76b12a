/* The summary as text for a terminal and as JSON for a program. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/record/manifest.h"
#include "common/record/names.h"
#include "common/record/summary_parts.h"

#define LABEL SUMMARY_LABEL

/* What of a unit's text goes on with the sentence or ends the line: "not recorded" stands for number and
 * unit. */
static const char *unit_tail(const char *unit) {
    const char *comma = strrchr(unit, ','), *paren = strchr(unit, ')');
    if (paren != NULL)
        return paren;
    if (comma != NULL)
        return comma;
    return unit[0] != '\0' && unit[strlen(unit) - 1] == '\n' ? "\n" : " ";
}

static void print_number(FILE *out, const char *format, double value, const char *unit) {
    if (!isfinite(value)) {
        fprintf(out, "not recorded%s", unit_tail(unit));
        return;
    }
    fprintf(out, format, value);
    fputs(unit, out);
}

static double percent(uint64_t part, uint64_t whole) {
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

static void print_tasks(const struct summary *summary, FILE *out) {
    fprintf(out,
            LABEL "%" PRIu64 " born, %" PRIu64 " done (%.1f %%), %" PRIu64 " dropped, %" PRIu64
                  " in flight\n",
            "tasks", summary->born, summary->done, percent(summary->done, summary->born), summary->dropped,
            summary->in_flight);
    bool scheme = summary_has_scheme(summary);
    fprintf(out, LABEL, "  done at");
    if (summary->at_device > 0 || scheme)
        fprintf(out, "device %" PRIu64 ", ", summary->at_device);
    if (summary->at_gateway > 0 || !scheme)
        fprintf(out, "gateway %" PRIu64 ", ", summary->at_gateway);
    fprintf(out, "edge %" PRIu64 "\n", summary->at_edge);
    if (summary->dropped > 0) {
        const char *comma = "";
        fprintf(out, LABEL, "  dropped");
        for (unsigned reason = DROP_NONE + 1; reason < DROP_REASON_COUNT; reason++) {
            if (summary->drop[reason] == 0)
                continue;
            fprintf(out, "%s%s %" PRIu64, comma, name_of_drop((uint8_t)reason), summary->drop[reason]);
            comma = ", ";
        }
        fputc('\n', out);
    }
    if (summary->unreported > 0)
        fprintf(out,
                LABEL "%" PRIu64
                      " slots of devices without an outcome (device down, or the run ended first)\n",
                "  unreported", summary->unreported);
}

static void print_delay(const char *label, const struct summary_delay *delay, const char *meaning,
                        FILE *out) {
    fprintf(out, LABEL, label);
    if (delay->count == 0) {
        fputs("no task was done\n", out);
        return;
    }
    fprintf(out, "p50 %.3f ms, p99 %.3f ms, mean %.3f ms (%s)\n", delay->p50_ms, delay->p99_ms,
            delay->mean_ms, meaning);
}

static void print_resources(const struct summary *summary, FILE *out) {
    if (summary_has_scheme(summary))
        fprintf(out, LABEL "device %.3f J, uplink %.3f J\n", "energy", summary->energy_device_j,
                summary->energy_uplink_j);
    else
        fprintf(out, LABEL "device %.3f J, gateway %.3f J, uplink %.3f J, edge %.3f J\n", "energy",
                summary->energy_device_j, summary->energy_gateway_j, summary->energy_uplink_j,
                summary->energy_edge_j);
    fprintf(out, LABEL, "utilisation");
    if (summary->gateways > 0) {
        fputs("gateway CPU ", out);
        print_number(out, "%.1f", 100 * summary->busy_gateway, " %");
        fputs(", ", out);
    }
    fputs("uplink ", out);
    print_number(out, "%.1f", 100 * summary->busy_uplink, " %");
    fputs(", edge ", out);
    print_number(out, "%.1f", 100 * summary->busy_edge, " %");
    fputs(" of the virtual time\n", out);
}

static void print_accuracy(const struct summary *summary, FILE *out) {
    fprintf(out, LABEL, "accuracy");
    if (summary->processed == 0) {
        fputs("no task was processed\n", out);
        return;
    }
    fprintf(out, "%.2f %% of %" PRIu64 " processed tasks\n", 100 * summary_accuracy(summary),
            summary->processed);
    fprintf(out, LABEL, "  true \\ found");
    for (uint8_t found = 0; found < BEARING_CLASS_COUNT; found++)
        fprintf(out, "%9s", name_of_class(found));
    fputc('\n', out);
    for (uint8_t truth = 0; truth < BEARING_CLASS_COUNT; truth++) {
        fprintf(out, "    %-12s", name_of_class(truth));
        for (uint8_t found = 0; found < BEARING_CLASS_COUNT; found++)
            fprintf(out, "%9" PRIu64, summary->confusion[truth][found]);
        fputc('\n', out);
    }
}

static void print_closed_form(const struct summary *summary, FILE *out) {
    fprintf(out, LABEL, "closed form");
    if (summary->closed_count == 0) {
        fputs("no task has one\n", out);
        return;
    }
    fprintf(out, "%" PRIu64 " of %" PRIu64 " tasks within 1 ns (largest gap %.0f ns, mean %.3f ns)\n",
            summary->closed_within_1_ns, summary->closed_count, summary->closed_max_ns,
            summary->closed_mean_ns);
}

static void print_faults(const struct summary *summary, FILE *out) {
    uint64_t packets = summary->lost + summary->corrupted + summary->cut + summary->duplicated +
                       summary->refused + summary->dropped_down;
    if (summary->faults == 0 && packets == 0 && summary->protocol_errors == 0)
        return;
    fprintf(out, LABEL "%" PRIu64 " begun; crashes %" PRIu64 ", restarts %" PRIu64 ", hangs %" PRIu64 "\n",
            "faults", summary->faults, summary->crashes, summary->restarts, summary->hangs);
    fprintf(out,
            LABEL "lost %" PRIu64 ", corrupted %" PRIu64 ", cut %" PRIu64 ", duplicated %" PRIu64
                  ", refused %" PRIu64 ", met a dead node %" PRIu64 ", protocol errors %" PRIu64 "\n",
            "packets", summary->lost, summary->corrupted, summary->cut, summary->duplicated, summary->refused,
            summary->dropped_down, summary->protocol_errors);
}

static void print_identity(const struct summary *summary, FILE *out) {
    if (!summary_has_strangers(summary))
        return;
    fprintf(out,
            LABEL "%" PRIu64 " nodes not admitted; dropped: join refused %" PRIu64 ", unsealed %" PRIu64
                  ", replayed %" PRIu64 ", forbidden %" PRIu64 "\n",
            "identity", summary->not_admitted, summary->join_refused, summary->unsealed, summary->replayed,
            summary->forbidden);
}

static void print_time(const struct summary *summary, FILE *out) {
    fprintf(out, LABEL "%.3f s virtual in ", "time", summary->virtual_s);
    print_number(out, "%.3f", summary->wall_s, " s");
    fputs(" wall (start-up ", out);
    print_number(out, "%.3f", summary->startup_s, " s apart), ");
    print_number(out, "%.1f", summary_speed_up(summary), " times real time\n");
    fprintf(out, LABEL "%" PRIu64 " in %" PRIu64 " windows, ", "events", summary->events, summary->windows);
    print_number(out, "%.0f", summary_events_per_s(summary), " per second, ");
    fputs("waiting ", out);
    print_number(out, "%.1f", 100 * summary_wait_share(summary), " % of the processes' time\n");
    if (strcmp(summary->clock, "wall") != 0 || !isfinite(summary->late_max_s))
        return;
    fprintf(out, LABEL "%12s%12s%12s\n", "lateness", "p50", "p99", "largest");
    fprintf(out, LABEL "%9.3f ms%9.3f ms%9.3f ms  (worst process)\n", "", 1e3 * summary->late_p50_s,
            1e3 * summary->late_p99_s, 1e3 * summary->late_max_s);
}

static void print_tiers(const struct summary *summary, FILE *out) {
    bool scheme = summary_has_scheme(summary);
    fprintf(out, "%" PRIu64 " devices, ", summary->devices);
    if (summary->gateways > 0 || !scheme)
        fprintf(out, "%" PRIu64 " gateways, ", summary->gateways);
    fprintf(out, "%" PRIu64 " edge server%s", summary->edges, summary->edges == 1 && scheme ? "" : "s");
    if (summary->chain.validators > 0)
        fprintf(out, ", %" PRIu64 " validator%s", summary->chain.validators,
                summary->chain.validators == 1 ? "" : "s");
}

/* What was run: who decided, on what, and how. */
static void print_run(const struct summary *summary, FILE *out) {
    bool scheme = summary_has_scheme(summary);
    fprintf(out, "%s, seed %s, %s %s: %s%s%s\n", summary->scenario, summary->seed,
            scheme ? "scheme" : "policy", scheme ? summary->scheme : summary->policy, summary->status,
            summary->message[0] != '\0' ? ": " : "", summary->message);
    fprintf(out, LABEL, "run");
    if (summary_has_tiers(summary))
        print_tiers(summary, out);
    else
        fprintf(out, "%" PRIu64 " validator%s", summary->chain.validators,
                summary->chain.validators == 1 ? "" : "s");
    fprintf(out, "; %s, %" PRIu64 " process%s, %s clock\n", summary->transport, summary->processes,
            summary->processes == 1 ? "" : "es", summary->clock);
    if (summary->begin_s > 0 && summary->slot_s > 0)
        fprintf(out, LABEL "goes on with an earlier run: from slot %.0f of %" PRIu64 "\n", "  resumed",
                summary->begin_s / summary->slot_s, summary->slots);
}

static void print_work(const struct summary *summary, FILE *out) {
    print_tasks(summary, out);
    print_delay("delay", &summary->delay, "born to answered", out);
    print_delay("service", &summary->service, "decided to processed", out);
    print_resources(summary, out);
    if (!summary_has_scheme(summary))
        print_accuracy(summary, out);
    print_closed_form(summary, out);
}

void summary_print_text(const struct summary *summary, FILE *out) {
    bool scheme = summary_has_scheme(summary);
    print_run(summary, out);
    if (scheme)
        summary_print_results(summary, out);
    if (summary_has_tiers(summary))
        print_work(summary, out);
    if (!scheme)
        summary_print_results(summary, out);
    summary_print_series(summary, out);
    summary_print_chain(summary, out);
    print_faults(summary, out);
    print_identity(summary, out);
    print_time(summary, out);
    fprintf(out, LABEL "%s\n", "digest", summary->digest[0] != '\0' ? summary->digest : "none");
}

json_t *summary_json_number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *summary_json_count(uint64_t value) {
    return json_integer((json_int_t)value);
}

static json_t *delay_json(const struct summary_delay *delay) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "count", summary_json_count(delay->count), "p50_ms",
                     summary_json_number(delay->p50_ms), "p99_ms", summary_json_number(delay->p99_ms),
                     "mean_ms", summary_json_number(delay->mean_ms), "max_ms",
                     summary_json_number(delay->max_ms));
}

static json_t *tasks_json(const struct summary *summary) {
    json_t *reasons = json_object();
    for (unsigned reason = DROP_NONE + 1; reason < DROP_REASON_COUNT; reason++)
        json_object_set_new(reasons, name_of_drop((uint8_t)reason),
                            summary_json_count(summary->drop[reason]));
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "born", summary_json_count(summary->born), "done",
        summary_json_count(summary->done), "dropped", summary_json_count(summary->dropped), "in_flight",
        summary_json_count(summary->in_flight), "unreported", summary_json_count(summary->unreported),
        "done_at_device", summary_json_count(summary->at_device), "done_at_gateway",
        summary_json_count(summary->at_gateway), "done_at_edge", summary_json_count(summary->at_edge),
        "dropped_by", reasons);
}

static json_t *accuracy_json(const struct summary *summary) {
    json_t *classes = json_array(), *matrix = json_array();
    for (uint8_t truth = 0; truth < BEARING_CLASS_COUNT; truth++) {
        json_t *row = json_array();
        for (unsigned found = 0; found < BEARING_CLASS_COUNT; found++)
            json_array_append_new(row, summary_json_count(summary->confusion[truth][found]));
        json_array_append_new(matrix, row);
        json_array_append_new(classes, json_string(name_of_class(truth)));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "processed", summary_json_count(summary->processed),
                     "right", summary_json_count(summary->right), "accuracy",
                     summary_json_number(summary_accuracy(summary)), "classes", classes,
                     "confusion_true_by_found", matrix);
}

static json_t *resources_json(const struct summary *summary) {
    return json_pack(
        "{s:{s:o, s:o, s:o, s:o}, s:{s:o, s:o, s:o}}", "energy_j", "device",
        summary_json_number(summary->energy_device_j), "gateway",
        summary_json_number(summary->energy_gateway_j), "uplink",
        summary_json_number(summary->energy_uplink_j), "edge", summary_json_number(summary->energy_edge_j),
        "utilisation", "gateway_cpu", summary_json_number(summary->busy_gateway), "uplink",
        summary_json_number(summary->busy_uplink), "edge", summary_json_number(summary->busy_edge));
}

static json_t *closed_json(const struct summary *summary) {
    return json_pack("{s:o, s:o, s:o, s:o}", "tasks", summary_json_count(summary->closed_count),
                     "within_1_ns", summary_json_count(summary->closed_within_1_ns), "max_gap_ns",
                     summary_json_number(summary->closed_max_ns), "mean_gap_ns",
                     summary_json_number(summary->closed_mean_ns));
}

static json_t *faults_json(const struct summary *summary) {
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o, s:o, s:o, s:o}, s:o}", "begun",
        summary_json_count(summary->faults), "crashes", summary_json_count(summary->crashes), "restarts",
        summary_json_count(summary->restarts), "hangs", summary_json_count(summary->hangs), "packets", "lost",
        summary_json_count(summary->lost), "corrupted", summary_json_count(summary->corrupted), "cut",
        summary_json_count(summary->cut), "duplicated", summary_json_count(summary->duplicated), "refused",
        summary_json_count(summary->refused), "met_dead_node", summary_json_count(summary->dropped_down),
        "protocol_errors", summary_json_count(summary->protocol_errors));
}

static json_t *identity_json(const struct summary *summary) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "not_admitted", summary_json_count(summary->not_admitted),
                     "join_refused", summary_json_count(summary->join_refused), "unsealed",
                     summary_json_count(summary->unsealed), "replayed", summary_json_count(summary->replayed),
                     "forbidden", summary_json_count(summary->forbidden));
}

static json_t *time_json(const struct summary *summary) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "virtual_s",
                     summary_json_number(summary->virtual_s), "wall_s", summary_json_number(summary->wall_s),
                     "startup_s", summary_json_number(summary->startup_s), "speed_up",
                     summary_json_number(summary_speed_up(summary)), "events",
                     summary_json_count(summary->events), "windows", summary_json_count(summary->windows),
                     "events_per_s", summary_json_number(summary_events_per_s(summary)), "wait_share",
                     summary_json_number(summary_wait_share(summary)));
}

json_t *summary_to_json(const struct summary *summary) {
    json_t *root = json_pack(
        "{s:o, s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "scenario",
        manifest_json_text(summary->scenario), "seed", summary->seed, "policy", summary->policy, "scheme",
        summary_has_scheme(summary) ? summary->scheme : "none", "status", summary->status, "message",
        manifest_json_text(summary->message), "transport", summary->transport, "processes",
        summary_json_count(summary->processes), "clock", summary->clock, "digest", summary->digest, "tasks",
        tasks_json(summary), "delay", delay_json(&summary->delay), "service", delay_json(&summary->service),
        "diagnosis", accuracy_json(summary), "closed_form", closed_json(summary), "faults",
        faults_json(summary), "time", time_json(summary));
    json_t *resources = resources_json(summary);
    if (root != NULL && resources != NULL)
        json_object_update(root, resources);
    json_decref(resources);
    if (root != NULL)
        json_object_set_new(root, "identity", identity_json(summary));
    if (root != NULL && summary->chain.validators > 0)
        json_object_set_new(root, "chain", summary_chain_to_json(summary));
    if (root != NULL)
        summary_measured_to_json(summary, root);
    if (root != NULL && strcmp(summary->clock, "wall") == 0)
        json_object_set_new(root, "lateness_s",
                            json_pack("{s:o, s:o, s:o}", "p50", summary_json_number(summary->late_p50_s),
                                      "p99", summary_json_number(summary->late_p99_s), "max",
                                      summary_json_number(summary->late_max_s)));
    return root;
}

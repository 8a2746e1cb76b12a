/* runs_compare: the key figures of two runs side by side. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/runs.h"
#include "common/record/manifest.h"
#include "common/record/summary.h"

struct figure {
    const char *name, *unit;
    double (*value)(const struct summary *summary);
};

static double born(const struct summary *summary) {
    return (double)summary->born;
}

static double done(const struct summary *summary) {
    return (double)summary->done;
}

static double dropped(const struct summary *summary) {
    return (double)summary->dropped;
}

static double dropped_late(const struct summary *summary) {
    return (double)summary->drop[DROP_DEADLINE];
}

static double delay_p50(const struct summary *summary) {
    return summary->delay.p50_ms;
}

static double delay_p99(const struct summary *summary) {
    return summary->delay.p99_ms;
}

static double delay_mean(const struct summary *summary) {
    return summary->delay.mean_ms;
}

static double service_mean(const struct summary *summary) {
    return summary->service.mean_ms;
}

static double energy(const struct summary *summary) {
    return summary->energy_device_j + summary->energy_gateway_j + summary->energy_uplink_j +
           summary->energy_edge_j;
}

static double busy_gateway(const struct summary *summary) {
    return 100 * summary->busy_gateway;
}

static double busy_uplink(const struct summary *summary) {
    return 100 * summary->busy_uplink;
}

static double busy_edge(const struct summary *summary) {
    return 100 * summary->busy_edge;
}

static double accuracy(const struct summary *summary) {
    return 100 * summary_accuracy(summary);
}

static double closed_form(const struct summary *summary) {
    return summary->closed_max_ns;
}

static double events(const struct summary *summary) {
    return (double)summary->events;
}

static double virtual_time(const struct summary *summary) {
    return summary->virtual_s;
}

static double wall_time(const struct summary *summary) {
    return summary->wall_s;
}

static double waiting(const struct summary *summary) {
    return 100 * summary_wait_share(summary);
}

static const struct figure figures[] = {{"tasks born", "", born},
                                        {"tasks done", "", done},
                                        {"tasks dropped", "", dropped},
                                        {"  by deadline", "", dropped_late},
                                        {"delay p50", "ms", delay_p50},
                                        {"delay p99", "ms", delay_p99},
                                        {"delay mean", "ms", delay_mean},
                                        {"service mean", "ms", service_mean},
                                        {"energy", "J", energy},
                                        {"gateway CPU busy", "%", busy_gateway},
                                        {"uplink busy", "%", busy_uplink},
                                        {"edge busy", "%", busy_edge},
                                        {"accuracy", "%", accuracy},
                                        {"closed form gap", "ns", closed_form},
                                        {"events", "", events},
                                        {"virtual time", "s", virtual_time},
                                        {"wall time", "s", wall_time},
                                        {"waiting", "%", waiting}};

#define FIGURE_COUNT (sizeof figures / sizeof *figures)

/* A digest of zeros is that of a run that did not finish: it agrees with nothing. */
static bool digests_agree(const struct summary *first, const struct summary *second) {
    bool real = strspn(first->digest, "0") < strlen(first->digest);
    return real && strcmp(first->digest, second->digest) == 0;
}

static void print_value(double value) {
    if (isfinite(value))
        printf("%16.6g", value);
    else
        printf("%16s", "-");
}

/* The rest of a line: both values and how they differ. */
static void print_pair(double first, double second) {
    print_value(first);
    print_value(second);
    print_value(second - first);
    if (isfinite(first) && isfinite(second) && first != 0 && first != second)
        printf("%+8.2f %%", 100 * (second - first) / fabs(first));
    printf("\n");
}

static void print_figures(const struct summary *first, const struct summary *second) {
    printf("%-22s%16s%16s%16s%10s\n", "", "first", "second", "difference", "");
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        printf("%-18s%-4s", figures[i].name, figures[i].unit);
        print_pair(figures[i].value(first), figures[i].value(second));
    }
}

/* What nodes recorded: the names of the first run, then those that only the second has. */
static size_t result_names(const struct summary summaries[2], const struct summary_result **names) {
    size_t count = 0;
    for (uint32_t i = 0; i < summaries[0].result_count; i++)
        names[count++] = &summaries[0].results[i];
    for (uint32_t i = 0; i < summaries[1].result_count; i++)
        if (summary_result(&summaries[0], summaries[1].results[i].name) == NULL)
            names[count++] = &summaries[1].results[i];
    return count;
}

static double result_value(const struct summary *summary, const char *name) {
    const struct summary_result *result = summary_result(summary, name);
    return result != NULL ? result->mean : NAN;
}

static void print_results(const struct summary summaries[2]) {
    const struct summary_result *names[2 * SUMMARY_RESULTS_MAX];
    size_t count = result_names(summaries, names);
    for (size_t i = 0; i < count; i++) {
        int width = (int)strlen(names[i]->name);
        int room = width < 21 ? 21 - width : 0;
        printf("%s %-*s", names[i]->name, room, names[i]->unit);
        print_pair(result_value(&summaries[0], names[i]->name), result_value(&summaries[1], names[i]->name));
    }
}

static void print_identity(const char *label, const char *dir, const struct summary *summary) {
    printf("%-8s%s: %s, seed %s, %s %s, %s, %s with %llu process%s\n", label, dir, summary->scenario,
           summary->seed, summary_has_scheme(summary) ? "scheme" : "policy",
           summary_has_scheme(summary) ? summary->scheme : summary->policy, summary->status,
           summary->transport, (unsigned long long)summary->processes, summary->processes == 1 ? "" : "es");
}

static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static void add_figure(json_t *list, const char *name, const char *unit, const double values[2]) {
    json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:o}", "name", name, "unit", unit, "first",
                                          number(values[0]), "second", number(values[1]), "difference",
                                          number(values[1] - values[0])));
}

static json_t *figures_json(const struct summary summaries[2]) {
    json_t *list = json_array();
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        const double values[2] = {figures[i].value(&summaries[0]), figures[i].value(&summaries[1])};
        add_figure(list, figures[i].name + strspn(figures[i].name, " "), figures[i].unit, values);
    }
    return list;
}

static json_t *results_json(const struct summary summaries[2]) {
    const struct summary_result *names[2 * SUMMARY_RESULTS_MAX];
    json_t *list = json_array();
    size_t count = result_names(summaries, names);
    for (size_t i = 0; i < count; i++) {
        const double values[2] = {result_value(&summaries[0], names[i]->name),
                                  result_value(&summaries[1], names[i]->name)};
        add_figure(list, names[i]->name, names[i]->unit, values);
    }
    return list;
}

static void print_json(const char *const dirs[2], const struct summary summaries[2]) {
    const struct summary *first = &summaries[0], *second = &summaries[1];
    json_t *root = json_pack("{s:b, s:{s:o, s:o}, s:{s:o, s:o}, s:o, s:o}", "digests_agree",
                             digests_agree(first, second), "first", "run", manifest_json_text(dirs[0]),
                             "summary", summary_to_json(first), "second", "run", manifest_json_text(dirs[1]),
                             "summary", summary_to_json(second), "figures", figures_json(summaries),
                             "results", results_json(summaries));
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    printf("\n");
    json_decref(root);
}

int runs_compare(const char *first, const char *second, bool need_digest, bool json) {
    struct error error = {0};
    struct summary summaries[2];
    const char *const dirs[2] = {first, second};
    for (int i = 0; i < 2; i++)
        if (summary_load(dirs[i], &summaries[i], &error) != STATUS_OK)
            return runs_fail(&error);
    bool agree = digests_agree(&summaries[0], &summaries[1]);
    if (json) {
        print_json(dirs, summaries);
    } else {
        print_identity("first", first, &summaries[0]);
        print_identity("second", second, &summaries[1]);
        printf("\n");
        print_figures(&summaries[0], &summaries[1]);
        print_results(summaries);
        printf("\ndigests %s\n  %s\n  %s\n", agree ? "agree" : "differ", summaries[0].digest,
               summaries[1].digest);
    }
    return need_digest && !agree ? 1 : 0;
}

#include "bench/phold_run.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/bytes.h"
#include "nodes/loop.h"

struct phold_member {
    struct phold phold;
    struct engine engine;
    uint32_t *rank_of_lp;
    uint8_t final[16];
};

static const uint8_t *take_final(void *context, size_t *size) {
    struct phold_member *member = context;
    struct bytes_writer writer = bytes_writer_over(member->final, sizeof member->final);
    bytes_put_u64(&writer, member->engine.executed);
    bytes_put_u64(&writer, phold_digest(&member->phold, &member->engine));
    *size = writer.used;
    return member->final;
}

static enum status on_final(void *context, uint32_t rank, const uint8_t *data, size_t size,
                            struct error *error) {
    struct phold_result *result = context;
    struct bytes_reader reader = bytes_reader_over(data, size);
    result->events += bytes_get_u64(&reader);
    result->digest += bytes_get_u64(&reader);
    return bytes_done(&reader) ? STATUS_OK
                               : error_set(error, STATUS_INVALID, "malformed result from rank %u", rank);
}

static void member_open(struct phold_member *member, const struct phold_config *config, struct bus *bus) {
    uint32_t ranks = bus_size(bus);
    member->rank_of_lp = malloc(config->lps * sizeof *member->rank_of_lp);
    if (member->rank_of_lp == NULL)
        abort();
    for (uint32_t lp = 0; lp < config->lps; lp++)
        member->rank_of_lp[lp] = (uint32_t)((uint64_t)lp * ranks / config->lps);
    phold_init(&member->phold, config);
    engine_init(&member->engine,
                &(struct engine_config){.node_count = config->lps,
                                        .rank = bus_rank(bus),
                                        .rank_count = ranks,
                                        .rank_of_node = ranks > 1 ? member->rank_of_lp : NULL,
                                        .step_max = EVENT_STEP_MAX - 1,
                                        .deliver = phold_deliver,
                                        .context = &member->phold,
                                        .states = member->phold.lps,
                                        .state_bytes = sizeof *member->phold.lps});
    phold_start(&member->phold, &member->engine);
}

static void member_close(struct phold_member *member) {
    engine_close(&member->engine);
    phold_close(&member->phold);
    free(member->rank_of_lp);
}

/* Each of K events jumps on by L + Exp(s): a renewal process whose mean count up to T is (T + (s^2 - 1) / 2)
 * / mean for mean 1, and whose variance tends to s^2 T for mean 1 (Cox, Renewal Theory, 1962, section 4.5).
 * Time in units of the mean. */
static void expect(const struct phold_config *config, struct phold_result *result) {
    double total = (double)config->lps * config->events_per_lp;
    double s = 1.0 - config->lookahead_s / config->mean_s;
    double t = config->end_s / config->mean_s;
    result->expected = total * (t + (s * s - 1.0) / 2.0);
    result->z = ((double)result->events - result->expected) / (s * sqrt(total * t));
}

enum status phold_run(struct bus *bus, const struct phold_config *config, struct phold_result *result,
                      struct error *error) {
    struct phold_member member = {0};
    struct director director = {0};
    struct process process;
    bool directs = bus_rank(bus) == 0;
    memset(result, 0, sizeof *result);
    member_open(&member, config, bus);
    if (directs)
        director_init(&director, &(struct director_config){.bus = bus,
                                                           .end_ns = member.phold.end_ns,
                                                           .chunk_ns = member.phold.end_ns,
                                                           .context = result,
                                                           .on_final = on_final});
    struct process_config process_config = {.bus = bus,
                                            .engine = &member.engine,
                                            .lookahead_ns =
                                                bus_size(bus) > 1 ? member.phold.lookahead_ns : VTIME_NEVER,
                                            .context = &member,
                                            .take_final = take_final};
    process_init(&process, &process_config);
    struct loop loop = {.bus = bus, .process = &process, .director = directs ? &director : NULL};
    enum status status = loop_run(&loop, error);
    if (status == STATUS_OK && directs && director.status != STATUS_OK) {
        *error = director.error;
        status = director.status;
    }
    result->wall_s = director.finish_s - director.first_grant_s;
    result->rounds = director.rounds;
    expect(config, result);
    process_close(&process);
    if (directs)
        director_close(&director);
    member_close(&member);
    return status;
}

/* ---- options ---- */

void phold_defaults(struct phold_config *config) {
    *config = (struct phold_config){.lps = 1024,
                                    .events_per_lp = 1,
                                    .remote = 0.5,
                                    .lookahead_s = 0.1,
                                    .mean_s = 1.0,
                                    .end_s = 1000.0,
                                    .seed = 1,
                                    .processes = 1};
}

static enum status take_count(const char *name, const char *argument, uint64_t most, uint64_t *value,
                              struct error *error) {
    char *end;
    *value = strtoull(argument, &end, 10);
    if (*argument < '0' || *argument > '9' || *end != '\0' || *value > most)
        return error_set(error, STATUS_INVALID, "--%s wants a whole number up to %" PRIu64 ", got `%s`", name,
                         most, argument);
    return STATUS_OK;
}

static enum status take_number(const char *name, const char *argument, double *value, struct error *error) {
    char *end;
    *value = strtod(argument, &end);
    if (end == argument || *end != '\0' || !isfinite(*value) || *value < 0.0)
        return error_set(error, STATUS_INVALID, "--%s wants a number of 0 or more, got `%s`", name, argument);
    return STATUS_OK;
}

enum status phold_option(struct phold_config *config, const char *name, const char *argument,
                         struct error *error) {
    struct {
        const char *name;
        double *value;
    } numbers[] = {{"remote", &config->remote},
                   {"lookahead", &config->lookahead_s},
                   {"mean", &config->mean_s},
                   {"end", &config->end_s}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(name, numbers[i].name) == 0)
            return take_number(name, argument, numbers[i].value, error);
    uint64_t value;
    if (strcmp(name, "seed") == 0)
        return take_count(name, argument, UINT64_MAX, &config->seed, error);
    uint32_t *count = strcmp(name, "lps") == 0             ? &config->lps
                      : strcmp(name, "events-per-lp") == 0 ? &config->events_per_lp
                      : strcmp(name, "processes") == 0     ? &config->processes
                                                           : NULL;
    if (count == NULL)
        return STATUS_UNSUPPORTED;
    TRY(take_count(name, argument, count == &config->processes ? 1024 : EVENT_SOURCE_MAX, &value, error));
    *count = (uint32_t)value;
    return STATUS_OK;
}

enum status phold_check(const struct phold_config *config, struct error *error) {
    if (config->lps == 0 || config->events_per_lp == 0 || config->processes == 0)
        return error_set(error, STATUS_INVALID, "--lps, --events-per-lp and --processes must be at least 1");
    if (config->processes > config->lps)
        return error_set(error, STATUS_INVALID, "more processes (%u) than LPs (%u)", config->processes,
                         config->lps);
    if (config->remote > 1.0 || config->lookahead_s >= config->mean_s)
        return error_set(error, STATUS_INVALID,
                         "--remote is a probability, and --lookahead must be below --mean");
    if (config->lookahead_s < 1e-9 && config->processes > 1)
        return error_set(error, STATUS_INVALID, "several processes need a --lookahead of 1 ns or more");
    if (config->end_s > 4e9)
        return error_set(error, STATUS_INVALID, "--end must be below 4e9 s");
    return STATUS_OK;
}

void phold_print(const struct phold_config *config, const struct phold_result *result, bool json) {
    double rate = (double)result->events / result->wall_s;
    if (json)
        printf("{\"lps\": %u, \"events_per_lp\": %u, \"remote\": %g, \"lookahead\": %g, \"mean\": %g, "
               "\"end\": %g, "
               "\"processes\": %u, \"seed\": %" PRIu64 ", \"events\": %" PRIu64 ", \"wall_s\": %.6f, "
               "\"events_per_s\": %.0f, \"rounds\": %" PRIu64 ", \"expected_events\": %.1f, \"z\": %.3f, "
               "\"digest\": \"%016" PRIx64 "\"}\n",
               config->lps, config->events_per_lp, config->remote, config->lookahead_s, config->mean_s,
               config->end_s, config->processes, config->seed, result->events, result->wall_s, rate,
               result->rounds, result->expected, result->z, result->digest);
    else
        printf("%" PRIu64 " events in %.3f s: %.2f M events/s with %u process%s, %" PRIu64
               " rounds; expected %.0f events (z = %.2f); digest %016" PRIx64 "\n",
               result->events, result->wall_s, rate * 1e-6, config->processes,
               config->processes > 1 ? "es" : "", result->rounds, result->expected, result->z,
               result->digest);
}

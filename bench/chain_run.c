/* chain_run: the ranks of a measurement: one of them under mpirun, or all in this process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/chain_bench.h"
#include "common/time/wall.h"

#define LINKS_MAX 100000u
#define LOOK_EVERY_NS INT64_C(500000000) /* whether the client still lives */

const char *const chain_phase_names[CHAIN_PHASES] = {"records", "signed", "single"};

/* As many senders as transactions on their way: with several of one sender on its way, one that overtakes
 * another makes its nonce void. Links from each to each validator bound them. */
static void choose_senders(struct chain_bench_config *config) {
    uint32_t wanted = config->outstanding * CHAIN_BENCH_BLOCK_TXS,
             most = LINKS_MAX / (2 * config->validators);
    config->senders = !config->phases[CHAIN_PHASE_SIGNED] ? CHAIN_BENCH_OUTSTANDING_MAX
                      : wanted < most                     ? wanted
                                                          : most;
}

/* ---- one rank ---- */

static void wait_for_bus(void *context, int64_t wait_ns) {
    bus_wait(context, wait_ns);
}

static enum status run_member(const struct chain_world *world, struct bus *bus, struct error *error) {
    struct chain_member *member = calloc(1, sizeof *member);
    if (member == NULL)
        return STATUS_MEMORY;
    chain_member_init(member, world, bus, bus_rank(bus));
    enum status status = STATUS_OK;
    int64_t looked_ns = wall_now_ns();
    while (!member->stopped && status == STATUS_OK) {
        if (chain_member_turn(member))
            continue;
        bus_wait(bus, chain_member_idle_ns(member));
        if (wall_now_ns() - looked_ns < LOOK_EVERY_NS)
            continue;
        looked_ns = wall_now_ns();
        if (bus_peer_dead(bus, world->config->validators) || bus_launcher_dead(bus))
            status = error_set(error, STATUS_PEER, "the client is gone");
    }
    chain_member_close(member);
    free(member);
    return status;
}

enum status chain_run_rank(struct chain_bench_config *config, struct bus *bus, struct chain_result *result,
                           struct error *error) {
    struct chain_world world;
    choose_senders(config);
    enum status status = chain_world_open(&world, config, error);
    if (status == STATUS_OK)
        status = bus_rank(bus) == config->validators
                     ? chain_client_run(&world, bus, wait_for_bus, bus, result, error)
                     : run_member(&world, bus, error);
    chain_world_close(&world);
    return status;
}

/* ---- all in one process ---- */

struct crowd {
    struct chain_member *members; /* owned */
    uint32_t count;
};

/* Each validator has a turn; sleeps only when none had anything to do. */
static void take_turns(void *context, int64_t wait_ns) {
    struct crowd *crowd = context;
    bool any = false;
    int64_t idle_ns = wait_ns;
    for (uint32_t i = 0; i < crowd->count; i++) {
        any |= chain_member_turn(&crowd->members[i]);
        int64_t own_ns = chain_member_idle_ns(&crowd->members[i]);
        idle_ns = own_ns < idle_ns ? own_ns : idle_ns;
    }
    if (!any && idle_ns > 0)
        nanosleep(&(struct timespec){.tv_nsec = idle_ns < 999999999 ? idle_ns : 999999999}, NULL);
}

enum status chain_run_here(struct chain_bench_config *config, struct chain_result *result,
                           struct error *error) {
    struct chain_world world;
    struct bus **endpoints;
    struct crowd crowd = {.count = config->validators};
    choose_senders(config);
    TRY(bus_memory_open(config->validators + 1, &endpoints, error));
    enum status status = chain_world_open(&world, config, error);
    crowd.members = calloc(crowd.count, sizeof *crowd.members);
    if (crowd.members == NULL)
        abort();
    for (uint32_t i = 0; i < crowd.count; i++)
        chain_member_init(&crowd.members[i], &world, endpoints[i], i);
    if (status == STATUS_OK)
        status = chain_client_run(&world, endpoints[crowd.count], take_turns, &crowd, result, error);
    for (uint32_t i = 0; i < crowd.count; i++)
        chain_member_close(&crowd.members[i]);
    for (uint32_t i = 0; i <= crowd.count; i++)
        bus_close(endpoints[i]);
    free(crowd.members);
    free(endpoints);
    chain_world_close(&world);
    return status;
}

/* ---- options, the same for the command and for the ranks ---- */

void chain_bench_defaults(struct chain_bench_config *config) {
    *config = (struct chain_bench_config){.validators = 4,
                                          .record_bytes = 64,
                                          .outstanding = 3,
                                          .seconds = 5,
                                          .phases = {true, true, true},
                                          .durability = DURABILITY_PROCESS};
}

static enum status take_number(const char *name, const char *text, double least, double most, double *number,
                               struct error *error) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= least && value <= most))
        return error_set(error, STATUS_INVALID, "--%s takes a number from %g to %g, not '%s'", name, least,
                         most, text);
    *number = value;
    return STATUS_OK;
}

static enum status take_only(struct chain_bench_config *config, const char *text, struct error *error) {
    for (uint32_t phase = 0; phase < CHAIN_PHASES; phase++)
        if (strcmp(text, chain_phase_names[phase]) == 0) {
            memset(config->phases, 0, sizeof config->phases);
            config->phases[phase] = true;
            return STATUS_OK;
        }
    return error_set(error, STATUS_INVALID, "--only takes records, signed or single, not '%s'", text);
}

static enum status take_durability(struct chain_bench_config *config, const char *text, struct error *error) {
    bool power = strcmp(text, "power") == 0;
    if (!power && strcmp(text, "process") != 0)
        return error_set(error, STATUS_INVALID, "--durability takes power or process, not '%s'", text);
    config->durability = power ? DURABILITY_POWER : DURABILITY_PROCESS;
    return STATUS_OK;
}

static enum status take_dir(struct chain_bench_config *config, const char *text, struct error *error) {
    size_t size = strlen(text);
    if (size == 0 || size >= sizeof config->dir - 64)
        return error_set(error, STATUS_INVALID, "--dir takes a directory with a path of at most %zu bytes",
                         sizeof config->dir - 65);
    memcpy(config->dir, text, size + 1);
    return STATUS_OK;
}

enum status chain_bench_option(struct chain_bench_config *config, const char *name, const char *argument,
                               struct error *error) {
    double number = 0;
    if (strcmp(name, "only") == 0)
        return take_only(config, argument, error);
    if (strcmp(name, "durability") == 0)
        return take_durability(config, argument, error);
    if (strcmp(name, "dir") == 0)
        return take_dir(config, argument, error);
    if (strcmp(name, "validators") == 0) {
        TRY(take_number(name, argument, 1, VALIDATORS_MAX, &number, error));
        config->validators = (uint32_t)number;
    } else if (strcmp(name, "record-bytes") == 0) {
        TRY(take_number(name, argument, 8, 160, &number, error));
        config->record_bytes = (uint32_t)number;
    } else if (strcmp(name, "outstanding") == 0) {
        TRY(take_number(name, argument, 1, 16, &number, error));
        config->outstanding = (uint32_t)number;
    } else if (strcmp(name, "heights") == 0) {
        TRY(take_number(name, argument, 1, 1000000, &number, error));
        config->heights = (uint32_t)number;
    } else if (strcmp(name, "seconds") == 0) {
        TRY(take_number(name, argument, 0.1, 600, &config->seconds, error));
    } else {
        TRY(take_number(name, argument, 0, 9e18, &number, error)); /* epoch */
        config->epoch_ns = strtoll(argument, NULL, 10);
    }
    return STATUS_OK;
}

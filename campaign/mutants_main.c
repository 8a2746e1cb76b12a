/* tierbed-mutants: the campaign against known mistakes: each must be found out within the seeds given.
 *
 * Built with -DTIERBED_MUTANTS from the same sources as the validators and started by `tierbed campaign chain
 * --mutants`, with all of these words: SEEDS (A..B), JOBS, VALIDATORS, MUTANT or "all", KIND or "any", and
 * text, json or trace (trace: the first seed alone, all its events). */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/pool.h"
#include "common/base/mutate.h"
#include "common/time/wall.h"

enum mutant mutate_active = MUTANT_NONE;

static const char *const mutant_names[MUTANT_COUNT] = {[MUTANT_NONE] = "NONE",
#define MUTANT_NAME(name, wrong) [MUTANT_##name] = #name,
                                                       MUTANTS(MUTANT_NAME)
#undef MUTANT_NAME
};
static const char *const mutant_texts[MUTANT_COUNT] = {[MUTANT_NONE] = "no mistake: must survive",
#define MUTANT_TEXT(name, wrong) [MUTANT_##name] = wrong,
                                                       MUTANTS(MUTANT_TEXT)
#undef MUTANT_TEXT
};

struct hunt {
    uint64_t runs;
    bool killed;
    struct campaign_result by; /* what killed it */
};

static void on_result(void *context, const struct campaign_result *result) {
    struct hunt *hunt = context;
    hunt->runs++;
    if (result->violation_count == 0 || hunt->killed)
        return;
    hunt->killed = true;
    hunt->by = *result;
}

static enum status hunt_one(const struct pool_config *config, enum mutant mutant, struct hunt *hunt,
                            struct error *error) {
    *hunt = (struct hunt){0};
    struct pool_config own = *config;
    own.context = hunt;
    own.on_result = on_result;
    own.until_failure = true;
    mutate_active = mutant;
    enum status status = campaign_pool_run(&own, error);
    mutate_active = MUTANT_NONE;
    return status;
}

static void print_hunt(enum mutant mutant, const struct hunt *hunt) {
    if (!hunt->killed) {
        printf("%-16s SURVIVED %" PRIu64 " seeds: %s\n", mutant_names[mutant], hunt->runs,
               mutant_texts[mutant]);
        return;
    }
    const struct violation *violation = &hunt->by.violations[0];
    printf("%-16s killed by seed %" PRIu64 " (%s) after %" PRIu64 " seeds: %s: %s\n", mutant_names[mutant],
           hunt->by.seed, hunt->by.kind->name, hunt->runs, invariant_name(violation->invariant),
           violation->text);
}

static json_t *hunt_json(enum mutant mutant, const struct hunt *hunt) {
    if (!hunt->killed)
        return json_pack("{s:s, s:s, s:b, s:I}", "mutant", mutant_names[mutant], "what", mutant_texts[mutant],
                         "killed", 0, "seeds", (json_int_t)hunt->runs);
    return json_pack("{s:s, s:s, s:b, s:I, s:I, s:s, s:s, s:s}", "mutant", mutant_names[mutant], "what",
                     mutant_texts[mutant], "killed", 1, "seeds", (json_int_t)hunt->runs, "seed",
                     (json_int_t)hunt->by.seed, "kind", hunt->by.kind->name, "invariant",
                     invariant_name(hunt->by.violations[0].invariant), "text", hunt->by.violations[0].text);
}

static int trace_one(const struct pool_config *config, enum mutant mutant) {
    struct campaign_options options = config->options;
    struct campaign_result result;
    struct error error = {0};
    options.trace = stdout;
    mutate_active = mutant;
    enum status status = campaign_run(&options, config->first, &result, &error);
    for (uint32_t i = 0; i < result.violation_count && i < ORACLE_VIOLATIONS_MAX; i++)
        printf("%s at height %" PRIu64 ": %s\n", invariant_name(result.violations[i].invariant),
               result.violations[i].height, result.violations[i].text);
    return status != STATUS_OK ? status_exit_code(status) : result.violation_count > 0 ? 1 : 0;
}

/* A mutant by its name; MUTANT_COUNT: all. false: there is none. */
static bool find_mutant(const char *name, enum mutant *mutant) {
    *mutant = MUTANT_COUNT;
    if (strcmp(name, "all") == 0)
        return true;
    for (uint32_t i = 0; i < MUTANT_COUNT; i++)
        if (strcmp(mutant_names[i], name) == 0) {
            *mutant = (enum mutant)i;
            return true;
        }
    return false;
}

static int hunt_all(const struct pool_config *config, enum mutant only, bool json) {
    int survivors = 0;
    double begin_s = wall_now_s();
    json_t *list = json_array();
    for (uint32_t i = 0; i < MUTANT_COUNT; i++) {
        if (only == MUTANT_COUNT ? i == MUTANT_NONE : i != (uint32_t)only)
            continue;
        struct hunt hunt;
        struct error error = {0};
        enum status status = hunt_one(config, (enum mutant)i, &hunt, &error);
        if (status != STATUS_OK) {
            fprintf(stderr, "tierbed-mutants: %s\n", error.text);
            json_decref(list);
            return status_exit_code(status);
        }
        survivors += !hunt.killed;
        if (json)
            json_array_append_new(list, hunt_json((enum mutant)i, &hunt));
        else
            print_hunt((enum mutant)i, &hunt);
        fflush(stdout);
    }
    if (json)
        json_dumpf(list, stdout, JSON_INDENT(2));
    else
        printf("%d survived; %.1f s\n", survivors, wall_now_s() - begin_s);
    json_decref(list);
    return survivors > 0 ? 1 : 0;
}

int main(int argc, char **argv) {
    struct pool_config config = {0};
    enum mutant only;
    if (argc != 7 || sscanf(argv[1], "%" SCNu64 "..%" SCNu64, &config.first, &config.last) != 2 ||
        !find_mutant(argv[4], &only)) {
        fprintf(stderr, "usage: tierbed-mutants A..B JOBS VALIDATORS MUTANT|all KIND|any text|json|trace\n");
        fprintf(stderr, "it is started by `tierbed campaign chain --mutants`; mutants:");
        for (uint32_t i = 1; i < MUTANT_COUNT; i++)
            fprintf(stderr, " %s", mutant_names[i]);
        fputc('\n', stderr);
        return 2;
    }
    config.jobs = (uint32_t)strtoul(argv[2], NULL, 10);
    config.options.validators = (uint32_t)strtoul(argv[3], NULL, 10);
    config.options.kind = kind_find(argv[5]);
    if (strcmp(argv[6], "trace") == 0)
        return trace_one(&config, only == MUTANT_COUNT ? MUTANT_NONE : only);
    return hunt_all(&config, only, strcmp(argv[6], "json") == 0);
}

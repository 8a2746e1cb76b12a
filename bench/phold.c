#include "bench/phold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"

void phold_init(struct phold *phold, const struct phold_config *config) {
    phold->config = *config;
    phold->lps = aligned_alloc(64, (size_t)config->lps * sizeof *phold->lps);
    if (phold->lps == NULL)
        abort();
    memset(phold->lps, 0, (size_t)config->lps * sizeof *phold->lps);
    phold->lookahead_ns = vtime_from_s(config->lookahead_s);
    phold->rest_ns = (config->mean_s - config->lookahead_s) * 1e9;
    phold->end_ns = vtime_from_s(config->end_s);
    for (uint32_t lp = 0; lp < config->lps; lp++)
        random_init((struct random_stream *)phold->lps[lp].random, config->seed, lp, RANDOM_BENCH);
}

void phold_close(struct phold *phold) {
    free(phold->lps);
    phold->lps = NULL;
}

static int64_t delay_ns(const struct phold *phold, struct random_stream *stream) {
    return phold->lookahead_ns + (int64_t)random_exponential(stream, phold->rest_ns);
}

enum status phold_deliver(void *context, struct engine *engine, const struct engine_event *event) {
    struct phold *phold = context;
    struct phold_lp *lp = &phold->lps[event->node];
    struct random_stream *stream = (struct random_stream *)lp->random;
    lp->executed++;
    lp->digest = random_mix(lp->digest ^ (uint64_t)event->key.time_ns) + event->key.order;
    uint32_t target = event->node;
    if (random_chance(stream, phold->config.remote))
        target = (uint32_t)random_below(stream, phold->config.lps);
    int64_t at_ns = event->key.time_ns + delay_ns(phold, stream);
    if (at_ns < phold->end_ns)
        engine_post(engine, event->node, target, at_ns, NULL, 0);
    return STATUS_OK;
}

static bool is_here(const struct engine *engine, uint32_t lp) {
    return engine->config.rank_of_node == NULL || engine->config.rank_of_node[lp] == engine->config.rank;
}

void phold_start(struct phold *phold, struct engine *engine) {
    for (uint32_t lp = 0; lp < phold->config.lps; lp++) {
        for (uint32_t i = 0; is_here(engine, lp) && i < phold->config.events_per_lp; i++) {
            int64_t at_ns = delay_ns(phold, (struct random_stream *)phold->lps[lp].random);
            if (at_ns < phold->end_ns)
                engine_post(engine, lp, lp, at_ns, NULL, 0);
        }
    }
}

uint64_t phold_digest(const struct phold *phold, const struct engine *engine) {
    uint64_t digest = 0;
    for (uint32_t lp = 0; lp < phold->config.lps; lp++)
        if (is_here(engine, lp))
            digest += random_mix(phold->lps[lp].digest ^ random_mix(lp + 1));
    return digest;
}

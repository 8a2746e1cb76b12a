/* run_end: what can only be asked when all is over: every block that is still on a disk, every model that was
 * accepted. */
#include <inttypes.h>
#include <stdlib.h>

#include "campaign/run_parts.h"

/* A block that a store gives out is the one that was committed, or the store says that it is damaged. */
static void check_block(struct run *run, const struct member *member, uint64_t height) {
    struct oracle *oracle = &run->oracle;
    const struct oracle_block *committed = &oracle->blocks[height - 1];
    struct certificate certificate;
    uint8_t *data = NULL;
    size_t bytes = 0;
    enum status status = ledger_store_get_block(member->store, height, &data, &bytes, &certificate);
    oracle->checks[I7_DURABILITY]++;
    if (status == STATUS_OK && (bytes != committed->bytes || memcmp(data, committed->data, bytes) != 0 ||
                                !oracle_certificate_valid(oracle, &certificate)))
        oracle_violation(oracle, I3_CHAIN, height, "%u keeps another block, or no certificate for it",
                         member->node);
    if (status != STATUS_OK && status != STATUS_INVALID && !oracle->members[member->index].forgetful)
        oracle_violation(oracle, I7_DURABILITY, height, "%u cannot read what it has committed: %s",
                         member->node, ledger_store_reason(member->store));
    free(data);
}

static void check_stores(struct run *run) {
    for (uint32_t i = 0; i < run->world.client; i++) {
        const struct member *member = &run->world.members[i];
        if (!run->oracle.members[i].honest || member->store == NULL)
            continue;
        uint64_t height = ledger_store_height(member->store);
        for (uint64_t h = 1; h <= height && h <= run->oracle.tip; h++)
            check_block(run, member, h);
    }
}

static int64_t distance(int64_t a, int64_t b) {
    return a > b ? a - b : b - a;
}

/* Every honest validator finds the metrics that the model itself states: so the median of an accepted one is
 * that, whatever f liars attest, and one whose claim is further off is not accepted. */
static void check_models(struct run *run) {
    struct oracle *oracle = &run->oracle;
    for (uint32_t i = 0; i < SETTING_CLIENTS * CLIENT_KEPT_MAX; i++) {
        const struct client_tx *kept = &run->client.kept[i / CLIENT_KEPT_MAX][i % CLIENT_KEPT_MAX];
        const struct ledger_model *model =
            kept->blob == NULL ? NULL : ledger_state_model(&oracle->state, &kept->id);
        if (model == NULL || model->status != MODEL_ACCEPTED)
            continue;
        struct bytes_reader reader = bytes_reader_over(kept->blob, CLIENT_MODEL_BYTES);
        oracle->checks[I13_REGISTRY]++;
        for (uint32_t m = 0; m < METRIC_COUNT; m++) {
            int64_t stated = bytes_get_i64(&reader);
            if (model->median_q32[m] != stated ||
                distance(model->claimed_q32[m], stated) > oracle->genesis->params.epsilon_q32)
                oracle_violation(oracle, I13_REGISTRY, model->decided_height,
                                 "a model of %u is accepted with metric %u %" PRId64 " that is %" PRId64,
                                 model->sender, m, model->median_q32[m], stated);
        }
    }
}

void run_end(struct run *run) {
    if (run->oracle.violation_count > 0 || run->oracle.forked)
        return;
    check_stores(run);
    check_models(run);
}

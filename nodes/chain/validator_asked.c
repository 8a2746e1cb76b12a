/* validator_asked: how much a node may have this validator read and send for it. A question of twenty bytes
 * may cost a block of megabytes, or several; who asks in earnest waits for answers and stays far below what
 * is allowed here. */
#include "nodes/chain/validator_state.h"

#define ASKED_BYTES_MAX ((uint64_t)32 << 20) /* at once */
#define ASKED_BYTES_PER_MS ((uint64_t)128 << 10)
#define ASKED_BYTES_LEAST ((uint64_t)1 << 10) /* what any question counts for */

static uint64_t spent(const struct validator *validator) {
    return validator->read_bytes + validator->catch_up.read_bytes + validator->blobs.read_bytes +
           validator->out->bytes_used;
}

static struct validator_asked *asked_of(struct validator *validator, uint32_t node) {
    uint32_t sender =
        node < validator->env->topology->node_count ? validator->chain->sender_of_node[node] : CHAIN_NONE;
    return sender != CHAIN_NONE ? &validator->asked[sender] : NULL;
}

bool validator_may_ask(struct validator *validator, uint32_t node) {
    struct validator_asked *asked = asked_of(validator, node);
    if (asked == NULL)
        return false;
    uint64_t elapsed_ms = (uint64_t)(validator->now_ns - asked->since_ns) / VTIME_NS_PER_MS;
    bool forgiven = elapsed_ms >= ASKED_BYTES_MAX / ASKED_BYTES_PER_MS + 1 ||
                    asked->bytes <= elapsed_ms * ASKED_BYTES_PER_MS;
    asked->bytes = forgiven ? 0 : asked->bytes - elapsed_ms * ASKED_BYTES_PER_MS;
    asked->since_ns += (int64_t)elapsed_ms * VTIME_NS_PER_MS;
    if (asked->bytes >= ASKED_BYTES_MAX) {
        validator->drops.crowded++;
        return false;
    }
    asked->begin = spent(validator);
    return true;
}

void validator_charge(struct validator *validator, uint32_t node) {
    struct validator_asked *asked = asked_of(validator, node);
    if (asked != NULL)
        asked->bytes += ASKED_BYTES_LEAST + spent(validator) - asked->begin;
}

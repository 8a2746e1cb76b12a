/* validator_load: transactions of records that a validator submits itself, so that a chain without edge
 * servers has something to agree on (scenario key chain.load). The times are those of a Poisson process, the
 * same in every run of a seed; a validator that comes back begins with them anew. What finds no room in the
 * mempool is gone, and counted. */
#include <stdlib.h>

#include "nodes/chain/validator_state.h"

void validator_load_start(struct validator *validator) {
    const struct scenario *scenario = validator->env->scenario;
    random_init(&validator->load, scenario->seed, validator->env->self, RANDOM_LOAD);
    validator_load_arm(validator);
}

void validator_load_arm(struct validator *validator) {
    double rate_hz = validator->rules->load.rate_hz / validator->count;
    if (!(rate_hz > 0))
        return;
    double wait_s = random_exponential(&validator->load, 1 / rate_hz);
    outbox_timer(validator->out, validator->now_ns + vtime_from_s(wait_s), VALIDATOR_TIMER_LOAD, 0);
}

/* Bytes that nobody could compress: a block of zeros would be no block to speak of. */
static void fill(struct random_stream *stream, struct bytes_writer *writer, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        bytes_put_u8(writer, (uint8_t)random_next(stream));
}

static void submit_records(struct validator *validator, uint8_t *ext, size_t ext_bytes, uint8_t *data) {
    const struct scenario_chain_load *load = &validator->rules->load;
    struct bytes_writer content = bytes_writer_over(ext, ext_bytes);
    bytes_put_u16(&content, (uint16_t)load->records);
    bytes_put_u16(&content, (uint16_t)load->record_bytes);
    fill(&validator->load, &content, ext_bytes - content.used);
    struct transaction tx = {.type = TX_RECORDS,
                             .chain_id = validator->genesis->chain_id,
                             .sender = validator->self,
                             .nonce = validator_next_nonce(validator),
                             .expiry_height = UINT64_MAX,
                             .ext_bytes = (uint16_t)ext_bytes,
                             .ext = ext};
    struct bytes_writer writer = bytes_writer_over(data, transaction_bytes(&tx));
    transaction_sign(validator->key, &tx);
    transaction_encode(&writer, &tx);
    validator->next_nonce += load->records;
    validator_submit(validator, &writer);
}

enum status validator_on_load(struct validator *validator) {
    const struct scenario_chain_load *load = &validator->rules->load;
    size_t ext_bytes = 4 + (size_t)load->records * load->record_bytes;
    validator_load_arm(validator);
    if (catch_up_active(&validator->catch_up))
        return STATUS_OK; /* an old state: its nonces are used */
    uint8_t *ext = malloc(ext_bytes), *data = malloc(TRANSACTION_BYTES_MIN + ext_bytes);
    if (ext != NULL && data != NULL)
        submit_records(validator, ext, ext_bytes, data);
    bool fine = ext != NULL && data != NULL;
    free(ext);
    free(data);
    return fine ? validator_try_propose(validator) : STATUS_MEMORY;
}

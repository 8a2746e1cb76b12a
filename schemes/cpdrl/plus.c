#include "schemes/cpdrl/plus.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "schemes/cpdrl/plus_parts.h"

struct cpdrl_box cpdrl_box_of(const struct cpdrl_limits *limits) {
    return (struct cpdrl_box){.bandwidth_hz = limits->bandwidth_hz,
                              .power_min_w = limits->power_min_w,
                              .power_max_w = limits->power_max_w,
                              .clock_min_hz = limits->clock_min_hz,
                              .clock_max_hz = limits->clock_max_hz,
                              .deadline_s = limits->deadline_s,
                              .delay_weight = limits->delay_weight,
                              .energy_weight = limits->energy_weight};
}

struct cpdrl_plus_config cpdrl_plus_published(uint32_t device_count, const struct cpdrl_box *box) {
    return (struct cpdrl_plus_config){.device_count = device_count,
                                      .box = *box,
                                      .warm_up_steps = 100,
                                      .anneal_steps = 2000,
                                      .replay_steps = 4096,
                                      .hidden = 16,
                                      .batch_rows = 64,
                                      .predictor_updates = 4,
                                      .actor_updates = 1,
                                      .predictor_rate = {3e-3, 2e-4},
                                      .actor_rate = {3e-3, 2e-4},
                                      .noise = {0.5, 0.1},
                                      .flip = {0.2, 0.05},
                                      .late_weight = 20.0,
                                      .late_margin = 0.01,
                                      .straight = true,
                                      .log_inputs = true,
                                      .log_outputs = true,
                                      .search = true};
}

void cpdrl_plus_ablate(struct cpdrl_plus_config *config, enum cpdrl_ablation ablation) {
    config->search &= ablation != CPDRL_ABLATION_NO_SEARCH;
    config->straight &= ablation != CPDRL_ABLATION_NO_LINEAR_PATH;
    config->log_inputs &=
        ablation != CPDRL_ABLATION_NO_LOGARITHMS && ablation != CPDRL_ABLATION_NO_LOG_INPUTS;
    config->log_outputs &=
        ablation != CPDRL_ABLATION_NO_LOGARITHMS && ablation != CPDRL_ABLATION_NO_LOG_OUTPUTS;
    if (ablation == CPDRL_ABLATION_CONSTANT_EXPLORATION) {
        config->noise.end = config->noise.begin;
        config->flip.end = config->flip.begin;
    } else if (ablation == CPDRL_ABLATION_NO_EXPLORATION) {
        config->noise = config->flip = (struct cpdrl_schedule){0.0, 0.0};
    } else if (ablation == CPDRL_ABLATION_SLOW) {
        config->predictor_rate = config->actor_rate = (struct cpdrl_schedule){1e-4, 1e-4};
    } else if (ablation == CPDRL_ABLATION_ONE_UPDATE) {
        config->predictor_updates = 1;
    }
}

double cpdrl_plus_scheduled(const struct cpdrl_plus *agent, const struct cpdrl_schedule *schedule) {
    if (agent->step <= agent->config.warm_up_steps)
        return schedule->begin;
    double done = (double)(agent->step - agent->config.warm_up_steps) / fmax(1.0, agent->config.anneal_steps);
    return done >= 1.0 ? schedule->end : schedule->begin + done * (schedule->end - schedule->begin);
}

/* ---- open and close ---- */

static void *room(size_t count, size_t size) {
    void *memory = memory_grow(NULL, count, size, "an agent");
    memset(memory, 0, count * size);
    return memory;
}

static enum status network_open(struct cpdrl_plus_network *network, const uint32_t *sizes, uint32_t rows_max,
                                struct random_stream *stream) {
    network->mlp = mlp_of(sizes, 3, ACTIVATION_TANH, ACTIVATION_NONE);
    network->parameter_count = mlp_parameter_count(&network->mlp);
    network->parameters = room(network->parameter_count, sizeof(real));
    network->gradients = room(network->parameter_count, sizeof(real));
    const struct initialiser hidden = {INITIALISER_XAVIER, 1.0}, last = {INITIALISER_XAVIER, 0.01};
    mlp_initialise(&network->mlp, &hidden, &last, stream, network->parameters);
    TRY(mlp_trace_open(&network->trace, &network->mlp, rows_max));
    struct optimiser_config adam = optimiser_adam(1e-3);
    return optimiser_init(&network->optimiser, &adam, network->parameter_count);
}

static void network_close(struct cpdrl_plus_network *network) {
    mlp_trace_close(&network->trace);
    optimiser_close(&network->optimiser);
    free(network->parameters);
    free(network->gradients);
}

static struct cpdrl_plus_workspace *workspace_open(uint32_t rows_max) {
    struct cpdrl_plus_workspace *w = room(1, sizeof *w);
    w->rows_max = rows_max;
    w->local_x = room((size_t)rows_max * LOCAL_INPUTS, sizeof(real));
    w->local_y = room((size_t)rows_max * CPDRL_PREDICTOR_OUTPUTS, sizeof(real));
    w->local_d = room((size_t)rows_max * CPDRL_PREDICTOR_OUTPUTS, sizeof(real));
    w->offloaded_x = room((size_t)rows_max * OFFLOADED_INPUTS, sizeof(real));
    w->offloaded_y = room((size_t)rows_max * CPDRL_PREDICTOR_OUTPUTS, sizeof(real));
    w->offloaded_d = room((size_t)rows_max * CPDRL_PREDICTOR_OUTPUTS, sizeof(real));
    w->clock_in = room((size_t)rows_max * CLOCK_ACTOR_INPUTS, sizeof(real));
    w->clock_out = room(rows_max, sizeof(real));
    w->radio_in = room((size_t)rows_max * RADIO_ACTOR_INPUTS, sizeof(real));
    w->radio_out = room((size_t)rows_max * RADIO_ACTOR_OUTPUTS, sizeof(real));
    w->slots = room(rows_max, sizeof *w->slots);
    w->ends = room(rows_max, sizeof *w->ends);
    return w;
}

static void workspace_close(struct cpdrl_plus_workspace *w) {
    if (w == NULL)
        return;
    void *const owned[] = {w->local_x,     w->local_y,     w->local_d,  w->offloaded_x,
                           w->offloaded_y, w->offloaded_d, w->clock_in, w->clock_out,
                           w->radio_in,    w->radio_out,   w->slots,    w->ends};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    free(w);
}

/* The largest pass: candidates of a search (n masks of at most n devices), a batch of updates, or the
 * warm-up. */
static uint32_t rows_needed(const struct cpdrl_plus_config *config) {
    uint32_t n = config->device_count, rows = n * n;
    uint32_t batch = config->batch_rows + n, warm_up = config->warm_up_steps * n;
    rows = rows > batch ? rows : batch;
    return rows > warm_up ? rows : warm_up;
}

enum status cpdrl_plus_open(struct cpdrl_plus *agent, const struct cpdrl_plus_config *config, uint64_t seed,
                            uint64_t node) {
    uint32_t n = config->device_count, hidden = config->hidden, rows_max = rows_needed(config);
    assert(n >= 1 && n <= CPDRL_DEVICES_MAX && config->warm_up_steps >= 1 && config->batch_rows >= 1);
    assert(config->replay_steps >= config->warm_up_steps);
    *agent = (struct cpdrl_plus){.config = *config};
    struct random_stream weights;
    random_init(&weights, seed, node, RANDOM_INITIALISE);
    random_init(&agent->explore, seed, node, RANDOM_EXPLORE);
    random_init(&agent->minibatch, seed, node, RANDOM_MINIBATCH);
    agent->records = room((size_t)config->replay_steps * n * RECORD_FIELDS, sizeof(real));
    agent->workspace = workspace_open(rows_max);
    struct cpdrl_predictor_config predictor = {.hidden = hidden,
                                               .batch_max = rows_max,
                                               .straight = config->straight,
                                               .log_inputs = config->log_inputs,
                                               .log_outputs = config->log_outputs};
    predictor.input_count = LOCAL_INPUTS;
    TRY(cpdrl_predictor_open(&agent->local, &predictor, &weights));
    predictor.input_count = OFFLOADED_INPUTS;
    TRY(cpdrl_predictor_open(&agent->offloaded, &predictor, &weights));
    const uint32_t clock[] = {CLOCK_ACTOR_INPUTS, hidden, hidden, 1};
    const uint32_t radio[] = {RADIO_ACTOR_INPUTS, hidden, hidden, RADIO_ACTOR_OUTPUTS};
    TRY(network_open(&agent->clock_actor, clock, rows_max, &weights));
    return network_open(&agent->radio_actor, radio, rows_max, &weights);
}

void cpdrl_plus_close(struct cpdrl_plus *agent) {
    cpdrl_predictor_close(&agent->local);
    cpdrl_predictor_close(&agent->offloaded);
    network_close(&agent->clock_actor);
    network_close(&agent->radio_actor);
    workspace_close(agent->workspace);
    free(agent->records);
    *agent = (struct cpdrl_plus){0};
}

/* ---- experience ---- */

static bool measured(double value) {
    return isfinite(value) && value > 0.0;
}

static real target_of(const struct cpdrl_plus *agent, double value) {
    return (real)(agent->config.log_outputs ? log(value) : value);
}

static void write_record(const struct cpdrl_plus *agent, const struct cpdrl_plus_feedback *feedback,
                         uint32_t n, const struct cpdrl_plus_row *row, real *record) {
    const struct cpdrl_decision *decision = feedback->decision;
    memset(record, 0, RECORD_FIELDS * sizeof *record);
    record[RECORD_BITS] = row->bits;
    record[RECORD_CYCLES] = row->cycles;
    record[RECORD_GAIN] = row->gain;
    record[RECORD_KIND] = RECORD_NOTHING;
    if (feedback->tasks[n].bits <= 0.0 || !measured(feedback->delay_s[n]) || !measured(feedback->energy_j[n]))
        return;
    record[RECORD_DELAY] = target_of(agent, feedback->delay_s[n]);
    record[RECORD_ENERGY] = target_of(agent, feedback->energy_j[n]);
    if (decision->offloaded[n]) {
        record[RECORD_KIND] = RECORD_OFFLOADED;
        record[RECORD_BANDWIDTH] = (real)log(decision->bandwidth_hz[n] / agent->config.box.bandwidth_hz);
        record[RECORD_POWER] = (real)log(decision->power_w[n]);
    } else {
        record[RECORD_KIND] = RECORD_LOCAL;
        record[RECORD_CLOCK] = (real)log(decision->clock_hz[n]);
    }
}

void cpdrl_plus_learn(struct cpdrl_plus *agent, const struct cpdrl_plus_feedback *feedback) {
    uint32_t count = agent->config.device_count, offloaded_count = 0;
    struct cpdrl_plus_row rows[CPDRL_DEVICES_MAX];
    cpdrl_plus_rows(agent, feedback->tasks, rows);
    size_t slot = agent->step % agent->config.replay_steps;
    for (uint32_t n = 0; n < count; n++)
        offloaded_count += feedback->decision->offloaded[n];
    for (uint32_t n = 0; n < count; n++) {
        real *record = agent->records + (slot * count + n) * RECORD_FIELDS;
        write_record(agent, feedback, n, &rows[n], record);
        record[RECORD_COUNT] = (real)log(offloaded_count > 0 ? offloaded_count : 1);
    }
    agent->step++;
    if (agent->step >= agent->config.warm_up_steps)
        cpdrl_plus_update(agent);
}

/* ---- checkpoint ---- */

static void put_stream(struct bytes_writer *writer, const struct random_stream *stream) {
    for (int i = 0; i < 4; i++)
        bytes_put_u64(writer, stream->state[i]);
}

static void get_stream(struct bytes_reader *reader, struct random_stream *stream) {
    for (int i = 0; i < 4; i++)
        stream->state[i] = bytes_get_u64(reader);
}

static size_t record_reals(const struct cpdrl_plus *agent, uint64_t step) {
    uint64_t steps = step < agent->config.replay_steps ? step : agent->config.replay_steps;
    return (size_t)steps * agent->config.device_count * RECORD_FIELDS;
}

static size_t network_saved_bytes(const struct cpdrl_plus_network *network) {
    return reals_saved_bytes(network->parameter_count) + optimiser_saved_bytes(&network->optimiser);
}

static void network_save(const struct cpdrl_plus_network *network, struct bytes_writer *writer) {
    reals_save(writer, network->parameters, network->parameter_count);
    optimiser_save(&network->optimiser, writer);
}

static enum status network_load(struct cpdrl_plus_network *network, struct bytes_reader *reader) {
    TRY(reals_load(reader, network->parameters, network->parameter_count));
    return optimiser_load(&network->optimiser, reader);
}

size_t cpdrl_plus_saved_bytes(const struct cpdrl_plus *agent) {
    return 3 * sizeof(uint32_t) + sizeof(uint64_t) + 2 * 4 * sizeof(uint64_t) +
           reals_saved_bytes(record_reals(agent, agent->step)) + cpdrl_predictor_saved_bytes(&agent->local) +
           cpdrl_predictor_saved_bytes(&agent->offloaded) + network_saved_bytes(&agent->clock_actor) +
           network_saved_bytes(&agent->radio_actor);
}

void cpdrl_plus_save(const struct cpdrl_plus *agent, struct bytes_writer *writer) {
    bytes_put_u32(writer, agent->config.device_count);
    bytes_put_u32(writer, agent->config.hidden);
    bytes_put_u32(writer, agent->config.replay_steps);
    bytes_put_u64(writer, agent->step);
    put_stream(writer, &agent->explore);
    put_stream(writer, &agent->minibatch);
    reals_save(writer, agent->records, record_reals(agent, agent->step));
    cpdrl_predictor_save(&agent->local, writer);
    cpdrl_predictor_save(&agent->offloaded, writer);
    network_save(&agent->clock_actor, writer);
    network_save(&agent->radio_actor, writer);
}

enum status cpdrl_plus_load(struct cpdrl_plus *agent, struct bytes_reader *reader) {
    if (bytes_get_u32(reader) != agent->config.device_count ||
        bytes_get_u32(reader) != agent->config.hidden || bytes_get_u32(reader) != agent->config.replay_steps)
        return STATUS_INVALID;
    agent->step = bytes_get_u64(reader);
    get_stream(reader, &agent->explore);
    get_stream(reader, &agent->minibatch);
    TRY(reals_load(reader, agent->records, record_reals(agent, agent->step)));
    TRY(cpdrl_predictor_load(&agent->local, reader));
    TRY(cpdrl_predictor_load(&agent->offloaded, reader));
    TRY(network_load(&agent->clock_actor, reader));
    TRY(network_load(&agent->radio_actor, reader));
    return reader->failed ? STATUS_INVALID : STATUS_OK;
}

/* state_models: the registry of models and the offences that evidence has shown; both sorted arrays. */
#include <assert.h>
#include <stdlib.h>

#include "common/ledger/state_parts.h"

/* ---- models ---- */

_Static_assert(offsetof(struct ledger_model, tx_id) == 0 && offsetof(struct ledger_offence, key) == 0,
               "hash_place looks at the first field");

uint32_t state_model_place(const struct ledger_state *state, const struct hash *tx_id, bool *found) {
    return hash_place(state->models, state->model_count, sizeof *state->models, tx_id, found);
}

/* Room for one more of `size` bytes in `array`; the array itself (moved) or NULL. */
static void *room_for(void *array, uint32_t count, uint32_t *capacity, size_t size) {
    if (count < *capacity)
        return array;
    uint32_t larger = count + count / 2 + 8;
    void *moved = realloc(array, (size_t)larger * size);
    if (moved != NULL)
        *capacity = larger;
    return moved;
}

enum status state_model_insert(struct ledger_state *state, const struct ledger_model *model) {
    bool found;
    uint32_t place = state_model_place(state, &model->tx_id, &found);
    if (found)
        return STATUS_INVALID;
    struct ledger_model *models =
        room_for(state->models, state->model_count, &state->model_capacity, sizeof *models);
    if (models == NULL)
        return STATUS_MEMORY;
    state->models = models;
    memmove(models + place + 1, models + place, (state->model_count - place) * sizeof *models);
    models[place] = *model;
    state->model_count++;
    state->open_count += model->status == MODEL_OPEN;
    return STATUS_OK;
}

static void remove_model(struct ledger_state *state, uint32_t place) {
    struct ledger_model *models = state->models;
    state->open_count -= models[place].status == MODEL_OPEN;
    free(models[place].values);
    state->model_count--;
    memmove(models + place, models + place + 1, (state->model_count - place) * sizeof *models);
}

int64_t *state_values_new(const struct genesis *genesis) {
    return calloc((size_t)genesis->validator_count * METRIC_COUNT, sizeof(int64_t));
}

/* Number (count - 1) / 2 in ascending order: with count >= 2f + 1 it lies between honest values. */
static int64_t median_of(const struct ledger_model *model, uint32_t metric, uint32_t validator_count) {
    int64_t sorted[VALIDATORS_MAX];
    uint32_t count = 0;
    for (uint32_t validator = 0; validator < validator_count; validator++) {
        if ((model->attested >> validator & 1) == 0)
            continue;
        int64_t value = model->values[validator * METRIC_COUNT + metric];
        uint32_t at = count++;
        for (; at > 0 && sorted[at - 1] > value; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = value;
    }
    assert(count > 0);
    return sorted[(count - 1) / 2];
}

static bool within(int64_t a, int64_t b, int64_t epsilon) {
    uint64_t distance = a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
    return epsilon >= 0 && distance <= (uint64_t)epsilon;
}

/* Fills the medians and says whether every claim is within epsilon of its own. */
static bool claims_hold(struct ledger_model *model, const struct genesis *genesis) {
    bool hold = true;
    for (uint32_t metric = 0; metric < METRIC_COUNT; metric++) {
        model->median_q32[metric] = median_of(model, metric, genesis->validator_count);
        hold = hold && model->median_q32[metric] != INT64_MIN &&
               within(model->claimed_q32[metric], model->median_q32[metric], genesis->params.epsilon_q32);
    }
    return hold;
}

/* Was `a` decided before `b`? A total order: the ids differ. */
static bool decided_before(const struct ledger_model *a, const struct ledger_model *b) {
    if (a->decided_height != b->decided_height)
        return a->decided_height < b->decided_height;
    if (a->height != b->height)
        return a->height < b->height;
    return hash_compare(&a->tx_id, &b->tx_id) < 0;
}

/* Removes the accepted models of a task that were decided first, until models_kept are left. */
static void keep_latest(struct ledger_state *state, uint32_t task_id) {
    for (;;) {
        uint32_t count = 0, oldest = 0;
        for (uint32_t i = 0; i < state->model_count; i++) {
            const struct ledger_model *model = &state->models[i];
            if (model->task_id != task_id || model->status != MODEL_ACCEPTED)
                continue;
            if (count == 0 || decided_before(model, &state->models[oldest]))
                oldest = i;
            count++;
        }
        if (count <= state->genesis->params.models_kept)
            return;
        remove_model(state, oldest);
    }
}

static void accept_model(struct ledger_state *state, struct ledger_model *model, uint64_t height) {
    model->status = MODEL_ACCEPTED;
    model->decided_height = height;
    model->leaf_known = false;
    free(model->values);
    model->values = NULL;
    state->open_count--;
    state->accepted_total++;
}

/* Decides or forgets the model at `place`; true when it stays. */
static bool end_model(struct ledger_state *state, uint32_t place, uint64_t height) {
    const struct genesis *genesis = state->genesis;
    struct ledger_model *model = &state->models[place];
    if ((uint32_t)__builtin_popcountll(model->attested) >= quorum_size(genesis->validator_count)) {
        if (claims_hold(model, genesis)) {
            accept_model(state, model, height);
            return true;
        }
        state->rejected_total++;
        return false;
    }
    return height - model->height <= genesis->params.evidence_age;
}

void state_models_end(struct ledger_state *state, uint64_t height) {
    if (state->open_count == 0)
        return;
    bool accepted = false;
    for (uint32_t i = state->model_count; i-- > 0;) {
        if (state->models[i].status != MODEL_OPEN)
            continue;
        if (!end_model(state, i, height))
            remove_model(state, i);
        else
            accepted = accepted || state->models[i].status == MODEL_ACCEPTED;
    }
    for (uint32_t i = state->model_count; accepted && i-- > 0;) {
        const struct ledger_model *model = &state->models[i];
        if (model->status == MODEL_ACCEPTED && model->decided_height == height) {
            keep_latest(state, model->task_id);
            i = i < state->model_count ? i : state->model_count;
        }
    }
}

const struct ledger_model *ledger_state_model(const struct ledger_state *state, const struct hash *tx_id) {
    bool found;
    uint32_t place = state_model_place(state, tx_id, &found);
    return found ? &state->models[place] : NULL;
}

bool ledger_model_better(const struct ledger_model *a, const struct ledger_model *b) {
    if (a->median_q32[METRIC_ACCURACY] != b->median_q32[METRIC_ACCURACY])
        return a->median_q32[METRIC_ACCURACY] > b->median_q32[METRIC_ACCURACY];
    if (a->median_q32[METRIC_LOSS] != b->median_q32[METRIC_LOSS])
        return a->median_q32[METRIC_LOSS] < b->median_q32[METRIC_LOSS];
    return decided_before(a, b);
}

const struct ledger_model *ledger_state_best(const struct ledger_state *state, uint32_t task_id) {
    const struct ledger_model *best = NULL;
    for (uint32_t i = 0; i < state->model_count; i++) {
        const struct ledger_model *model = &state->models[i];
        if (model->status == MODEL_ACCEPTED && model->task_id == task_id &&
            (best == NULL || ledger_model_better(model, best)))
            best = model;
    }
    return best;
}

static int compare_hashes(const void *a, const void *b) {
    return hash_compare(a, b);
}

uint32_t ledger_state_blobs(const struct ledger_state *state, struct hash *hashes) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < state->model_count; i++)
        hashes[i] = state->models[i].blob_hash;
    if (state->model_count > 0)
        qsort(hashes, state->model_count, sizeof *hashes, compare_hashes);
    for (uint32_t i = 0; i < state->model_count; i++)
        if (count == 0 || !hash_equal(&hashes[i], &hashes[count - 1]))
            hashes[count++] = hashes[i];
    return count;
}

bool ledger_state_needs_blob(const struct ledger_state *state, const struct hash *hash) {
    for (uint32_t i = 0; i < state->model_count; i++)
        if (hash_equal(&state->models[i].blob_hash, hash))
            return true;
    return false;
}

/* ---- offences ---- */

uint32_t state_offence_place(const struct ledger_state *state, const struct hash *key, bool *found) {
    return hash_place(state->offences, state->offence_count, sizeof *state->offences, key, found);
}

enum status state_offence_insert(struct ledger_state *state, const struct ledger_offence *offence) {
    bool found;
    uint32_t place = state_offence_place(state, &offence->key, &found);
    if (found)
        return STATUS_INVALID;
    struct ledger_offence *offences =
        room_for(state->offences, state->offence_count, &state->offence_capacity, sizeof *offences);
    if (offences == NULL)
        return STATUS_MEMORY;
    state->offences = offences;
    memmove(offences + place + 1, offences + place, (state->offence_count - place) * sizeof *offences);
    offences[place] = *offence;
    state->offence_count++;
    return STATUS_OK;
}

uint64_t state_offences_of(const struct ledger_state *state, uint16_t accused) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < state->offence_count; i++)
        count += state->offences[i].accused == accused;
    return count;
}

/* An offence that no block above `height` may bring any more need not be remembered. */
void state_offences_end(struct ledger_state *state, uint64_t height) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < state->offence_count; i++)
        if (height - state->offences[i].height < state->genesis->params.evidence_age)
            state->offences[kept++] = state->offences[i];
    state->offence_count = kept;
}

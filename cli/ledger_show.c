/* ledger_show: `tierbed ledger show`: what ledgers hold, as they say themselves. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/ledger.h"
#include "cli/ledger_json.h"
#include "cli/ledger_view.h"
#include "common/record/manifest.h"

/* ---- as JSON ---- */

static json_t *ledgers_json(const struct ledger_views *views) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < views->count; i++) {
        const struct ledger_view *view = &views->items[i];
        struct hash tip = {{0}};
        if (view->height > 0)
            (void)ledger_store_get_block_id(view->store, view->height, &tip);
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:o, s:o}", "node", manifest_json_text(view->name), "dir",
                                        manifest_json_text(view->dir), "height",
                                        ledger_json_integer(view->height), "tip", ledger_json_hash(&tip)));
    }
    return list;
}

/* Records count as many. */
static uint64_t weight_of(const struct block *block) {
    uint64_t weight = 0;
    for (uint32_t i = 0; i < block->header.tx_count; i++) {
        struct transaction tx;
        if (transaction_decode(block->txs[i].data, block->txs[i].bytes, &tx) == STATUS_OK)
            weight += transaction_weight(&tx);
    }
    return weight;
}

static json_t *block_json(const struct ledger_walk *walk) {
    const struct block_header *header = &walk->block.header;
    return json_pack("{s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "height",
                     ledger_json_integer(header->height), "proposer", (json_int_t)header->proposer, "round",
                     (json_int_t)walk->certificate.round, "tx_count", (json_int_t)header->tx_count, "weight",
                     ledger_json_integer(weight_of(&walk->block)), "bytes", ledger_json_integer(walk->size),
                     "time_ms", ledger_json_integer(header->time_ms), "signers",
                     ledger_json_bits(walk->certificate.bitmap), "block_id", ledger_json_hash(&walk->id));
}

static void add_evidence(json_t *list, const struct ledger_walk *walk) {
    for (uint32_t i = 0; i < walk->block.header.tx_count; i++) {
        struct transaction tx;
        struct evidence evidence;
        const struct block_tx *encoded = &walk->block.txs[i];
        if (transaction_decode(encoded->data, encoded->bytes, &tx) != STATUS_OK || tx.type != TX_EVIDENCE ||
            evidence_decode(tx.ext, tx.ext_bytes, &evidence) != STATUS_OK)
            continue;
        json_t *json = ledger_json_evidence(&evidence);
        json_object_set_new(json, "reporter", json_integer((json_int_t)tx.sender));
        json_object_set_new(json, "in_block", ledger_json_integer(walk->height));
        json_array_append_new(list, json);
    }
}

/* All blocks are read for the evidence; the last `count` are listed. */
static enum status add_blocks(json_t *shown, struct ledger_view *view, uint64_t count, struct error *error) {
    json_t *blocks = json_array(), *evidence = json_array();
    struct ledger_walk walk;
    bool more = true;
    enum status status = ledger_walk_open(&walk, view, true, error);
    while (status == STATUS_OK && more) {
        status = ledger_walk_next(&walk, &more, error);
        if (status != STATUS_OK || !more)
            break;
        add_evidence(evidence, &walk);
        if (view->height - walk.height < count)
            json_array_append_new(blocks, block_json(&walk));
    }
    json_object_set_new(shown, "first_height", ledger_json_integer(walk.first));
    ledger_walk_close(&walk);
    json_object_set_new(shown, "blocks", blocks);
    json_object_set_new(shown, "evidence", evidence);
    return status;
}

static enum status load_state(const struct ledger_view *view, struct ledger_state *state,
                              struct error *error) {
    uint8_t *data = NULL;
    size_t size = 0;
    if (view->height == 0)
        return ledger_state_init(state, &view->genesis);
    if (ledger_store_get_state(view->store, view->height, &data, &size) != STATUS_OK)
        return error_set(error, STATUS_FAILED, "the state of %s is damaged; run tierbed ledger verify",
                         view->dir);
    enum status status = ledger_state_decode(state, &view->genesis, data, size);
    free(data);
    return status == STATUS_OK ? STATUS_OK
                               : error_set(error, STATUS_FAILED,
                                           "the state of %s is none; run tierbed ledger verify", view->dir);
}

static enum status add_state(json_t *shown, const struct ledger_view *view, struct error *error) {
    struct ledger_state state = {0};
    json_t *models = json_array();
    json_object_set_new(shown, "models", models);
    TRY(load_state(view, &state, error));
    for (uint32_t i = 0; i < state.model_count; i++)
        json_array_append_new(models, ledger_json_model(&state.models[i]));
    json_object_set_new(shown, "accused", ledger_json_bits(state.accused));
    json_object_set_new(shown, "transactions", ledger_json_integer(state.transactions_total));
    json_object_set_new(shown, "models_accepted", ledger_json_integer(state.accepted_total));
    json_object_set_new(shown, "models_rejected", ledger_json_integer(state.rejected_total));
    ledger_state_close(&state);
    return STATUS_OK;
}

/* ---- as text, from the same object ---- */

static json_int_t number(const json_t *object, const char *key) {
    return json_integer_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key) {
    const char *value = json_string_value(json_object_get(object, key));
    return value == NULL ? "-" : value;
}

/* The name of the sender that `object` has under `key`, or its number. */
static const char *sender(const json_t *shown, const json_t *object, const char *key, char room[24]) {
    json_int_t index = number(object, key);
    const json_t *name = json_array_get(json_object_get(shown, "senders"), (size_t)index);
    if (name != NULL)
        return json_string_value(name);
    snprintf(room, 24, "%lld", index);
    return room;
}

static void print_blocks(const json_t *shown) {
    size_t index;
    json_t *block;
    char room[24];
    printf("\n%8s %-14s %6s %6s %8s %9s %13s %8s  %s\n", "height", "proposer", "round", "txs", "weight",
           "bytes", "time (ms)", "signers", "block");
    json_array_foreach(json_object_get(shown, "blocks"), index, block) {
        printf("%8lld %-14s %6lld %6lld %8lld %9lld %13lld %8zu  %.16s\n", number(block, "height"),
               sender(shown, block, "proposer", room), number(block, "round"), number(block, "tx_count"),
               number(block, "weight"), number(block, "bytes"), number(block, "time_ms"),
               json_array_size(json_object_get(block, "signers")), text(block, "block_id"));
    }
}

static void print_metric(const json_t *model, const char *metric) {
    const json_t *claimed = json_object_get(json_object_get(model, "claimed"), metric);
    const json_t *median = json_object_get(json_object_get(model, "median"), metric);
    char after[32] = "-";
    if (median != NULL)
        snprintf(after, sizeof after, "%.4f", json_real_value(median));
    printf(" %10.4f %8s", json_real_value(claimed), after);
}

static void print_models(const json_t *shown) {
    static const char *const metrics[] = {"accuracy", "loss", "slope_ixt", "slope_ity"};
    size_t index;
    json_t *model;
    char room[24];
    if (json_array_size(json_object_get(shown, "models")) == 0)
        return;
    printf("\nmodels (claimed, median of the attestations)\n%-16s %5s %-14s %-8s %7s %8s", "model", "task",
           "sender", "status", "height", "attested");
    for (size_t i = 0; i < 4; i++)
        printf(" %10s %8s", metrics[i], "median");
    printf("\n");
    json_array_foreach(json_object_get(shown, "models"), index, model) {
        printf("%.16s %5lld %-14s %-8s %7lld %8zu", text(model, "tx_id"), number(model, "task"),
               sender(shown, model, "sender", room), text(model, "status"), number(model, "height"),
               json_array_size(json_object_get(model, "attested")));
        for (size_t i = 0; i < 4; i++)
            print_metric(model, metrics[i]);
        printf("\n");
    }
}

static void print_evidence(const json_t *shown) {
    size_t index;
    json_t *evidence;
    char who[24], by[24];
    if (json_array_size(json_object_get(shown, "evidence")) == 0)
        return;
    printf("\nevidence\n%8s %-14s %-14s %8s %6s  %s\n", "in block", "accused", "offence", "height", "round",
           "reporter");
    json_array_foreach(json_object_get(shown, "evidence"), index, evidence) {
        printf("%8lld %-14s %-14s %8lld %6lld  %s\n", number(evidence, "in_block"),
               sender(shown, evidence, "accused", who), text(evidence, "offence"), number(evidence, "height"),
               number(evidence, "round"), sender(shown, evidence, "reporter", by));
    }
}

static void print_all(const json_t *shown) {
    const json_t *genesis = json_object_get(shown, "genesis");
    size_t index;
    json_t *ledger;
    printf("chain    %s\n", text(genesis, "chain_id"));
    printf("members  %zu validators, %lld make a quorum; %zu others may submit\n",
           json_array_size(json_object_get(genesis, "validators")), number(genesis, "quorum"),
           json_array_size(json_object_get(genesis, "submitters")));
    json_array_foreach(json_object_get(shown, "ledgers"), index, ledger) {
        printf("ledger   %-12s height %lld, tip %.16s\n", text(ledger, "node"), number(ledger, "height"),
               text(ledger, "tip"));
    }
    printf("shown    %s: %lld transactions, %lld models accepted, %lld rejected\n", text(shown, "node"),
           number(shown, "transactions"), number(shown, "models_accepted"), number(shown, "models_rejected"));
    print_blocks(shown);
    print_models(shown);
    print_evidence(shown);
    printf("\nas the ledger says; `tierbed ledger verify` checks it\n");
}

static enum status show(const struct ledger_request *request, struct ledger_views *views, json_t *shown,
                        struct error *error) {
    struct ledger_view *view = NULL;
    TRY(ledger_views_open(views, request->dir, request->node, &view, error));
    json_object_set_new(shown, "node", manifest_json_text(view->name));
    json_object_set_new(shown, "height", ledger_json_integer(view->height));
    json_object_set_new(shown, "genesis", ledger_json_genesis(&view->genesis));
    json_object_set_new(shown, "ledgers", ledgers_json(views));
    json_object_set_new(shown, "senders", ledger_json_names(request->dir, view->genesis.sender_count));
    TRY(add_blocks(shown, view, request->block_count, error));
    return add_state(shown, view, error);
}

int ledger_show(const struct ledger_request *request) {
    struct ledger_views views = {0};
    struct error error = {0};
    json_t *shown = json_object();
    enum status status = show(request, &views, shown, &error);
    if (status != STATUS_OK)
        json_decref(shown);
    else if (request->json)
        ledger_json_print(shown, false);
    else {
        print_all(shown);
        json_decref(shown);
    }
    ledger_views_close(&views);
    return status == STATUS_OK ? 0 : ledger_fail(&error);
}

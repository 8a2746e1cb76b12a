/* ledger_export: `tierbed ledger export`: everything a ledger holds, one JSON object a line. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/ledger.h"
#include "cli/ledger_json.h"
#include "cli/ledger_view.h"

static void print_line(const char *type, json_t *json) {
    json_t *line = json_pack("{s:s}", "type", type);
    json_object_update(line, json);
    json_decref(json);
    ledger_json_print(line, true);
}

static void print_block(const struct ledger_walk *walk) {
    json_t *block = ledger_json_header(&walk->block.header);
    json_object_set_new(block, "certificate", ledger_json_certificate(&walk->certificate));
    print_line("block", block);
    for (uint32_t i = 0; i < walk->block.header.tx_count; i++) {
        json_t *tx = ledger_json_transaction(walk->block.txs[i].data, walk->block.txs[i].bytes);
        json_object_set_new(tx, "height", ledger_json_integer(walk->height));
        json_object_set_new(tx, "index", ledger_json_integer(i));
        print_line("transaction", tx);
    }
}

static void print_state(const struct ledger_walk *walk) {
    const struct ledger_state *state = &walk->after;
    struct hash root = ledger_state_root(state);
    json_t *nonces = json_array();
    for (uint32_t i = 0; i < state->genesis->sender_count; i++)
        json_array_append_new(nonces, ledger_json_integer(state->nonces[i]));
    for (uint32_t i = 0; i < state->model_count; i++)
        print_line("model", ledger_json_model(&state->models[i]));
    print_line("state", json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "height",
                                  ledger_json_integer(state->height), "state_root", ledger_json_hash(&root),
                                  "nonces", nonces, "accused", ledger_json_bits(state->accused),
                                  "transactions", ledger_json_integer(state->transactions_total),
                                  "models_accepted", ledger_json_integer(state->accepted_total),
                                  "models_rejected", ledger_json_integer(state->rejected_total)));
}

/* Blocks are verified on the way: what is printed holds. */
static enum status export_all(struct ledger_view *view, struct error *error) {
    struct ledger_walk walk;
    bool more = true;
    enum status status = ledger_walk_open(&walk, view, false, error);
    if (status == STATUS_OK)
        print_line("genesis", ledger_json_genesis(&view->genesis));
    while (status == STATUS_OK && more) {
        status = ledger_walk_next(&walk, &more, error);
        if (status == STATUS_OK && more)
            print_block(&walk);
    }
    if (status == STATUS_OK && walk.state_known)
        print_state(&walk);
    ledger_walk_close(&walk);
    return status;
}

int ledger_export(const struct ledger_request *request) {
    struct ledger_views views;
    struct ledger_view *view = NULL;
    struct error error = {0};
    enum status status = ledger_views_open(&views, request->dir, request->node, &view, &error);
    if (status == STATUS_OK)
        status = export_all(view, &error);
    ledger_views_close(&views);
    if (status == STATUS_OK && (fflush(stdout) != 0 || ferror(stdout)))
        status = error_set_errno(&error, STATUS_IO, "cannot write");
    return status == STATUS_OK ? 0 : ledger_fail(&error);
}

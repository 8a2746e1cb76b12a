/* ledger_prove: `tierbed ledger prove`: light proofs out of a ledger, and the light client on them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ledger.h"
#include "cli/ledger_json.h"
#include "cli/ledger_view.h"
#include "common/base/memory.h"
#include "common/record/manifest.h"

#define PROOF_FORMAT "tierbed-light-proof-1"
#define PROOF_FILE_BYTES_MAX (1u << 20)

/* ---- making one ---- */

/* What a proof shows, for the eye; the proof itself is in "proof". */
static json_t *shows_json(const struct light_proof *proof) {
    struct ledger_model model;
    json_t *content =
        proof->kind == PROOF_TRANSACTION ? ledger_json_transaction(proof->leaf, proof->leaf_bytes)
        : ledger_model_decode(proof->leaf, proof->leaf_bytes, &model) == STATUS_OK ? ledger_json_model(&model)
                                                                                   : json_object();
    json_object_del(content, "bytes");
    return json_pack(
        "{s:s, s:o, s:o, s:o}", "kind", proof->kind == PROOF_TRANSACTION ? "transaction" : "model", "index",
        ledger_json_integer(proof->index), "header", ledger_json_header(&proof->header), "content", content);
}

static json_t *proof_json(const struct genesis *genesis, const struct light_proof *proof) {
    size_t bytes = light_proof_bytes(proof);
    uint8_t *data = memory_grow(NULL, bytes, 1, "a proof");
    struct bytes_writer writer = bytes_writer_over(data, bytes);
    light_proof_encode(&writer, proof);
    json_t *json = json_pack("{s:s, s:o, s:o, s:o}", "format", PROOF_FORMAT, "chain_id",
                             ledger_json_hash(&genesis->chain_id), "shows", shows_json(proof), "proof",
                             ledger_json_hex(data, writer.used));
    free(data);
    return json;
}

/* The proof is tried before it is handed out. */
static enum status hand_out(const struct ledger_view *view, const struct light_proof *proof,
                            struct error *error) {
    struct light_client client;
    struct error why = {0};
    light_client_init(&client, &view->genesis);
    if (light_client_check(&client, proof, &why) != STATUS_OK)
        return error_set(error, STATUS_FAILED,
                         "this ledger proves nothing (%s): tierbed ledger verify says what is wrong with it",
                         why.text);
    ledger_json_print(proof_json(&view->genesis, proof), false);
    return STATUS_OK;
}

/* Number `index` of the block at hand, or the one with the id (`index` UINT64_MAX). false: not in it. */
static bool find_in_block(const struct ledger_walk *walk, const struct hash *id, uint64_t *index) {
    for (uint32_t i = 0; id != NULL && i < walk->block.header.tx_count; i++) {
        struct hash found = transaction_id(walk->block.txs[i].data, walk->block.txs[i].bytes);
        if (!hash_equal(&found, id))
            continue;
        *index = i;
        return true;
    }
    return false;
}

static enum status prove_at_hand(const struct ledger_walk *walk, uint64_t index, struct error *error) {
    struct light_proof *proof = memory_grow(NULL, 1, sizeof *proof, "a proof");
    *proof = (struct light_proof){.certificate = walk->certificate};
    enum status status = index > UINT32_MAX
                             ? STATUS_INVALID
                             : light_proof_of_transaction(proof, &walk->block, (uint32_t)index);
    if (status == STATUS_OK)
        status = hand_out(walk->view, proof, error);
    else
        error_set(error, status, "block %" PRIu64 " holds %u transactions: there is no number %" PRIu64,
                  walk->height, walk->block.header.tx_count, index);
    free(proof);
    return status;
}

/* By id in any block, or by height and index. */
static enum status prove_transaction(struct ledger_view *view, const struct hash *id, uint64_t height,
                                     uint64_t index, struct error *error) {
    struct ledger_walk walk;
    bool more = true, found = false;
    enum status status = ledger_walk_open(&walk, view, true, error);
    while (status == STATUS_OK && !found) {
        status = ledger_walk_next(&walk, &more, error);
        if (status != STATUS_OK || !more)
            break;
        found = id != NULL ? find_in_block(&walk, id, &index) : walk.height == height;
    }
    if (found)
        status = prove_at_hand(&walk, index, error);
    else if (status == STATUS_OK && id != NULL)
        status = error_set(error, STATUS_INVALID, "no block of %s holds a transaction of this id", view->dir);
    else if (status == STATUS_OK)
        status = error_set(error, STATUS_INVALID,
                           "%s has no block of height %" PRIu64 " (it has %" PRIu64 " .. %" PRIu64 ")",
                           view->dir, height, walk.first, view->height);
    ledger_walk_close(&walk);
    return status;
}

/* The bytes of the model into the file that was asked for. */
static enum status write_blob(const struct ledger_view *view, const struct hash *hash, const char *path,
                              struct error *error) {
    uint8_t *data = NULL;
    size_t size = 0;
    if (ledger_store_get_blob(view->store, hash, &data, &size) != STATUS_OK)
        return error_set(error, STATUS_INVALID,
                         "the bytes of the model are not in %s; they may be in another ledger of the run",
                         view->dir);
    enum status status = durable_write(path, data, size, error);
    free(data);
    return status;
}

static enum status prove_model_at_hand(const struct ledger_walk *walk, const struct hash *id,
                                       const char *blob, struct error *error) {
    uint8_t leaf[LEDGER_MODEL_BYTES_MAX];
    const struct ledger_model *model = ledger_state_model(&walk->before, id);
    if (model == NULL)
        return error_set(error, STATUS_INVALID,
                         "the registry before block %" PRIu64
                         " has no such model: never there, rejected, or more recent ones took its place",
                         walk->height);
    if (blob != NULL)
        TRY(write_blob(walk->view, &model->blob_hash, blob, error));
    struct light_proof *proof = memory_grow(NULL, 1, sizeof *proof, "a proof");
    *proof = (struct light_proof){.header = walk->block.header, .certificate = walk->certificate};
    enum status status = light_proof_of_model(proof, &walk->before, id, leaf);
    status = status == STATUS_OK ? hand_out(walk->view, proof, error)
                                 : error_set(error, status, "the model cannot be proven");
    free(proof);
    return status;
}

/* Below the newest header, which commits to the state before its block. */
static enum status prove_model(struct ledger_view *view, const struct hash *id, const char *blob,
                               struct error *error) {
    struct ledger_walk walk;
    bool more = true;
    enum status status = ledger_walk_open(&walk, view, false, error);
    while (status == STATUS_OK && more)
        status = ledger_walk_next(&walk, &more, error);
    if (status == STATUS_OK && (view->height < 2 || walk.before.genesis == NULL))
        status = error_set(error, STATUS_INVALID, "%s is too short to prove a state", view->dir);
    if (status == STATUS_OK)
        status = prove_model_at_hand(&walk, id, blob, error);
    ledger_walk_close(&walk);
    return status;
}

/* ---- checking one ---- */

static enum status check_encoded(const struct ledger_request *request, const struct genesis *genesis,
                                 const struct light_proof *proof, struct error *error) {
    struct light_client client;
    struct ledger_model model;
    char *blob = NULL;
    size_t size = 0;
    light_client_init(&client, genesis);
    if (request->blob == NULL)
        return light_client_check(&client, proof, error);
    TRY(durable_read(request->blob, genesis->params.blob_bytes_max, &blob, &size, error));
    enum status status = light_client_check_model(&client, proof, (const uint8_t *)blob, size, &model, error);
    free(blob);
    return status;
}

static void print_checked(const struct ledger_request *request, const struct light_proof *proof) {
    json_t *shows = shows_json(proof);
    if (request->json) {
        ledger_json_print(
            json_pack("{s:b, s:b, s:o}", "ok", true, "blob_checked", request->blob != NULL, "shows", shows),
            false);
        return;
    }
    const json_t *content = json_object_get(shows, "content");
    printf("holds: %s %s, %s %s, under the certified header of height %" PRIu64 "\n",
           manifest_text(shows, "kind", ""), manifest_text(content, "tx_id", ""),
           proof->kind == PROOF_TRANSACTION ? "a" : "which is",
           manifest_text(content, proof->kind == PROOF_TRANSACTION ? "kind" : "status", ""),
           proof->header.height);
    if (request->blob != NULL)
        printf("and %s holds its bytes\n", request->blob);
    json_decref(shows);
}

/* What is written for the eye must be what the proof shows. */
static enum status check_json(const struct ledger_request *request, const struct genesis *genesis,
                              const json_t *json, struct error *error) {
    struct light_proof *proof = memory_grow(NULL, 1, sizeof *proof, "a proof");
    uint8_t *data = NULL;
    size_t size = 0;
    enum status status = STATUS_OK;
    struct error why = {0};
    if (strcmp(manifest_text(json, "format", ""), PROOF_FORMAT) != 0 ||
        !ledger_json_bytes(json_object_get(json, "proof"), LIGHT_PROOF_BYTES_MAX, &data, &size)) {
        free(proof);
        return error_set(error, STATUS_INVALID, "%s is no proof (format %s)", request->check, PROOF_FORMAT);
    }
    struct bytes_reader reader = bytes_reader_over(data, size);
    if (light_proof_decode(&reader, proof) != STATUS_OK || !bytes_done(&reader))
        status = error_set(error, STATUS_FAILED, "the proof in %s cannot be decoded", request->check);
    else if ((status = check_encoded(request, genesis, proof, &why)) != STATUS_OK)
        error_set(error, status = status == STATUS_IO ? STATUS_IO : STATUS_FAILED, "%s", why.text);
    if (status == STATUS_OK) {
        json_t *shows = shows_json(proof);
        if (json_equal(shows, json_object_get(json, "shows")))
            print_checked(request, proof);
        else
            status = error_set(error, STATUS_FAILED, "what %s says it shows is not what its proof shows",
                               request->check);
        json_decref(shows);
    }
    free(data);
    free(proof);
    return status;
}

/* Genesis is all that is read of the directory. */
static enum status check(const struct ledger_request *request, struct ledger_views *views,
                         struct error *error) {
    struct ledger_view *view = views->items;
    char *text = NULL;
    size_t size = 0;
    json_error_t where;
    TRY(genesis_read(view->dir, &view->genesis, &view->senders, error));
    TRY(durable_read(request->check, PROOF_FILE_BYTES_MAX, &text, &size, error));
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    free(text);
    if (json == NULL)
        return error_set(error, STATUS_INVALID, "%s, line %d: %s", request->check, where.line, where.text);
    enum status status = check_json(request, &view->genesis, json, error);
    json_decref(json);
    return status;
}

static enum status make(const struct ledger_request *request, struct ledger_views *views,
                        struct error *error) {
    struct ledger_view *view = NULL;
    struct hash id;
    if (request->tx_id != NULL && !hash_parse(request->tx_id, &id))
        return error_set(error, STATUS_INVALID, "%.80s is no id: 64 hexadecimal digits are", request->tx_id);
    TRY(ledger_views_open(views, request->dir, request->node, &view, error));
    if (request->model)
        return prove_model(view, &id, request->blob, error);
    return prove_transaction(view, request->tx_id == NULL ? NULL : &id, request->height, request->index,
                             error);
}

int ledger_prove(const struct ledger_request *request) {
    struct ledger_views views = {0};
    struct error error = {0};
    enum status status = STATUS_OK;
    if (request->check == NULL)
        status = make(request, &views, &error);
    else {
        status = ledger_views_find(&views, request->dir, request->node, &error);
        status = status == STATUS_OK ? check(request, &views, &error) : status;
    }
    ledger_views_close(&views);
    return status == STATUS_OK ? 0 : ledger_fail(&error);
}

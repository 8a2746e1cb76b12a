/* ledger_verify: `tierbed ledger verify`: every ledger from genesis, then all against each other. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/ledger.h"
#include "cli/ledger_json.h"
#include "cli/ledger_view.h"
#include "common/base/memory.h"
#include "common/record/manifest.h"

/* What was found in one ledger. */
struct verdict {
    struct ledger_view *view; /* borrowed */
    bool ok;
    uint64_t problem_height; /* 0: of no block */
    struct error problem;
    const char *advice;
    uint64_t first, checked; /* heights: lowest that is there; highest that holds */
    uint64_t transactions, blobs, blobs_pruned, blobs_missing;
    bool state_known; /* the state after the highest was replayed */
    struct hash state_root;
    struct hash *ids;    /* owned: [height - 1], of those checked or bound by history_root */
    struct hash *needed; /* owned: blobs that the state needs */
    uint32_t needed_count;
};

static enum status put_problem(struct verdict *verdict, uint64_t height, const char *advice) {
    verdict->ok = false;
    verdict->problem_height = height;
    verdict->advice = advice;
    return STATUS_FAILED;
}

/* ---- one ledger ---- */

static enum status check_blob(struct verdict *verdict, const struct hash *hash, uint64_t height) {
    uint8_t *data = NULL;
    size_t size = 0;
    struct ledger_store *store = verdict->view->store;
    if (!ledger_store_has_blob(store, hash)) {
        verdict->blobs_pruned++; /* whether it should be there is seen at the end */
        return STATUS_OK;
    }
    enum status status = ledger_store_get_blob(store, hash, &data, &size);
    struct hash found = {{0}};
    if (status == STATUS_OK)
        found = blob_hash(data, size);
    if (status == STATUS_OK)
        free(data);
    if (status == STATUS_OK && hash_equal(&found, hash)) {
        verdict->blobs++;
        return STATUS_OK;
    }
    error_set(&verdict->problem, STATUS_FAILED, "a model of block %" PRIu64 " is damaged on disk", height);
    return put_problem(verdict, height,
                       "start the validator again, it takes the model from the others; or delete blobs.db");
}

static enum status check_blobs(struct verdict *verdict, const struct ledger_walk *walk) {
    for (uint32_t i = 0; i < walk->block.header.tx_count; i++) {
        struct transaction tx;
        if (transaction_decode(walk->block.txs[i].data, walk->block.txs[i].bytes, &tx) != STATUS_OK)
            continue;
        verdict->transactions += transaction_weight(&tx);
        if (tx.type == TX_MODEL_UPDATE)
            TRY(check_blob(verdict, &tx.blob_hash, walk->height));
    }
    return STATUS_OK;
}

static void keep_ids_below(struct verdict *verdict) {
    for (uint64_t height = 1; height < verdict->first; height++)
        (void)ledger_store_get_block_id(verdict->view->store, height, &verdict->ids[height - 1]);
}

static void keep_state(struct verdict *verdict, const struct ledger_walk *walk) {
    const struct ledger_state *state = &walk->after;
    verdict->state_known = walk->state_known;
    if (!walk->state_known)
        return;
    verdict->state_root = ledger_state_root(state);
    verdict->needed = memory_grow(NULL, state->model_count, sizeof *verdict->needed, "hashes of models");
    verdict->needed_count = ledger_state_blobs(state, verdict->needed);
    for (uint32_t i = 0; i < verdict->needed_count; i++)
        verdict->blobs_missing += !ledger_store_has_blob(verdict->view->store, &verdict->needed[i]);
    verdict->blobs_pruned -=
        verdict->blobs_missing < verdict->blobs_pruned ? verdict->blobs_missing : verdict->blobs_pruned;
}

static enum status walk_through(struct verdict *verdict, struct ledger_walk *walk) {
    for (bool more = true; more;) {
        enum status status = ledger_walk_next(walk, &more, &verdict->problem);
        if (status != STATUS_OK)
            return put_problem(verdict, walk->height, walk->advice);
        if (!more)
            break;
        TRY(check_blobs(verdict, walk));
        verdict->ids[walk->height - 1] = walk->id;
        verdict->checked = walk->height;
    }
    keep_state(verdict, walk);
    return STATUS_OK;
}

static void verify_one(struct verdict *verdict, struct ledger_view *view) {
    struct ledger_walk walk = {0};
    *verdict = (struct verdict){.view = view, .ok = true};
    if (ledger_view_open(view, &verdict->problem) != STATUS_OK) {
        put_problem(verdict, 0,
                    "if the file is lost, start the validator again: it fetches the chain from the others");
        return;
    }
    verdict->ids = memory_grow(NULL, view->height, sizeof *verdict->ids, "ids of blocks");
    if (ledger_walk_open(&walk, view, false, &verdict->problem) != STATUS_OK) {
        put_problem(verdict, 0, "delete chain.db and start the validator again");
    } else {
        verdict->first = walk.first;
        keep_ids_below(verdict);
        (void)walk_through(verdict, &walk);
    }
    ledger_walk_close(&walk);
}

/* ---- all of them ---- */

struct findings {
    struct verdict *verdicts; /* owned; one a ledger */
    uint32_t count;
    bool ok;
    uint64_t first;         /* lowest height that is in one of them */
    uint64_t common_height; /* all agree up to it */
    struct error problem;   /* between ledgers; "" when none */
};

/* The ids of both up to `height`: 0 when all are the same, or the first that differs. */
static uint64_t differs_at(const struct verdict *a, const struct verdict *b, uint64_t height) {
    for (uint64_t at = 1; at <= height; at++)
        if (!hash_equal(&a->ids[at - 1], &b->ids[at - 1]))
            return at;
    return 0;
}

static void compare_two(struct findings *findings, const struct verdict *a, const struct verdict *b) {
    uint64_t both = a->checked < b->checked ? a->checked : b->checked;
    if (!hash_equal(&a->view->genesis.chain_id, &b->view->genesis.chain_id)) {
        error_set(&findings->problem, STATUS_FAILED, "the ledgers of %s and %s are of two chains",
                  a->view->name, b->view->name);
        return;
    }
    uint64_t fork = differs_at(a, b, both);
    if (fork != 0)
        error_set(&findings->problem, STATUS_FAILED,
                  "the ledgers of %s and %s differ at height %" PRIu64
                  ", both with certificates: more than %u validators have signed both; show both (--node) to "
                  "see who",
                  a->view->name, b->view->name, fork, quorum_faults_max(a->view->genesis.validator_count));
    else if (a->checked == b->checked && a->state_known && b->state_known &&
             !hash_equal(&a->state_root, &b->state_root))
        error_set(&findings->problem, STATUS_FAILED,
                  "the ledgers of %s and %s have one chain and two states after height %" PRIu64,
                  a->view->name, b->view->name, both);
}

static void compare_all(struct findings *findings) {
    const struct verdict *highest = NULL;
    findings->common_height = UINT64_MAX;
    for (uint32_t i = 0; i < findings->count; i++) {
        const struct verdict *verdict = &findings->verdicts[i];
        if (verdict->ids == NULL) /* could not be opened */
            continue;
        if (findings->first == 0 || verdict->first < findings->first)
            findings->first = verdict->first;
        if (verdict->checked < findings->common_height)
            findings->common_height = verdict->checked;
        if (highest == NULL || verdict->checked > highest->checked)
            highest = verdict;
    }
    if (highest == NULL)
        findings->common_height = 0;
    for (uint32_t i = 0; i < findings->count && findings->problem.text[0] == '\0'; i++)
        if (findings->verdicts[i].ids != NULL && &findings->verdicts[i] != highest)
            compare_two(findings, highest, &findings->verdicts[i]);
}

/* A model that the newest state needs and no ledger has is lost. */
static void look_for_lost_models(struct findings *findings) {
    const struct verdict *newest = NULL;
    for (uint32_t i = 0; i < findings->count; i++)
        if (findings->verdicts[i].state_known &&
            (newest == NULL || findings->verdicts[i].checked > newest->checked))
            newest = &findings->verdicts[i];
    for (uint32_t i = 0; newest != NULL && i < newest->needed_count; i++) {
        bool found = false;
        char id[HASH_TEXT_BYTES];
        for (uint32_t j = 0; j < findings->count && !found; j++)
            found = findings->verdicts[j].view->store != NULL &&
                    ledger_store_has_blob(findings->verdicts[j].view->store, &newest->needed[i]);
        hash_text(&newest->needed[i], id);
        if (!found && findings->problem.text[0] == '\0')
            error_set(&findings->problem, STATUS_FAILED,
                      "the model with the blob %.16s... is in the registry and in no ledger here", id);
    }
}

static void verify_all(struct findings *findings, struct ledger_views *views) {
    *findings = (struct findings){.count = views->count, .ok = true};
    findings->verdicts = memory_grow(NULL, views->count, sizeof *findings->verdicts, "verdicts");
    for (uint32_t i = 0; i < views->count; i++) {
        verify_one(&findings->verdicts[i], &views->items[i]);
        findings->ok = findings->ok && findings->verdicts[i].ok;
    }
    compare_all(findings);
    look_for_lost_models(findings);
    findings->ok = findings->ok && findings->problem.text[0] == '\0';
}

/* ---- printing ---- */

static json_t *problem_json(const struct verdict *verdict) {
    if (verdict->ok)
        return json_null();
    return json_pack(
        "{s:o, s:o, s:s}", "height",
        verdict->problem_height == 0 ? json_null() : ledger_json_integer(verdict->problem_height), "what",
        manifest_json_text(verdict->problem.text), "advice", verdict->advice == NULL ? "" : verdict->advice);
}

static json_t *verdict_json(const struct verdict *verdict) {
    return json_pack("{s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "node",
                     manifest_json_text(verdict->view->name), "dir", manifest_json_text(verdict->view->dir),
                     "ok", verdict->ok, "height", ledger_json_integer(verdict->view->height), "first_height",
                     ledger_json_integer(verdict->first), "verified_height",
                     ledger_json_integer(verdict->checked), "transactions",
                     ledger_json_integer(verdict->transactions), "blobs", ledger_json_integer(verdict->blobs),
                     "blobs_pruned", ledger_json_integer(verdict->blobs_pruned), "blobs_missing",
                     ledger_json_integer(verdict->blobs_missing), "state_root",
                     verdict->state_known ? ledger_json_hash(&verdict->state_root) : json_null(), "problem",
                     problem_json(verdict));
}

static void print_json(const struct findings *findings) {
    json_t *ledgers = json_array();
    for (uint32_t i = 0; i < findings->count; i++)
        json_array_append_new(ledgers, verdict_json(&findings->verdicts[i]));
    ledger_json_print(json_pack("{s:b, s:o, s:o, s:o, s:o}", "ok", findings->ok, "first_height",
                                ledger_json_integer(findings->first), "common_height",
                                ledger_json_integer(findings->common_height), "problem",
                                findings->problem.text[0] == '\0'
                                    ? json_null()
                                    : manifest_json_text(findings->problem.text),
                                "ledgers", ledgers),
                      false);
}

static void print_verdict(const struct verdict *verdict) {
    uint64_t first = verdict->first > 1 ? verdict->first : 1;
    printf("%-12s ", verdict->view->name);
    if (verdict->ok)
        printf("ok: ");
    else
        printf("WRONG: %s\n%-12s   what to do: %s\n%-12s ", verdict->problem.text, "",
               verdict->advice == NULL ? "read the error above" : verdict->advice, "");
    printf("%" PRIu64 " of %" PRIu64 " blocks hold, %" PRIu64 " transactions, %" PRIu64
           " models here, %" PRIu64 " pruned\n",
           verdict->checked < first ? 0 : verdict->checked - first + 1, verdict->view->height - first + 1,
           verdict->transactions, verdict->blobs, verdict->blobs_pruned);
    if (verdict->first > 1)
        printf("%-12s note: began at a checkpoint; blocks 1 .. %" PRIu64
               " are not here, their ids are bound by history_root\n",
               "", verdict->first - 1);
    if (verdict->ok && !verdict->state_known && verdict->checked > 0)
        printf("%-12s note: no state could be replayed yet\n", "");
    if (verdict->blobs_missing > 0)
        printf("%-12s note: %" PRIu64 " models of the registry are not here; the validator fetches them\n",
               "", verdict->blobs_missing);
}

static void print_text(const struct findings *findings) {
    for (uint32_t i = 0; i < findings->count; i++)
        print_verdict(&findings->verdicts[i]);
    if (findings->problem.text[0] != '\0')
        printf("WRONG: %s\n", findings->problem.text);
    else if (findings->count > 1)
        printf("all %u ledgers agree up to height %" PRIu64 "\n", findings->count, findings->common_height);
    if (!findings->ok)
        printf("NOT verified\n");
    else if (findings->first > 1)
        printf("verified under genesis from height %" PRIu64 " on; the blocks below are in none of these\n",
               findings->first);
    else
        printf("verified from genesis\n");
}

int ledger_verify(const struct ledger_request *request) {
    struct ledger_views views;
    struct findings findings;
    struct error error = {0};
    if (ledger_views_find(&views, request->dir, request->node, &error) != STATUS_OK) {
        ledger_views_close(&views);
        return ledger_fail(&error);
    }
    verify_all(&findings, &views);
    if (request->json)
        print_json(&findings);
    else
        print_text(&findings);
    for (uint32_t i = 0; i < findings.count; i++) {
        free(findings.verdicts[i].ids);
        free(findings.verdicts[i].needed);
    }
    free(findings.verdicts);
    ledger_views_close(&views);
    return findings.ok ? 0 : 1;
}

/* What the validators of a run did, in the summary. */
#include <inttypes.h>
#include <math.h>

#include "common/record/reader.h"
#include "common/record/summary_parts.h"

static enum status take_validators(sqlite3_stmt *row, void *context) {
    struct summary_chain *chain = context;
    chain->validators = reader_count(row, 0);
    chain->crashes = reader_count(row, 1);
    chain->restarts = reader_count(row, 2);
    return STATUS_OK;
}

static enum status take_ledgers(sqlite3_stmt *row, void *context) {
    struct summary_chain *chain = context;
    chain->read = reader_count(row, 0);
    chain->agree = reader_count(row, 1);
    chain->least_height = reader_count(row, 2);
    chain->most_height = reader_count(row, 3);
    chain->transactions = reader_count(row, 4);
    chain->models_accepted = reader_count(row, 5);
    chain->accused = reader_count(row, 6);
    chain->ledger_failures = reader_count(row, 7);
    chain->dropped = reader_count(row, 8);
    return STATUS_OK;
}

static enum status take_blocks(sqlite3_stmt *row, void *context) {
    struct summary_chain *chain = context;
    chain->block_s = reader_real(row, 0);
    chain->slow_heights = reader_count(row, 1);
    return STATUS_OK;
}

enum status summary_load_chain(sqlite3 *db, struct summary *summary, struct error *error) {
    struct summary_chain *chain = &summary->chain;
    bool results = false, series = false;
    chain->block_s = NAN;
    TRY(reader_each(
        db,
        "SELECT COUNT(*), SUM(crashes), SUM(restarts) FROM nodes LEFT JOIN node_totals USING (node_id)"
        " WHERE role = 'chain'",
        take_validators, chain, error));
    TRY(reader_has_table(db, "results", &results, error));
    TRY(reader_has_table(db, "series", &series, error));
    if (chain->validators == 0 || !results || !series)
        return STATUS_OK;
    TRY(reader_each(db,
                    "SELECT SUM(name = 'ledger_height'), SUM(CASE name WHEN 'ledger_agrees' THEN value END),"
                    " MIN(CASE name WHEN 'ledger_height' THEN value END),"
                    " MAX(CASE name WHEN 'ledger_height' THEN value END),"
                    " MAX(CASE name WHEN 'ledger_transactions' THEN value END),"
                    " MAX(CASE name WHEN 'ledger_models_accepted' THEN value END),"
                    " MAX(CASE name WHEN 'ledger_accused' THEN value END),"
                    " SUM(CASE name WHEN 'ledger_failures' THEN value END),"
                    " SUM(CASE WHEN name LIKE 'dropped\\_%' ESCAPE '\\' THEN value END)"
                    " FROM results WHERE node_id IN (SELECT node_id FROM nodes WHERE role = 'chain')",
                    take_ledgers, chain, error));
    TRY(reader_each(db,
                    "SELECT (SELECT (MAX(t) - MIN(t)) / NULLIF(COUNT(*) - 1, 0) FROM (SELECT MIN(value) AS t"
                    " FROM series WHERE name = 't_commit' GROUP BY step)),"
                    " (SELECT COUNT(DISTINCT step) FROM series WHERE name = 'rounds' AND value > 1)",
                    take_blocks, chain, error));
    return summary_load_chain_delay(db, (uint32_t)chain->validators, &chain->delay, error);
}

bool summary_has_tiers(const struct summary *summary) {
    return summary->devices + summary->gateways + summary->edges > 0 || summary->chain.validators == 0;
}

void summary_print_chain(const struct summary *summary, FILE *out) {
    const struct summary_chain *chain = &summary->chain;
    if (chain->validators == 0)
        return;
    fprintf(out, SUMMARY_LABEL "%" PRIu64 " validator%s, ", "chain", chain->validators,
            chain->validators == 1 ? "" : "s");
    if (chain->read == 0) {
        fputs("ledgers could not be read here\n", out);
        return;
    }
    fprintf(out,
            "heights %" PRIu64 " to %" PRIu64 ", %" PRIu64 " transactions, %" PRIu64 " models accepted\n",
            chain->least_height, chain->most_height, chain->transactions, chain->models_accepted);
    fprintf(out, SUMMARY_LABEL, "  ledgers");
    if (chain->agree == chain->read)
        fprintf(out, "%" PRIu64 " read, all agree up to height %" PRIu64 "\n", chain->read,
                chain->least_height);
    else
        fputs("DISAGREE: two hold different blocks at one height\n", out);
    fprintf(out, SUMMARY_LABEL, "  blocks");
    if (isfinite(chain->block_s))
        fprintf(out, "one every %.3f s, ", chain->block_s);
    fprintf(out, "%" PRIu64 " height%s of several rounds\n", chain->slow_heights,
            chain->slow_heights == 1 ? "" : "s");
    summary_print_chain_delay(&chain->delay, out);
    if (chain->crashes + chain->restarts + chain->ledger_failures + chain->accused + chain->dropped > 0)
        fprintf(out,
                SUMMARY_LABEL "crashes %" PRIu64 " (of a failing ledger %" PRIu64 "), restarts %" PRIu64
                              ", validators accused %" PRIu64 ", messages dropped %" PRIu64 "\n",
                "  trouble", chain->crashes, chain->ledger_failures, chain->restarts, chain->accused,
                chain->dropped);
}

json_t *summary_chain_to_json(const struct summary *summary) {
    const struct summary_chain *chain = &summary->chain;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "validators",
        summary_json_count(chain->validators), "ledgers_read", summary_json_count(chain->read),
        "ledgers_agree", summary_json_count(chain->agree), "least_height",
        summary_json_count(chain->least_height), "most_height", summary_json_count(chain->most_height),
        "transactions", summary_json_count(chain->transactions), "models_accepted",
        summary_json_count(chain->models_accepted), "accused", summary_json_count(chain->accused), "block_s",
        summary_json_number(chain->block_s), "heights_of_several_rounds",
        summary_json_count(chain->slow_heights), "restarts", summary_json_count(chain->restarts),
        "ledger_failures", summary_json_count(chain->ledger_failures), "dropped",
        summary_json_count(chain->dropped), "delay", summary_chain_delay_to_json(&chain->delay));
}

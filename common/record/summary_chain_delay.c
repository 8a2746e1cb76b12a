/* What the time of a block went into, measured by the validators and by formula. The definitions are in
 * summary.h. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/ledger/quorum.h"
#include "common/ledger/vote.h"
#include "common/model/chain_delay.h"
#include "common/record/reader.h"
#include "common/record/summary_parts.h"
#include "common/time/vtime.h"

/* ---- measured ---- */

/* One height, while its rows are read. */
struct height {
    uint64_t step;
    uint32_t count;
    bool sound; /* one round, every time there */
    double sent_s, gen_s, wait_s, block_bits;
    double whole_s[VALIDATORS_MAX], verify_s[VALIDATORS_MAX], voted_s[VALIDATORS_MAX], done_s[VALIDATORS_MAX];
};

struct reading {
    struct summary_chain_delay *delay;
    uint32_t validators, quorum;
    struct height now;
};

static int ascending(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The q-th smallest of all, and the largest; sorts. */
static void ranks(const struct reading *reading, double *values, double *quorum, double *all) {
    qsort(values, reading->validators, sizeof *values, ascending);
    *quorum = values[reading->quorum - 1];
    *all = values[reading->validators - 1];
}

static void count_height(struct reading *reading) {
    struct height *now = &reading->now;
    struct summary_chain_delay *delay = reading->delay;
    double q, all, voted_q, voted_all;
    if (!now->sound || now->count != reading->validators || !isfinite(now->sent_s))
        return;
    delay->heights++;
    delay->block_bits += now->block_bits;
    delay->gen_s += now->gen_s;
    delay->wait_s += now->wait_s;
    ranks(reading, now->whole_s, &q, &all);
    delay->tr_q_s += q - now->sent_s;
    delay->tr_all_s += all - now->sent_s;
    ranks(reading, now->verify_s, &q, &all);
    delay->cv_q_s += q;
    delay->cv_all_s += all;
    ranks(reading, now->voted_s, &voted_q, &voted_all);
    ranks(reading, now->done_s, &q, &all);
    delay->agree_q_s += q - voted_q;
    delay->agree_all_s += all - voted_all;
}

static enum status take_row(sqlite3_stmt *row, void *context) {
    struct reading *reading = context;
    struct height *now = &reading->now;
    uint64_t step = reader_count(row, 0);
    double began_s = reader_real(row, 1), ready_s = reader_real(row, 2), sent_s = reader_real(row, 3);
    double whole_s = reader_real(row, 4), voted_s = reader_real(row, 5), done_s = reader_real(row, 6);
    if (step != now->step) {
        count_height(reading);
        *now = (struct height){.step = step, .sound = true, .sent_s = NAN};
    }
    if (isfinite(sent_s)) {
        now->sound = now->sound && !isfinite(now->sent_s);
        now->sent_s = whole_s = sent_s;
        now->gen_s = ready_s - began_s;
        now->wait_s = sent_s - ready_s;
    }
    if (!isfinite(voted_s))
        voted_s = done_s;
    now->sound = now->sound && now->count < reading->validators && isfinite(whole_s) && isfinite(done_s) &&
                 reader_real(row, 7) == 1 && isfinite(reader_real(row, 8));
    if (!now->sound)
        return STATUS_OK;
    now->whole_s[now->count] = whole_s;
    now->verify_s[now->count] = voted_s - whole_s;
    now->voted_s[now->count] = voted_s;
    now->done_s[now->count++] = done_s;
    now->block_bits = reader_real(row, 8);
    return STATUS_OK;
}

/* A validator that came back may have committed a height twice: the first time counts. */
static const char rows_sql[] =
    "SELECT step, MIN(CASE name WHEN 't_newheight' THEN value END),"
    " MIN(CASE name WHEN 't_ready' THEN value END),"
    " MIN(CASE name WHEN 't_propose_send' THEN value END),"
    " MIN(CASE name WHEN 't_block_complete' THEN value END),"
    " MIN(CASE name WHEN 't_prevote_send' THEN value END),"
    " MIN(CASE name WHEN 't_commit' THEN value END),"
    " MAX(CASE name WHEN 'rounds' THEN value END),"
    " MAX(CASE name WHEN 'block_bits' THEN value END)"
    " FROM series WHERE node_id IN (SELECT node_id FROM nodes WHERE role = 'chain')"
    " GROUP BY step, node_id ORDER BY step, node_id";

static void to_means(struct summary_chain_delay *delay) {
    double *const sums[] = {&delay->block_bits, &delay->gen_s,     &delay->wait_s,
                            &delay->tr_q_s,     &delay->tr_all_s,  &delay->cv_q_s,
                            &delay->cv_all_s,   &delay->agree_q_s, &delay->agree_all_s};
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        *sums[i] = delay->heights > 0 ? *sums[i] / (double)delay->heights : NAN;
}

/* ---- by formula ---- */

/* What the formulas need, from the record of the run. */
struct setting {
    double block_rate_hz, cycles_per_bit, clock_hz, clock_spread;
    uint64_t links, alike; /* between validators; wired ones of one rate and delay */
    double rate_bps;
    int64_t delay_ns;
};

static enum status take_meta(sqlite3_stmt *row, void *context) {
    struct setting *setting = context;
    setting->block_rate_hz = reader_real(row, 0);
    setting->cycles_per_bit = reader_real(row, 1);
    setting->clock_hz = reader_real(row, 2);
    setting->clock_spread = reader_real(row, 3);
    return STATUS_OK;
}

static enum status take_links(sqlite3_stmt *row, void *context) {
    struct setting *setting = context;
    setting->links = reader_count(row, 0);
    setting->alike = reader_count(row, 1);
    setting->rate_bps = reader_real(row, 2);
    setting->delay_ns = reader_time(row, 3);
    return STATUS_OK;
}

static const char meta_sql[] = "SELECT MAX(CASE key WHEN 'chain_block_rate_hz' THEN value END),"
                               " MAX(CASE key WHEN 'chain_verify_cycles_per_bit' THEN value END),"
                               " MAX(CASE key WHEN 'chain_clock_hz' THEN value END),"
                               " MAX(CASE key WHEN 'chain_clock_spread' THEN value END) FROM meta";
static const char links_sql[] =
    "WITH mesh AS (SELECT kind, rate_bps AS rate, delay_ns AS delay FROM links WHERE"
    " from_id IN (SELECT node_id FROM nodes WHERE role = 'chain') AND"
    " to_id IN (SELECT node_id FROM nodes WHERE role = 'chain'))"
    " SELECT COUNT(*), SUM(kind = 'wired' AND rate = (SELECT MAX(rate) FROM mesh) AND"
    " delay = (SELECT MAX(delay) FROM mesh)), MAX(rate), MAX(delay) FROM mesh";

static void compute(const struct setting *setting, uint32_t validators, struct summary_chain_delay *delay) {
    struct summary_chain_formula *formula = &delay->formula;
    double cycles_per_bit[VALIDATORS_MAX], clock_hz[VALIDATORS_MAX];
    uint32_t quorum = quorum_size(validators);
    for (uint32_t i = 0; i < validators; i++) {
        cycles_per_bit[i] = setting->cycles_per_bit;
        clock_hz[i] = chain_clock_hz(setting->clock_hz, setting->clock_spread, i, validators);
    }
    struct chain_verification verification = {.block_bits = delay->block_bits,
                                              .producer_count = validators,
                                              .edge_rate_bps = setting->rate_bps,
                                              .cycles_per_bit = cycles_per_bit,
                                              .server_clock_hz = clock_hz,
                                              .server_count = validators};
    struct chain_tree tree = {.server_count = validators,
                              .block_bits = delay->block_bits,
                              .part_bits = 8.0 * PART_BYTES_MAX,
                              .edge_rate_bps = setting->rate_bps,
                              .delay_s = vtime_to_s(setting->delay_ns)};
    formula->verify_q_s = chain_verify_ranked_s(&verification, quorum);
    formula->verify_all_s = chain_verify_ranked_s(&verification, validators);
    if (setting->links == 0 || setting->alike != setting->links || !(setting->rate_bps > 0))
        return;
    formula->cv_s = chain_verify_s(&verification);
    formula->tr_s = chain_transfer_s(delay->block_bits, validators, setting->rate_bps);
    formula->tree_q_s = chain_tree_transfer_s(&tree, quorum);
    formula->tree_all_s = chain_tree_transfer_s(&tree, validators);
    formula->block_s = chain_block_s(formula->gen_s, formula->tr_s, formula->cv_s);
    formula->block_q_s = chain_block_s(formula->gen_truncated_s, formula->tree_q_s, formula->verify_q_s);
}

enum status summary_load_chain_delay(sqlite3 *db, uint32_t validators, struct summary_chain_delay *delay,
                                     struct error *error) {
    struct reading reading = {.delay = delay, .validators = validators, .quorum = quorum_size(validators)};
    struct setting setting = {.block_rate_hz = NAN};
    *delay = (struct summary_chain_delay){.formula = {.gen_s = NAN,
                                                      .gen_truncated_s = NAN,
                                                      .tr_s = NAN,
                                                      .tree_q_s = NAN,
                                                      .tree_all_s = NAN,
                                                      .cv_s = NAN,
                                                      .verify_q_s = NAN,
                                                      .verify_all_s = NAN,
                                                      .block_s = NAN,
                                                      .block_q_s = NAN}};
    assert(validators <= VALIDATORS_MAX);
    TRY(reader_each(db, rows_sql, take_row, &reading, error));
    count_height(&reading);
    to_means(delay);
    TRY(reader_each(db, meta_sql, take_meta, &setting, error));
    TRY(reader_each(db, links_sql, take_links, &setting, error));
    if (delay->heights == 0 || !(setting.block_rate_hz >= 0) || !(setting.clock_hz > 0))
        return STATUS_OK; /* nothing to compare, or made before this was recorded */
    delay->formula.gen_s = chain_generation_s(setting.block_rate_hz);
    delay->formula.gen_truncated_s =
        chain_generation_truncated_s(setting.block_rate_hz, CHAIN_GENERATION_TRUNCATION);
    compute(&setting, validators, delay);
    return STATUS_OK;
}

/* ---- out ---- */

struct named {
    const char *name;
    double value;
};

static json_t *object_of(const struct named *values, size_t count) {
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++)
        json_object_set_new(object, values[i].name, summary_json_number(values[i].value));
    return object;
}

json_t *summary_chain_delay_to_json(const struct summary_chain_delay *delay) {
    const struct summary_chain_formula *formula = &delay->formula;
    const struct named measured[] = {{"block_bits", delay->block_bits},  {"gen_s", delay->gen_s},
                                     {"wait_s", delay->wait_s},          {"tr_q_s", delay->tr_q_s},
                                     {"tr_all_s", delay->tr_all_s},      {"cv_q_s", delay->cv_q_s},
                                     {"cv_all_s", delay->cv_all_s},      {"agree_q_s", delay->agree_q_s},
                                     {"agree_all_s", delay->agree_all_s}};
    const struct named expected[] = {{"gen_s", formula->gen_s},
                                     {"gen_truncated_s", formula->gen_truncated_s},
                                     {"tr_s", formula->tr_s},
                                     {"tree_q_s", formula->tree_q_s},
                                     {"tree_all_s", formula->tree_all_s},
                                     {"cv_s", formula->cv_s},
                                     {"verify_q_s", formula->verify_q_s},
                                     {"verify_all_s", formula->verify_all_s},
                                     {"block_s", formula->block_s},
                                     {"block_q_s", formula->block_q_s}};
    json_t *object = object_of(measured, sizeof measured / sizeof *measured);
    json_object_set_new(object, "heights", summary_json_count(delay->heights));
    json_object_set_new(object, "formula", object_of(expected, sizeof expected / sizeof *expected));
    return object;
}

static void print_one(const char *name, double measured_s, double formula_s, FILE *out) {
    fprintf(out, "%s %.4g ms", name, 1e3 * measured_s);
    if (isfinite(formula_s))
        fprintf(out, " (%.4g)", 1e3 * formula_s);
}

void summary_print_chain_delay(const struct summary_chain_delay *delay, FILE *out) {
    if (delay->heights == 0)
        return;
    fprintf(out, SUMMARY_LABEL, "  delay");
    print_one("T_gen", delay->gen_s, delay->formula.gen_truncated_s, out);
    print_one(", T_tr", delay->tr_q_s, delay->formula.tree_q_s, out);
    print_one(", T_cv", delay->cv_q_s, delay->formula.verify_q_s, out);
    fprintf(out, ", votes %.4g ms; of a quorum, over %" PRIu64 " heights (by formula)\n",
            1e3 * delay->agree_q_s, delay->heights);
}

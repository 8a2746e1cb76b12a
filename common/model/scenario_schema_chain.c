/* scenario_schema_chain: the rows of `chain`, what validators run. */
#include "common/ledger/block.h"
#include "common/model/scenario.h"
#include "common/model/scenario_schema.h"

#define MINUTE_NS 6e10
#define HOUR_NS 3.6e12
#define BITS(bytes) (8.0 * (bytes)) /* ranges of data are in bits */

/* clang-format off */

#define CHAIN(member) SCHEMA_MEMBER(scenario, chain.member)

static const char *const durability_names[] = {"power", "process", NULL};
static const char *const durability_docs[] = {
    "every write reaches the platter before anything that depends on it is sent (fsync): survives loss of power",
    "writes reach the operating system: survives the death of the process, not loss of power, and is much faster", NULL};

static const char *const time_names[] = {"monotone", "proposer", NULL};
static const char *const time_docs[] = {
    "later than the block before, by the proposer's clock where that allows it: no clock can stop the chain, and any "
    "proposer may set the time ahead",
    "the proposer's clock, and validators vote only for a block that comes in time by theirs: the time is right as long "
    "as clocks are, and a proposer whose clock is wrong loses its turn", NULL};

static const struct schema_field load_rows[] = {
    {.key = "rate", .type = SCHEMA_NUMBER, .dimension = UNIT_FREQUENCY, CHAIN(load.rate_hz), .maximum = 1e6,
     .fallback = "0 Hz",
     .doc = "Transactions of all validators together, each submitting its share at exponentially distributed intervals."},
    {.key = "records", .type = SCHEMA_COUNT, CHAIN(load.records), .minimum = 1, .maximum = 65535, .fallback = "1",
     .doc = "Records of one transaction; each counts as a transaction of `block_txs` and `mempool`."},
    {.key = "record_size", .type = SCHEMA_BYTES, .dimension = UNIT_DATA, CHAIN(load.record_bytes), .minimum = BITS(1),
     .maximum = BITS(65531), .fallback = "100 B",
     .doc = "Size of a record; a transaction holds at most 65,531 bytes of them."},
};
static const struct schema load_schema = {
    .fields = load_rows, .count = SCHEMA_LENGTH(load_rows), .item = NULL};

static const struct schema_field chain_rows[] = {
    {.key = "timeout", .type = SCHEMA_TIME, CHAIN(timeout_ns), .minimum = 1e6, .maximum = HOUR_NS, .fallback = "500 ms",
     .doc = "How long a validator waits for each step of round 0, T0: for the proposal once it is due, for prevotes, for "
            "precommits. Several times the delay between validators and the time that a block takes on their links."},
    {.key = "timeout_step", .type = SCHEMA_TIME, CHAIN(timeout_step_ns), .maximum = HOUR_NS, .fallback = "250 ms",
     .doc = "How much longer in each further round: T(r) = timeout + r timeout_step, begun anew at every height."},
    {.key = "timeout_max", .type = SCHEMA_TIME, CHAIN(timeout_max_ns), .minimum = 1e6, .maximum = HOUR_NS,
     .fallback = "10 s", .doc = "The longest that T(r) gets; not shorter than `timeout`."},
    {.key = "status_interval", .type = SCHEMA_TIME, CHAIN(status_interval_ns), .minimum = 1e6, .maximum = MINUTE_NS,
     .fallback = "250 ms",
     .doc = "How often a validator tells the others what it holds; what it lacks is then sent again."},
    {.key = "block_rate", .type = SCHEMA_NUMBER, .dimension = UNIT_FREQUENCY, CHAIN(block_rate_hz), .maximum = 1e6,
     .fallback = "1 Hz",
     .doc = "Blocks come after exponentially distributed times, T_gen, of this mean rate; 0 Hz: each at once after the one "
            "before."},
    {.key = "empty_blocks", .type = SCHEMA_BOOL, CHAIN(empty_blocks), .fallback = "false",
     .doc = "Whether blocks are made when no transaction waits."},
    {.key = "block_txs", .type = SCHEMA_COUNT, CHAIN(block_txs_max), .minimum = 1, .maximum = BLOCK_TXS_MAX,
     .fallback = "400", .doc = "Transactions that one block takes."},
    {.key = "block_size", .type = SCHEMA_BYTES, .dimension = UNIT_DATA, CHAIN(block_bytes_max), .minimum = BITS(8e4),
     .maximum = BITS(16e6), .fallback = "1 MB", .doc = "Size of the body of a block."},
    {.key = "blob_size", .type = SCHEMA_BYTES, .dimension = UNIT_DATA, CHAIN(blob_bytes_max), .minimum = BITS(1e3),
     .maximum = BITS(64e6), .fallback = "4 MB",
     .doc = "Size of a model, whose bytes travel beside the blocks."},
    {.key = "mempool", .type = SCHEMA_COUNT, CHAIN(mempool_max), .minimum = 1, .maximum = 1000000, .fallback = "4096",
     .doc = "Transactions that may wait at a validator; more are refused."},
    {.key = "checkpoint", .type = SCHEMA_COUNT, CHAIN(checkpoint_interval), .minimum = 1, .maximum = 1000000,
     .fallback = "16",
     .doc = "Heights between checkpoints of the state, from which a validator that is far behind starts."},
    {.key = "models_kept", .type = SCHEMA_COUNT, CHAIN(models_kept), .minimum = 1, .maximum = 1000, .fallback = "4",
     .doc = "Accepted models of a task whose bytes validators keep; headers and transactions stay for ever."},
    {.key = "evidence_age", .type = SCHEMA_COUNT, CHAIN(evidence_age), .minimum = 1, .maximum = 1000000, .fallback = "64",
     .doc = "Heights after which evidence of misbehaviour is too old, and a model without enough attestations is forgotten."},
    {.key = "open_models", .type = SCHEMA_COUNT, CHAIN(open_models_max), .minimum = 1, .maximum = 4096, .fallback = "64",
     .doc = "Models that may be under attestation at once."},
    {.key = "epsilon", .type = SCHEMA_NUMBER, .dimension = UNIT_PLAIN, CHAIN(epsilon), .maximum = 1e6, .fallback = "0.05",
     .doc = "A model is accepted when each metric that it claims is at most this far from the median of what validators "
            "measured."},
    {.key = "verify_cycles_per_bit", .type = SCHEMA_NUMBER, .dimension = UNIT_PLAIN, CHAIN(verify_cycles_per_bit),
     .maximum = 1e9, .fallback = "10",
     .doc = "Cycles that verifying one bit of a block takes, f in T_cv = S_B f / f_b."},
    {.key = "clock", .type = SCHEMA_NUMBER, .dimension = UNIT_FREQUENCY, CHAIN(validator_clock_hz), .minimum = 1,
     .maximum = 1e15, .fallback = "3 GHz", .doc = "Clock of a validator, f_b."},
    {.key = "clock_spread", .type = SCHEMA_NUMBER, .dimension = UNIT_RATIO, CHAIN(clock_spread), .maximum = 0.99,
     .fallback = "0", .doc = "By how much of it the clock of the last validator is lower than that of the first; those between "
            "fall evenly."},
    {.key = "durability", .type = SCHEMA_ENUM, CHAIN(durability), .names = durability_names,
     .name_docs = durability_docs, .fallback = "process", .doc = "What the ledger of a validator survives."},
    {.key = "time", .type = SCHEMA_ENUM, CHAIN(time), .names = time_names, .name_docs = time_docs,
     .fallback = "monotone", .doc = "What the time in the header of a block must be."},
    {.key = "precision", .type = SCHEMA_TIME, CHAIN(precision_ns), .minimum = 1e6, .maximum = HOUR_NS,
     .fallback = "500 ms", .doc = "With time `proposer`: how far the clocks of any two validators may be apart."},
    {.key = "message_delay", .type = SCHEMA_TIME, CHAIN(message_delay_ns), .minimum = 1e6, .maximum = HOUR_NS,
     .fallback = "2 s", .doc = "With time `proposer`: how long a proposal may take to a validator."},
    {.key = "exclude_accused", .type = SCHEMA_BOOL, CHAIN(exclude_accused), .fallback = "false",
     .doc = "Whether validators that evidence on the chain speaks against are left out when it comes to proposing."},
    {.key = "model_slots", .type = SCHEMA_COUNT, CHAIN(model_slots), .maximum = 10000000, .fallback = "0",
     .doc = "An edge server offers a model every so many slots; 0 for never."},
    {.key = "load", .type = SCHEMA_MAP, .fields = &load_schema,
     .doc = "Transactions of records that validators submit themselves, for measurements."},
};
const struct schema scenario_schema_chain = {
    .fields = chain_rows, .count = SCHEMA_LENGTH(chain_rows), .item = NULL};

/* clang-format on */

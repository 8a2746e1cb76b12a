/* record: the run directory. scenario.yaml (resolved), manifest.json, metrics.sqlite, optional trace.csv,
 * report.html. Written by the process of the director only.
 *
 * Durable order: files are written beside their place, fsynced, renamed; metrics go in batches of one
 * transaction (WAL), so that whatever ends the run, what was recorded stays readable. */
#ifndef TIERBED_RECORD_RECORD_H
#define TIERBED_RECORD_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/model/scenario.h"
#include "common/model/topology.h"
#include "common/record/rows.h"

struct record;

/* What the manifest says of how the run was made; the rest (version, commit, compiler, libraries, host, CPU)
 * is found by record_open itself. */
struct record_config {
    const char *dir; /* must not exist, or be empty */
    const struct scenario *scenario;
    const struct topology *topology;
    const char *transport; /* "in-process" or "mpi" */
    uint32_t processes;
    const char *clock; /* "virtual" or "wall" */
    double speed;
    const char *command_line; /* how to repeat it */
    /* true: what record_open and record_flush wrote outlives the machine. false: only what record_close wrote
     * does (a killed process loses nothing it has flushed either way); for many short runs that can be
     * repeated. */
    bool durable;
};

/* Creates the directory, scenario.yaml, manifest.json (status "running"), metrics.sqlite with nodes and
 * links. */
enum status record_open(const struct record_config *config, struct record **record, struct error *error);

/* Adds a row (buffered; a transaction every few thousand rows and on record_flush). STATUS_IO when the disk
 * is full: the run must then stop with what is already there kept. */
enum status record_row(struct record *record, const struct row *row, struct error *error);
enum status record_flush(struct record *record, struct error *error);

struct record_outcome {
    enum status status;  /* STATUS_OK: finished; else why not */
    const char *message; /* what ended it, "" when finished */
    uint64_t digest[4];  /* of the whole run, 256 bits; zeros when not finished */
    int64_t virtual_ns;  /* how far virtual time came */
    double wall_s;       /* without start-up */
    double startup_s;    /* from launch to the first grant */
    uint64_t events, windows;
};

/* Writes the last rows and the final manifest, closes and frees. Safe on NULL. */
enum status record_close(struct record *record, const struct record_outcome *outcome, struct error *error);

/* Says of a run whose process was killed before it could say so itself how it ended: status and `message` go
 * to its manifest and metrics; what it recorded stays. */
enum status record_abandon(const char *dir, enum status reason, const char *message, struct error *error);

#endif

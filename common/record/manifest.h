/* manifest: manifest.json, which says what made a run, on what machine, how it went, and how to repeat it. */
#ifndef TIERBED_RECORD_MANIFEST_H
#define TIERBED_RECORD_MANIFEST_H

#include <jansson.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/record/record.h"

#define MANIFEST_FILE "manifest.json"

/* 64 hex digits and a zero of a run's digest. */
#define DIGEST_TEXT_SIZE 65
void digest_text(const uint64_t digest[4], char text[DIGEST_TEXT_SIZE]);

/* "finished", "stopped" (by the user) or "failed", as manifest.json and the table meta have it. */
const char *manifest_status_name(enum status status);

/* A new manifest with status "running"; NULL without memory. The caller owns it (json_decref). */
json_t *manifest_start(const struct record_config *config);
/* Adds how the run ended. */
enum status manifest_finish(json_t *manifest, const struct record_outcome *outcome, struct error *error);
/* Writes DIR/manifest.json; `durable`: waits for the disk. */
enum status manifest_write(const json_t *manifest, const char *dir, bool durable, struct error *error);
/* Reads it. STATUS_IO: there is none (`dir` is no run); STATUS_INVALID: it is not a manifest. Owned by the
 * caller. */
enum status manifest_load(const char *dir, json_t **manifest, struct error *error);

/* "running" of a process that is gone on this host reads as "killed"; otherwise the status as written. */
const char *manifest_status_now(const json_t *manifest);

/* A JSON string of any text (NULL: ""). JSON is UTF-8, a file name need not be: bytes above 127 of a text
 * that is not UTF-8 become question marks. Owned by the caller; NULL without memory. */
json_t *manifest_json_text(const char *text);

/* A text or number of the manifest, `fallback` where it is missing or of another type. Borrowed. */
const char *manifest_text(const json_t *manifest, const char *key, const char *fallback);
double manifest_number(const json_t *manifest, const char *key, double fallback);

#endif

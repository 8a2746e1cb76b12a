#include "common/record/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/version.h"
#include "common/record/durable.h"
#include "common/record/machine.h"
#include "common/record/names.h"

#define MANIFEST_BYTES_MAX ((size_t)1 << 20)

void digest_text(const uint64_t digest[4], char text[DIGEST_TEXT_SIZE]) {
    snprintf(text, DIGEST_TEXT_SIZE, "%016" PRIx64 "%016" PRIx64 "%016" PRIx64 "%016" PRIx64, digest[0],
             digest[1], digest[2], digest[3]);
}

const char *manifest_status_name(enum status status) {
    if (status == STATUS_OK)
        return "finished";
    return status == STATUS_STOPPED ? "stopped" : "failed";
}

static json_t *time_now(void) {
    char text[32] = "unknown";
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc) != NULL)
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_string(text);
}

json_t *manifest_json_text(const char *text) {
    if (text == NULL)
        text = "";
    json_t *value = json_string(text);
    if (value != NULL)
        return value;
    char *copy = strdup(text);
    for (char *at = copy; at != NULL && *at != '\0'; at++)
        if ((unsigned char)*at > 127)
            *at = '?';
    value = json_string(copy);
    free(copy);
    return value;
}

json_t *manifest_start(const struct record_config *config) {
    char seed[24]; /* as text too: readers that hold numbers as doubles would round a 64-bit seed */
    const struct scenario *scenario = config->scenario;
    snprintf(seed, sizeof seed, "%" PRIu64, scenario->seed);
    return json_pack(
        "{s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:I, s:s, s:f, s:I, s:I, s:o, s:I, "
        "s:s, s:o}",
        "format", "tierbed-run-1", "scenario", manifest_json_text(scenario->name), "description",
        manifest_json_text(scenario->description), "version", version_text(), "commit", version_commit(),
        "compiler", version_compiler(), "flags", version_flags(), "variant", version_variant(), "seed", seed,
        "libraries", machine_libraries(), "host", machine_describe(), "transport", config->transport,
        "processes", (json_int_t)config->processes, "clock", config->clock, "speed", config->speed, "nodes",
        (json_int_t)config->topology->node_count, "links", (json_int_t)config->topology->link_count,
        "command_line", manifest_json_text(config->command_line), "pid", (json_int_t)getpid(), "status",
        "running", "started_utc", time_now());
}

/* JSON has no infinities or NaN: such a number becomes null. */
static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

enum status manifest_finish(json_t *manifest, const struct record_outcome *outcome, struct error *error) {
    char digest[DIGEST_TEXT_SIZE];
    digest_text(outcome->digest, digest);
    json_t *end = json_pack("{s:s, s:s, s:o, s:s, s:I, s:o, s:o, s:I, s:I, s:o}", "status",
                            manifest_status_name(outcome->status), "reason", status_name(outcome->status),
                            "message", manifest_json_text(outcome->message), "digest", digest, "virtual_ns",
                            (json_int_t)outcome->virtual_ns, "wall_s", number(outcome->wall_s), "startup_s",
                            number(outcome->startup_s), "events", (json_int_t)outcome->events, "windows",
                            (json_int_t)outcome->windows, "ended_utc", time_now());
    int failed = end == NULL || json_object_update(manifest, end) != 0;
    json_decref(end);
    return failed ? error_set(error, STATUS_MEMORY, "no memory for the manifest") : STATUS_OK;
}

enum status manifest_write(const json_t *manifest, const char *dir, bool durable, struct error *error) {
    char path[DURABLE_PATH_MAX];
    TRY(durable_path(path, dir, MANIFEST_FILE, error));
    char *text = json_dumps(manifest, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    if (text == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the manifest");
    size_t size = strlen(text);
    text[size] = '\n'; /* the zero gives its place: files end with a newline */
    enum status status = durable ? durable_write(path, text, size + 1, error)
                                 : durable_write_unsynced(path, text, size + 1, error);
    free(text);
    return status;
}

enum status manifest_load(const char *dir, json_t **manifest, struct error *error) {
    char path[DURABLE_PATH_MAX];
    char *text = NULL;
    size_t size = 0;
    json_error_t problem;
    TRY(durable_path(path, dir, MANIFEST_FILE, error));
    if (access(path, F_OK) != 0)
        return error_set(error, STATUS_IO, "%s holds no run: there is no %s in it", dir, MANIFEST_FILE);
    TRY(durable_read(path, MANIFEST_BYTES_MAX, &text, &size, error));
    json_t *loaded = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    free(text);
    if (loaded == NULL)
        return error_set(error, STATUS_INVALID, "%s:%d:%d: %s", path, problem.line, problem.column,
                         problem.text);
    if (!json_is_object(loaded) || strcmp(manifest_text(loaded, "format", ""), "tierbed-run-1") != 0) {
        json_decref(loaded);
        return error_set(error, STATUS_INVALID, "%s is not the manifest of a run (format tierbed-run-1)",
                         path);
    }
    *manifest = loaded;
    return STATUS_OK;
}

const char *manifest_status_now(const json_t *manifest) {
    char name[256] = "";
    const char *status = manifest_text(manifest, "status", "unknown");
    json_int_t pid = json_integer_value(json_object_get(manifest, "pid"));
    gethostname(name, sizeof name - 1);
    bool here = strcmp(manifest_text(json_object_get(manifest, "host"), "name", ""), name) == 0;
    if (strcmp(status, "running") == 0 && here && pid > 1 && pid <= INT32_MAX && kill((pid_t)pid, 0) != 0 &&
        errno == ESRCH)
        return "killed";
    return status;
}

const char *manifest_text(const json_t *manifest, const char *key, const char *fallback) {
    const char *text = json_string_value(json_object_get(manifest, key));
    return text != NULL ? text : fallback;
}

double manifest_number(const json_t *manifest, const char *key, double fallback) {
    const json_t *value = json_object_get(manifest, key);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

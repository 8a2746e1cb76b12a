/* Fuzzes the scenario loader. The first line is a --set assignment when it begins with `!`, the rest is the
 * file. What loads must print, load again and print the same; what does not must say why. Units are read on
 * the way, and once more for themselves: whatever a text gives must print to a text that gives the same bits.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/model/scenario.h"
#include "common/model/topology.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct scenario_problems problems;

static void check_loaded(const struct scenario *scenario, struct arena *arena) {
    struct scenario again;
    struct topology topology;
    size_t size;
    char *once = scenario_print(scenario, arena, &size);
    if (scenario_load_text(once, size, "again", NULL, 0, arena, &again, &problems) != STATUS_OK ||
        strcmp(once, scenario_print(&again, arena, NULL)) != 0) {
        scenario_problems_print(&problems, stderr);
        abort();
    }
    if (topology_build(scenario, arena, &topology, NULL) != STATUS_OK)
        abort();
}

static void check_units(const char *text) {
    char printed[UNITS_TEXT_MAX];
    double value, back;
    int64_t time_ns, time_back;
    for (int i = 0; i < UNIT_DIMENSION_COUNT; i++) {
        enum unit_dimension dimension = (enum unit_dimension)i;
        if (dimension == UNIT_TIME || units_parse(text, dimension, &value, NULL) != STATUS_OK)
            continue;
        units_print(value, dimension, printed);
        if (units_parse(printed, dimension, &back, NULL) != STATUS_OK ||
            memcmp(&value, &back, sizeof value) != 0)
            abort();
    }
    if (units_parse_time(text, &time_ns, NULL) != STATUS_OK)
        return;
    units_print_time(time_ns, printed);
    if (units_parse_time(printed, &time_back, NULL) != STATUS_OK || time_back != time_ns)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena;
    struct scenario scenario;
    char assignment[256] = "";
    size_t line = 0;
    if (size > 0 && data[0] == '!') {
        while (line < size && data[line] != '\n' && line < sizeof assignment)
            line++;
        memcpy(assignment, data + 1, line > 0 ? line - 1 : 0);
    }
    struct scenario_override override = {.assignment = assignment};
    arena_init(&arena);
    check_units(assignment);
    enum status status = scenario_load_text((const char *)data + line, size - line, "fuzz", &override,
                                            *assignment != '\0' ? 1 : 0, &arena, &scenario, &problems);
    if ((status == STATUS_OK) != (problems.count == 0))
        abort();
    if (status == STATUS_OK)
        check_loaded(&scenario, &arena);
    arena_close(&arena);
    return 0;
}

/* scenario_text: a small valid scenario for tests, and changes to it. Only included by tests. */
#ifndef TIERBED_TESTS_MODEL_SCENARIO_TEXT_H
#define TIERBED_TESTS_MODEL_SCENARIO_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/scenario.h"

static const char scenario_text_small[] =
    "name: small\n"
    "slot: 1 s\n"
    "slots: 10\n"
    "nodes:\n"
    "  - {name: edge, role: edge}\n"
    "  - {name: gateway, role: gateway, parent: edge, count: 2}\n"
    "  - {name: sensor, role: device, parent: gateway, per_parent: 3}\n"
    "links:\n"
    "  - {from: sensor, to: gateway, kind: wired, rate: 100 Mbit/s, delay: 10 us}\n"
    "  - {from: gateway, to: sensor, kind: wired, rate: 100 Mbit/s, delay: 10 us}\n"
    "  - {from: gateway, to: edge, kind: lte-m, delay: 1 ms}\n"
    "  - {from: edge, to: gateway, kind: wired, rate: 100 Mbit/s, delay: 1 ms}\n"
    "task: {size: 64 kbit}\n"
    "faults:\n"
    "  - {kind: crash, at: 2 s, node: gateway-2}\n"
    "  - {kind: restart, at: 4 s, node: gateway-2}\n";

/* Writes `base` with the first `find` replaced. Ends the program when it is not there or does not fit. */
static inline void scenario_text_change(const char *base, const char *find, const char *replacement,
                                        char *text, size_t capacity) {
    const char *at = strstr(base, find);
    int before = at != NULL ? (int)(at - base) : 0;
    int length =
        at == NULL ? -1 : snprintf(text, capacity, "%.*s%s%s", before, base, replacement, at + strlen(find));
    if (length < 0 || (size_t)length >= capacity) {
        fprintf(stderr, "cannot replace `%s` in the scenario\n", find);
        abort();
    }
}

static inline void scenario_text_with(const char *find, const char *replacement, char *text,
                                      size_t capacity) {
    scenario_text_change(scenario_text_small, find, replacement, text, capacity);
}

#endif

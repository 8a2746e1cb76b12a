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

/* Writes the small scenario with the first `find` replaced. Ends the program when it is not there or does not
 * fit. */
static inline void scenario_text_with(const char *find, const char *replacement, char *text,
                                      size_t capacity) {
    const char *at = strstr(scenario_text_small, find);
    int before = at != NULL ? (int)(at - scenario_text_small) : 0;
    int length = at == NULL ? -1
                            : snprintf(text, capacity, "%.*s%s%s", before, scenario_text_small, replacement,
                                       at + strlen(find));
    if (length < 0 || (size_t)length >= capacity) {
        fprintf(stderr, "cannot replace `%s` in the small scenario\n", find);
        abort();
    }
}

#endif

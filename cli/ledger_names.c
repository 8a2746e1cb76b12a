/* ledger_names: who the senders of a ledger are, from the scenario of the run it lies in. */
#include <stdio.h>
#include <unistd.h>

#include "cli/ledger_json.h"
#include "common/model/scenario.h"
#include "common/model/topology.h"
#include "common/record/durable.h"
#include "common/record/manifest.h"

#define SCENARIO_FILE "scenario.yaml"

/* In the run directory itself, or above nodes/NAME.ledger. */
static bool find_scenario(const char *dir, char path[DURABLE_PATH_MAX]) {
    static const char *const places[] = {SCENARIO_FILE, "../../" SCENARIO_FILE};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (durable_path(path, dir, places[i], NULL) == STATUS_OK && access(path, F_OK) == 0)
            return true;
    return false;
}

static void add_role(json_t *names, const struct topology *topology, enum node_role role) {
    for (uint32_t id = 0; id < topology->node_count; id++)
        if (topology->nodes[id].role == role)
            json_array_append_new(names, manifest_json_text(topology->nodes[id].name));
}

json_t *ledger_json_names(const char *dir, uint32_t sender_count) {
    char path[DURABLE_PATH_MAX];
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    json_t *names = json_array();
    if (!find_scenario(dir, path))
        return names;
    arena_init(&arena);
    struct scenario_problems *problems = arena_alloc(&arena, sizeof *problems);
    if (scenario_load_file(path, NULL, 0, &arena, &scenario, problems) == STATUS_OK &&
        topology_build(&scenario, &arena, &topology, NULL) == STATUS_OK) {
        add_role(names, &topology, ROLE_CHAIN);
        add_role(names, &topology, ROLE_EDGE);
    }
    if (json_array_size(names) != sender_count)
        json_array_clear(names); /* of another run */
    arena_close(&arena);
    return names;
}

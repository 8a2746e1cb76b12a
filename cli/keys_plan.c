/* keys_plan: for which nodes keys are made. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/keys.h"
#include "common/base/memory.h"
#include "common/model/scenario.h"
#include "common/model/topology.h"

void keys_plan_close(struct keys_plan *plan) {
    free(plan->nodes);
    *plan = (struct keys_plan){0};
}

static struct keys_node *add(struct keys_plan *plan) {
    plan->nodes = memory_grow(plan->nodes, plan->count + 1u, sizeof *plan->nodes, "names of nodes");
    plan->nodes[plan->count] = (struct keys_node){0};
    return &plan->nodes[plan->count++];
}

static enum status plan_topology(const struct scenario *scenario, struct arena *arena, struct keys_plan *plan,
                                 struct error *error) {
    struct topology topology;
    TRY(topology_build(scenario, arena, &topology, error));
    for (uint32_t id = 0; id < topology.node_count; id++) {
        struct keys_node *node = add(plan);
        if (strcmp(topology.nodes[id].name, IDENTITY_AUTHORITY_NAME) == 0)
            return error_set(error, STATUS_INVALID,
                             "a node may not be named `" IDENTITY_AUTHORITY_NAME
                             "`: so are the authority's files");
        snprintf(node->name, sizeof node->name, "%s", topology.nodes[id].name);
        snprintf(node->role, sizeof node->role, "%s", node_role_name(topology.nodes[id].role));
    }
    return STATUS_OK;
}

enum status keys_plan_scenario(const char *path, struct keys_plan *plan, struct error *error) {
    struct arena arena;
    struct scenario scenario;
    *plan = (struct keys_plan){0};
    arena_init(&arena);
    struct scenario_problems *problems = arena_alloc(&arena, sizeof *problems);
    enum status status = scenario_load_file(path, NULL, 0, &arena, &scenario, problems);
    if (status == STATUS_OK)
        status = plan_topology(&scenario, &arena, plan, error);
    else
        error_set(error, status, "%s: %s", path,
                  problems->count > 0 ? problems->items[0].text : "not accepted");
    arena_close(&arena);
    return status;
}

static bool is_role(const char *name) {
    for (enum node_role role = 0; role < ROLE_COUNT; role++)
        if (role != ROLE_DIRECTOR && strcmp(node_role_name(role), name) == 0)
            return true;
    return false;
}

/* As in a scenario: a file is named after it, so nothing that a path could be made of. */
static bool is_name(const char *name, size_t length) {
    if (length == 0 || length >= IDENTITY_NAME_MAX || !isalnum((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '_')
            return false;
    return true;
}

static bool is_taken(const struct keys_plan *plan, const char *name) {
    if (strcmp(name, IDENTITY_AUTHORITY_NAME) == 0)
        return true;
    for (uint32_t i = 0; i + 1 < plan->count; i++)
        if (strcmp(plan->nodes[i].name, name) == 0)
            return true;
    return false;
}

static enum status add_word(struct keys_plan *plan, const char *word, size_t length, const char *role,
                            struct error *error) {
    const char *colon = memchr(word, ':', length);
    size_t name_length = colon != NULL ? (size_t)(colon - word) : length;
    size_t role_length = colon != NULL ? length - name_length - 1 : strlen(role);
    if (!is_name(word, name_length) || role_length >= IDENTITY_ROLE_MAX)
        return error_set(error, STATUS_INVALID,
                         "`%.*s` is no node: NAME or NAME:ROLE, a name of letters, digits, `-` and `_`",
                         (int)(length < 80 ? length : 80), word);
    struct keys_node *node = add(plan);
    memcpy(node->name, word, name_length);
    memcpy(node->role, colon != NULL ? colon + 1 : role, role_length);
    if (!is_role(node->role))
        return error_set(error, STATUS_INVALID, "`%s` is no role; there are device, gateway, edge and chain",
                         node->role);
    if (is_taken(plan, node->name))
        return error_set(error, STATUS_INVALID, "the name `%s` is taken", node->name);
    return STATUS_OK;
}

enum status keys_plan_list(const char *list, const char *role, struct keys_plan *plan, struct error *error) {
    *plan = (struct keys_plan){0};
    for (;;) {
        size_t length = strcspn(list, ",");
        TRY(add_word(plan, list, length, role, error));
        if (list[length] == '\0')
            return STATUS_OK;
        list += length + 1;
    }
}

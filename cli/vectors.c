/* vectors: the one table from the case of a vector to the function that computes it. */
#include "cli/vectors.h"

#include <string.h>

#include "cli/vectors_cases.h"

/* The published optimiser stopped short of the optimal power, where cost is flat: to 1e-5 by its note. */
static const struct vector_tolerance flat_optimum[] = {{"p_w", 1e-5}, {"T", 1e-7}, {"E", 1e-5}, {NULL, 0.0}};

const struct vector_case vector_cases[] = {
    {"000-01", "IPOR Eq. (1), (7)", vector_case_local_training, NULL},
    {"000-02", "IPOR Eq. (2), (3), (8)", vector_case_ofdma_upload, NULL},
    {"000-03", "IPOR Eq. (4), (9)", vector_case_shared_download, NULL},
    {"000-04", "IPOR Eq. (5), (6)", vector_case_chain_delay, NULL},
    {"000-06", "IPOR slope of the information plane", vector_case_knowledge_slope, NULL},
    {"000-07", "IPOR Eq. (13)-(16), (18)", vector_case_knowledge_reward, NULL},
    {"000-10", "IPOR C2, split of sub-channels", vector_case_subchannel_split, NULL},
    {"001-local", "UCMS Eq. (3), (4)", vector_case_device_compute, NULL},
    {"001-offload", "UCMS Eq. (6)-(10)", vector_case_device_offload, NULL},
    {"001-queue", "UCMS Eq. (9)", vector_case_server_queue, NULL},
    {"001-battery", "UCMS Eq. (13)", vector_case_battery, NULL},
    {"001-action", "UCMS Eq. (22), (23)", vector_case_action, NULL},
    {"001-reward", "UCMS Eq. (14), (25), (26)", vector_case_coselection_reward, NULL},
    {"001-priority", "UCMS Eq. (27)-(30)", vector_case_replay_priority, NULL},
    {"001-coselect", "UCMS Eq. (18), (19), Algorithm 1", vector_case_coselection, NULL},
    {"002-01", "DyNN Eq. (1), (5)", vector_case_transfer, NULL},
    {"002-02", "DyNN Eq. (2), (4), (6)", vector_case_processing, NULL},
    {"002-03", "DyNN Eq. (8)-(10), (30)-(35)", vector_case_inference, NULL},
    {"002-06", "DyNN Eq. (19)", vector_case_urgency, NULL},
    {"002-07", "DyNN optimum of the weighted delay", vector_case_optimum, NULL},
    {"002-08", "DyNN Eq. (11a)", vector_case_objective, NULL},
    {"002-09", "DyNN Eq. (23)", vector_case_saving, NULL},
    {"002-10", "DyNN Eq. (24), (25), (29)", vector_case_urgent_cost, NULL},
    {"003-rate", "JOPA Eq. (5), (6), tau, q, delta", vector_case_lte_m_rate, NULL},
    {"003-fit", "JOPA Eq. (1)/(29)", vector_case_accuracy_fit, NULL},
    {"003-local", "JOPA Eq. (2), (12)", vector_case_gateway_batch, NULL},
    {"003-edge", "JOPA Eq. (3)", vector_case_edge_share, NULL},
    {"003-queue", "JOPA Eq. (7)-(11)", vector_case_priority_wait, NULL},
    {"003-qos", "JOPA Eq. (17a), (17b)", vector_case_requirements, NULL},
    {"003-gateway", "JOPA Eq. (12)-(16), (21), (22)", vector_case_gateway_slot, NULL},
    {"003-markov", "JOPA Eq. (28)", vector_case_markov, NULL},
    {"004-local", "CPDRL Eq. (1), (2)", vector_case_local_task, NULL},
    {"004-tx", "CPDRL Eq. (3)-(6)", vector_case_uplink, NULL},
    {"004-tem", "CPDRL Eq. (8)-(10), exhaustive method", vector_case_exhaustive, flat_optimum},
    {"004-reward", "CPDRL Eq. (17)", vector_case_consistency_reward, NULL},
    {"004-ste", "CPDRL Eq. (15), (16)", vector_case_straight_through, NULL},
    {"004-consloss", "CPDRL Eq. (19)", vector_case_inconsistency, NULL},
    {NULL, NULL, NULL, NULL},
};

const struct vector_case *vector_case_find(const char *name) {
    for (const struct vector_case *entry = vector_cases; entry->name != NULL; entry++)
        if (strcmp(entry->name, name) == 0)
            return entry;
    return NULL;
}

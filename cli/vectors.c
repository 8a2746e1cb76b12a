/* vectors: the one table from the case of a vector to the function that computes it. */
#include "cli/vectors.h"

#include <string.h>

#include "cli/vectors_cases.h"

const struct vector_case vector_cases[] = {
    {"000-01", "IPOR Eq. (1), (7)", vector_case_local_training},
    {"000-02", "IPOR Eq. (2), (3), (8)", vector_case_ofdma_upload},
    {"000-03", "IPOR Eq. (4), (9)", vector_case_shared_download},
    {"000-04", "IPOR Eq. (5), (6)", vector_case_chain_delay},
    {"000-06", "IPOR slope of the information plane", vector_case_knowledge_slope},
    {"000-07", "IPOR Eq. (13)-(16), (18)", vector_case_knowledge_reward},
    {"000-10", "IPOR C2, split of sub-channels", vector_case_subchannel_split},
    {"001-local", "UCMS Eq. (3), (4)", vector_case_device_compute},
    {"001-offload", "UCMS Eq. (6)-(10)", vector_case_device_offload},
    {"001-queue", "UCMS Eq. (9)", vector_case_server_queue},
    {"001-battery", "UCMS Eq. (13)", vector_case_battery},
    {"001-action", "UCMS Eq. (22), (23)", vector_case_action},
    {"001-reward", "UCMS Eq. (14), (25), (26)", vector_case_coselection_reward},
    {"001-priority", "UCMS Eq. (27)-(30)", vector_case_replay_priority},
    {"001-coselect", "UCMS Eq. (18), (19), Algorithm 1", vector_case_coselection},
    {"002-01", "DyNN Eq. (1), (5)", vector_case_transfer},
    {"002-02", "DyNN Eq. (2), (4), (6)", vector_case_processing},
    {"002-03", "DyNN Eq. (8)-(10), (30)-(35)", vector_case_inference},
    {"002-06", "DyNN Eq. (19)", vector_case_urgency},
    {"002-07", "DyNN optimum of the weighted delay", vector_case_optimum},
    {"002-08", "DyNN Eq. (11a)", vector_case_objective},
    {"002-09", "DyNN Eq. (23)", vector_case_saving},
    {"002-10", "DyNN Eq. (24), (25), (29)", vector_case_urgent_cost},
    {"003-rate", "JOPA Eq. (5), (6), tau, q, delta", vector_case_lte_m_rate},
    {"003-fit", "JOPA Eq. (1)/(29)", vector_case_accuracy_fit},
    {"003-local", "JOPA Eq. (2), (12)", vector_case_gateway_batch},
    {"003-edge", "JOPA Eq. (3)", vector_case_edge_share},
    {"003-queue", "JOPA Eq. (7)-(11)", vector_case_priority_wait},
    {"003-qos", "JOPA Eq. (17a), (17b)", vector_case_requirements},
    {"003-gateway", "JOPA Eq. (12)-(16), (21), (22)", vector_case_gateway_slot},
    {"003-markov", "JOPA Eq. (28)", vector_case_markov},
    {"004-local", "CPDRL Eq. (1), (2)", vector_case_local_task},
    {"004-tx", "CPDRL Eq. (3)-(6)", vector_case_uplink},
    {"004-reward", "CPDRL Eq. (17)", vector_case_consistency_reward},
    {"004-ste", "CPDRL Eq. (15), (16)", vector_case_straight_through},
    {"004-consloss", "CPDRL Eq. (19)", vector_case_inconsistency},
    {NULL, NULL, NULL},
};

const struct vector_case *vector_case_find(const char *name) {
    for (const struct vector_case *entry = vector_cases; entry->name != NULL; entry++)
        if (strcmp(entry->name, name) == 0)
            return entry;
    return NULL;
}

/* vectors_cases: the functions behind the table of vectors.c, by paper. Each reads its inputs, returns early
 * when one of them was refused, and gives every output that the published files name. */
#ifndef TIERBED_CLI_VECTORS_CASES_H
#define TIERBED_CLI_VECTORS_CASES_H

#include "cli/vectors.h"

/* IPOR (vectors_ipor.c) */
void vector_case_local_training(struct vector_reader *in, json_t *out);
void vector_case_ofdma_upload(struct vector_reader *in, json_t *out);
void vector_case_shared_download(struct vector_reader *in, json_t *out);
void vector_case_chain_delay(struct vector_reader *in, json_t *out);
void vector_case_knowledge_slope(struct vector_reader *in, json_t *out);
void vector_case_knowledge_reward(struct vector_reader *in, json_t *out);
void vector_case_subchannel_split(struct vector_reader *in, json_t *out);

/* UCMS (vectors_ucms.c) */
void vector_case_device_compute(struct vector_reader *in, json_t *out);
void vector_case_device_offload(struct vector_reader *in, json_t *out);
void vector_case_server_queue(struct vector_reader *in, json_t *out);
void vector_case_battery(struct vector_reader *in, json_t *out);
void vector_case_action(struct vector_reader *in, json_t *out);
void vector_case_coselection_reward(struct vector_reader *in, json_t *out);
void vector_case_replay_priority(struct vector_reader *in, json_t *out);
void vector_case_coselection(struct vector_reader *in, json_t *out);

/* DyNN (vectors_dynn.c) */
void vector_case_transfer(struct vector_reader *in, json_t *out);
void vector_case_processing(struct vector_reader *in, json_t *out);
void vector_case_inference(struct vector_reader *in, json_t *out);
void vector_case_urgency(struct vector_reader *in, json_t *out);
void vector_case_optimum(struct vector_reader *in, json_t *out);
void vector_case_objective(struct vector_reader *in, json_t *out);
void vector_case_saving(struct vector_reader *in, json_t *out);
void vector_case_urgent_cost(struct vector_reader *in, json_t *out);

/* JOPA (vectors_jopa.c) */
void vector_case_lte_m_rate(struct vector_reader *in, json_t *out);
void vector_case_accuracy_fit(struct vector_reader *in, json_t *out);
void vector_case_gateway_batch(struct vector_reader *in, json_t *out);
void vector_case_edge_share(struct vector_reader *in, json_t *out);
void vector_case_priority_wait(struct vector_reader *in, json_t *out);
void vector_case_requirements(struct vector_reader *in, json_t *out);
void vector_case_gateway_slot(struct vector_reader *in, json_t *out);
void vector_case_markov(struct vector_reader *in, json_t *out);

/* CPDRL (vectors_cpdrl.c) */
void vector_case_local_task(struct vector_reader *in, json_t *out);
void vector_case_uplink(struct vector_reader *in, json_t *out);
void vector_case_consistency_reward(struct vector_reader *in, json_t *out);
void vector_case_straight_through(struct vector_reader *in, json_t *out);
void vector_case_inconsistency(struct vector_reader *in, json_t *out);
void vector_case_exhaustive(struct vector_reader *in, json_t *out);

#endif

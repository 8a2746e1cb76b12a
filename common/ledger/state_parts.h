/* state_parts: what the files of ledger_state share; nobody else includes it. */
#ifndef TIERBED_LEDGER_STATE_PARTS_H
#define TIERBED_LEDGER_STATE_PARTS_H

#include "common/ledger/state.h"

/* First byte of each leaf of the state tree, so that none can be taken for another kind. */
enum state_leaf { STATE_LEAF_NONCES = 1, STATE_LEAF_MODEL = 2, STATE_LEAF_EVIDENCE = 3 };

/* Where the model stands, or where it would be inserted. */
uint32_t state_model_place(const struct ledger_state *state, const struct hash *tx_id, bool *found);
/* `model` is copied; its values go over to the state on STATUS_OK. STATUS_MEMORY. */
enum status state_model_insert(struct ledger_state *state, const struct ledger_model *model);
/* Room for a further attestation value in an open model, zero-filled. NULL: no memory. */
int64_t *state_values_new(const struct genesis *genesis);
/* Median rule, age and the bound of accepted models, at the end of `height`. */
void state_models_end(struct ledger_state *state, uint64_t height);

uint32_t state_offence_place(const struct ledger_state *state, const struct hash *key, bool *found);
enum status state_offence_insert(struct ledger_state *state, const struct ledger_offence *offence);
uint64_t state_offences_of(const struct ledger_state *state, uint16_t accused);
void state_offences_end(struct ledger_state *state, uint64_t height);

/* Why `tx` may not stand next at `height`; NULL: it may. `status` says which kind. */
const char *state_objection(const struct ledger_state *state, const struct transaction *tx, uint64_t height,
                            enum status *status);

/* Computes the leaves that changed and the root. */
void state_tree_refresh(struct ledger_state *state);
/* The root from nothing but the content, without anything remembered. */
struct hash state_root_naive(const struct ledger_state *state);

#endif

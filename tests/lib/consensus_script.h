/* consensus_script: one consensus engine under a script of events; every event answers with the trace of what
 * the engine wants done, as text: "prevote 0 A; wait-prevote 0; precommit 0 A".
 *
 * Values are letters ('A' ...), NIL is nil. Validators are digits in a string ("123"). The own votes go back
 * into the engine at once, as its caller would hand them in; the own proposal does not. Signatures are
 * fakes: the engine never looks at them. */
#ifndef TIERBED_TESTS_CONSENSUS_SCRIPT_H
#define TIERBED_TESTS_CONSENSUS_SCRIPT_H

#include "nodes/chain/consensus_state.h"

#define NIL '\0'
#define SCRIPT_HEIGHT 7u
#define SCRIPT_TRACE_BYTES 4096u

struct script {
    struct consensus *engine;
    struct consensus_actions out; /* of the last event */
    char trace[SCRIPT_TRACE_BYTES];
};

struct hash script_value(char letter);
struct vote script_vote(enum vote_type type, uint32_t round, uint16_t from, char letter);

/* The engine of validator `self`; nothing entered. Time-outs: 100 ns + 10 ns a round, at most 150 ns. */
void script_open(struct script *script, uint32_t validators, uint16_t self);
void script_close(struct script *script);

/* For cmocka: each test gets validator 0 of 4, height entered with validator 2 as the first proposer. */
int script_setup(void **state);
int script_teardown(void **state);

/* Each returns script->trace: what this event brought about, "" for nothing. */
const char *script_enter(struct script *script, uint16_t first_proposer);
const char *script_resume(struct script *script, const struct consensus_resume *from);
/* From the proposer of that round. */
const char *script_proposal(struct script *script, uint32_t round, char letter, int32_t valid_round);
const char *script_block(struct script *script, char letter, bool valid);
const char *script_prevotes(struct script *script, uint32_t round, const char *from, char letter);
const char *script_precommits(struct script *script, uint32_t round, const char *from, char letter);
const char *script_timeout(struct script *script, uint32_t round, enum consensus_step step);

/* Asserts that the trace of `event` is `expected`, and prints both when not. */
#define EXPECT(event, expected) assert_string_equal(event, expected)

#endif

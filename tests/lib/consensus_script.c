/* consensus_script.c: events in, a readable trace out. */
#include "tests/lib/consensus_script.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct hash script_value(char letter) {
    struct hash value = {0};
    if (letter != NIL)
        memset(value.bytes, letter, sizeof value.bytes);
    return value;
}

static char letter_of(const struct hash *value) {
    return (char)value->bytes[0];
}

struct vote script_vote(enum vote_type type, uint32_t round, uint16_t from, char letter) {
    struct vote vote = {.type = type,
                        .height = SCRIPT_HEIGHT,
                        .round = round,
                        .validator = from,
                        .block_id = script_value(letter)};
    vote.signature.bytes[0] = (uint8_t)from;
    return vote;
}

void script_open(struct script *script, uint32_t validators, uint16_t self) {
    memset(script, 0, sizeof *script);
    struct consensus_config config = {.validator_count = validators,
                                      .self = self,
                                      .timeout_ns = 100,
                                      .timeout_step_ns = 10,
                                      .timeout_max_ns = 150};
    enum status status = consensus_open(&config, &script->engine);
    assert(status == STATUS_OK);
}

void script_close(struct script *script) {
    consensus_close(script->engine);
}

__attribute__((format(printf, 2, 3))) static void say(struct script *script, const char *format, ...) {
    size_t used = strlen(script->trace);
    va_list arguments;
    va_start(arguments, format);
    if (used > 0)
        used += (size_t)snprintf(script->trace + used, sizeof script->trace - used, "; ");
    int more = vsnprintf(script->trace + used, sizeof script->trace - used, format, arguments);
    va_end(arguments);
    assert(more > 0 && used + (size_t)more < sizeof script->trace);
}

static const char *name_of(const struct hash *value, char text[2]) {
    text[0] = letter_of(value);
    text[1] = '\0';
    return text[0] == NIL ? "nil" : text;
}

static void say_action(struct script *script, const struct consensus_action *action) {
    static const char *const steps[] = {"?", "propose", "prevote", "precommit"};
    char text[2];
    const char *value = name_of(&action->value, text);
    switch (action->kind) {
    case CONSENSUS_DO_PROPOSE:
        if (hash_is_zero(&action->value))
            say(script, "propose %u new", action->round);
        else
            say(script, "propose %u %s of %d", action->round, value, action->valid_round);
        break;
    case CONSENSUS_DO_VOTE:
        say(script, "%s %u %s", action->type == VOTE_PREVOTE ? "prevote" : "precommit", action->round, value);
        break;
    case CONSENSUS_DO_TIMEOUT:
        say(script, "wait-%s %u", steps[action->step], action->round);
        break;
    case CONSENSUS_DO_NEED_VALUE:
        say(script, "need %u %s", action->round, value);
        break;
    case CONSENSUS_DO_COMMIT:
        say(script, "commit %u %s", action->round, value);
        break;
    case CONSENSUS_DO_EVIDENCE:
        say(script, "evidence against %u", evidence_accused(&action->evidence));
        break;
    case CONSENSUS_DO_ROUND:
        say(script, "round %u", action->round);
        break;
    }
}

static void begin(struct script *script) {
    script->out.count = 0;
    script->trace[0] = '\0';
}

/* Carries the actions out as far as a script does, and those that follow from the own votes. */
static const char *finish(struct script *script) {
    for (uint32_t i = 0; i < script->out.count; i++) {
        const struct consensus_action *action = &script->out.items[i];
        say_action(script, action);
        if (action->kind != CONSENSUS_DO_VOTE)
            continue;
        struct vote own =
            script_vote(action->type, action->round, script->engine->config.self, letter_of(&action->value));
        consensus_on_vote(script->engine, &own, &script->out);
    }
    return script->trace;
}

const char *script_enter(struct script *script, uint16_t first_proposer) {
    begin(script);
    consensus_enter_height(script->engine, SCRIPT_HEIGHT, first_proposer, 0, &script->out);
    return finish(script);
}

const char *script_resume(struct script *script, const struct consensus_resume *from) {
    begin(script);
    consensus_resume(script->engine, from, &script->out);
    return finish(script);
}

const char *script_proposal(struct script *script, uint32_t round, char letter, int32_t valid_round) {
    struct proposal proposal = {.height = SCRIPT_HEIGHT,
                                .round = round,
                                .valid_round = valid_round,
                                .proposer = consensus_proposer(script->engine, round),
                                .block_id = script_value(letter)};
    begin(script);
    consensus_on_proposal(script->engine, &proposal, &script->out);
    return finish(script);
}

const char *script_block(struct script *script, char letter, bool valid) {
    struct hash value = script_value(letter);
    begin(script);
    consensus_on_value(script->engine, &value, valid, &script->out);
    return finish(script);
}

static const char *votes(struct script *script, enum vote_type type, uint32_t round, const char *from,
                         char letter) {
    begin(script);
    for (; *from; from++) {
        struct vote vote = script_vote(type, round, (uint16_t)(*from - '0'), letter);
        consensus_on_vote(script->engine, &vote, &script->out);
    }
    return finish(script);
}

const char *script_prevotes(struct script *script, uint32_t round, const char *from, char letter) {
    return votes(script, VOTE_PREVOTE, round, from, letter);
}

const char *script_precommits(struct script *script, uint32_t round, const char *from, char letter) {
    return votes(script, VOTE_PRECOMMIT, round, from, letter);
}

const char *script_timeout(struct script *script, uint32_t round, enum consensus_step step) {
    begin(script);
    consensus_on_timeout(script->engine, SCRIPT_HEIGHT, round, step, &script->out);
    return finish(script);
}

int script_setup(void **state) {
    struct script *script = malloc(sizeof *script);
    script_open(script, 4, 0);
    EXPECT(script_enter(script, 2), "round 0; wait-propose 0");
    *state = script;
    return 0;
}

int script_teardown(void **state) {
    script_close(*state);
    free(*state);
    return 0;
}

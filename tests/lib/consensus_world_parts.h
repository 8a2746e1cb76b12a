/* consensus_world_parts: what the files of consensus_world share. */
#ifndef TIERBED_TESTS_CONSENSUS_WORLD_PARTS_H
#define TIERBED_TESTS_CONSENSUS_WORLD_PARTS_H

#include "tests/lib/consensus_world.h"

#define HEIGHT 1u
#define DELTA 10       /* the longest delay after gst */
#define SYNC_EVERY 40  /* between two retransmissions of one validator */
#define PARTED_FOR 250 /* until another partition */
#define TIME_MAX 60000
#define EVENTS_MAX 65536u
#define ROUNDS_LOGGED 64u
#define PREVOTES_MAX 8192u
#define INVALID_FROM 200u /* values from this number on are not valid */

enum happening { HAPPENS_VOTE, HAPPENS_PROPOSAL, HAPPENS_VALUE, HAPPENS_TIMER, HAPPENS_SYNC, HAPPENS_RETURN };

struct happens {
    int64_t at;
    uint64_t order;
    enum happening what;
    uint16_t to;
    uint32_t life; /* a timer of an earlier life is void */
    uint32_t round;
    enum consensus_step step;
    union {
        struct vote vote;
        struct proposal proposal;
        struct hash value;
    } as;
};

struct member {
    struct consensus *engine;
    bool down, decided;
    uint32_t life;
    struct hash decision;
    /* persisted */
    struct consensus_resume durable;
    struct vote polka[WORLD_VALIDATORS_MAX];
    struct vote last_vote;
    struct proposal last_proposal;
    /* for the judge: what it signed, by round; value number + 1, 0: nothing */
    uint32_t proposed[ROUNDS_LOGGED], voted[2][ROUNDS_LOGGED];
};

struct prevote {
    uint32_t round;
    uint16_t from;
    struct hash value;
};

struct consensus_world {
    struct world_config config;
    struct random_stream random;
    struct member members[WORLD_VALIDATORS_MAX];
    struct happens *heap;
    uint32_t count;
    uint64_t order;
    int64_t now, end;
    uint32_t value_count, rounds;
    struct prevote *prevotes; /* ever sent, for the lock rule */
    uint32_t prevote_count;
    enum verdict verdict;
    struct consensus_actions out;
};

static inline struct hash value_of(uint32_t number) {
    struct hash value = {0};
    memcpy(value.bytes, &number, sizeof number);
    return value;
}

static inline uint32_t number_of(const struct hash *value) {
    uint32_t number;
    memcpy(&number, value->bytes, sizeof number);
    return number;
}

static inline bool is_liar(const struct consensus_world *world, uint32_t who) {
    return who >= world->config.validators - world->config.liars;
}

static inline void find(struct consensus_world *world, enum verdict verdict) {
    if (world->verdict == VERDICT_GOOD)
        world->verdict = verdict;
}

static inline int64_t draw(struct consensus_world *world, uint64_t below) {
    return (int64_t)random_below(&world->random, below);
}

static inline struct happens vote_message(const struct vote *vote) {
    return (struct happens){.what = HAPPENS_VOTE, .as.vote = *vote};
}

static inline struct happens proposal_message(const struct proposal *proposal) {
    return (struct happens){.what = HAPPENS_PROPOSAL, .as.proposal = *proposal};
}

static inline struct happens value_message(const struct hash *value) {
    return (struct happens){.what = HAPPENS_VALUE, .as.value = *value};
}

/* consensus_world.c: puts a message on its way. */
void world_send(struct consensus_world *world, uint16_t from, uint16_t to, struct happens message);

/* consensus_world_liars.c */
void world_answer(struct consensus_world *world, uint16_t liar, const struct vote *seen);
void world_lie(struct consensus_world *world, uint16_t liar);
void world_judge_vote(struct consensus_world *world, struct member *member, const struct vote *vote);
void world_judge_decision(struct consensus_world *world, const struct hash *value);

#endif

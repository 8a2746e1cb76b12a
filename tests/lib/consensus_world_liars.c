/* consensus_world_liars.c: those who lie, and the judge who sees everything. */
#include "tests/lib/consensus_world_parts.h"

/* ------------------------------------------------------------------------------------------------- judge */

static void log_prevote(struct consensus_world *world, const struct vote *vote) {
    if (vote->type == VOTE_PREVOTE && world->prevote_count < PREVOTES_MAX)
        world->prevotes[world->prevote_count++] =
            (struct prevote){.round = vote->round, .from = vote->validator, .value = vote->block_id};
}

static bool had_polka(const struct consensus_world *world, uint32_t round, const struct hash *value) {
    uint32_t voters = 0;
    for (uint32_t i = 0; i < world->prevote_count; i++)
        if (world->prevotes[i].round == round && hash_equal(&world->prevotes[i].value, value))
            voters |= 1u << world->prevotes[i].from;
    return (uint32_t)__builtin_popcount(voters) >= quorum_size(world->config.validators);
}

/* I6: after a precommit for v in r, a prevote for w != v in r' > r needs a polka for w in [r, r'). */
static void judge_lock(struct consensus_world *world, const struct member *member, const struct vote *vote) {
    uint32_t number = number_of(&vote->block_id), round = vote->round;
    while (round > 0 && (member->voted[1][round - 1] <= 1 || member->voted[1][round - 1] == number + 1))
        round--;
    if (round == 0)
        return;
    for (uint32_t r = round - 1; r < vote->round; r++)
        if (had_polka(world, r, &vote->block_id))
            return;
    find(world, VERDICT_UNLOCKED);
}

void world_judge_vote(struct consensus_world *world, struct member *member, const struct vote *vote) {
    log_prevote(world, vote);
    if (vote->round >= ROUNDS_LOGGED)
        return;
    uint32_t *signed_here = &member->voted[vote_index(vote->type)][vote->round];
    uint32_t number = number_of(&vote->block_id) + 1;
    if (*signed_here && *signed_here != number)
        find(world, VERDICT_DOUBLE_SIGN);
    *signed_here = number;
    if (vote->type == VOTE_PREVOTE && number > 1)
        judge_lock(world, member, vote);
}

void world_judge_decision(struct consensus_world *world, const struct hash *value) {
    uint32_t number = number_of(value);
    if (number == 0 || number >= INVALID_FROM)
        find(world, VERDICT_INVALID);
    for (uint32_t i = 0; i < world->config.validators; i++)
        if (world->members[i].decided && !hash_equal(&world->members[i].decision, value))
            find(world, VERDICT_FORK);
}

/* ------------------------------------------------------------------------------------------------- liars */

static struct hash any_value(struct consensus_world *world) {
    uint64_t kind = random_below(&world->random, 8);
    if (kind == 0)
        return (struct hash){0};
    if (kind == 1)
        return value_of(INVALID_FROM + (uint32_t)draw(world, 3));
    return value_of(1 + (uint32_t)draw(world, world->value_count + 1u));
}

static void lie_to(struct consensus_world *world, uint16_t liar, uint16_t to, uint32_t round) {
    struct vote vote = {.type = random_chance(&world->random, 0.5) ? VOTE_PREVOTE : VOTE_PRECOMMIT,
                        .height = HEIGHT,
                        .round = round,
                        .validator = liar,
                        .block_id = any_value(world)};
    log_prevote(world, &vote);
    world_send(world, liar, to, vote_message(&vote));
}

/* What a liar does when it sees a vote: it tells the voter that it agrees, and goes on to precommit; others
 * it tells now this, now that. */
void world_answer(struct consensus_world *world, uint16_t liar, const struct vote *seen) {
    uint32_t honest = world->config.silent ? 0 : world->config.validators - world->config.liars;
    for (uint16_t to = 0; to < honest; to++) {
        if (to != seen->validator && random_chance(&world->random, 0.7))
            continue;
        struct vote vote = *seen;
        vote.validator = liar;
        if (to != seen->validator && random_chance(&world->random, 0.3))
            vote.block_id = any_value(world);
        log_prevote(world, &vote);
        world_send(world, liar, to, vote_message(&vote));
        if (random_chance(&world->random, 0.3))
            continue;
        vote.type = VOTE_PRECOMMIT;
        world_send(world, liar, to, vote_message(&vote));
    }
}

/* The proposer's privilege: everyone gets another proposal. */
static void propose_to_each(struct consensus_world *world, uint16_t liar, uint32_t round) {
    for (uint16_t to = 0; to < world->config.validators - world->config.liars; to++) {
        struct proposal proposal = {
            .height = HEIGHT,
            .round = round,
            .valid_round = random_chance(&world->random, 0.7) ? -1 : (int32_t)draw(world, round + 1u) - 1,
            .proposer = liar,
            .block_id = any_value(world)};
        if (hash_is_zero(&proposal.block_id))
            continue;
        world_send(world, liar, to, value_message(&proposal.block_id));
        world_send(world, liar, to, proposal_message(&proposal));
    }
}

void world_lie(struct consensus_world *world, uint16_t liar) {
    if (world->config.silent)
        return;
    uint16_t to = (uint16_t)draw(world, world->config.validators - world->config.liars);
    uint32_t round = consensus_round(world->members[to].engine);
    uint64_t kind = random_below(&world->random, 16);
    lie_to(world, liar, to, kind == 0 ? 1000000 : round + (uint32_t)draw(world, 3) - (round > 0 && kind < 8));
    if (consensus_proposer(world->members[to].engine, round) == liar)
        propose_to_each(world, liar, round);
    if (consensus_proposer(world->members[to].engine, round + 1) == liar)
        propose_to_each(world, liar, round + 1);
}

/* consensus_world.c: events in a heap by (time, order); everything random comes from one stream. */
#include "tests/lib/consensus_world_parts.h"

#include <assert.h>
#include <stdlib.h>

#include "common/ledger/block.h"

/* ------------------------------------------------------------------------------------------------ events */

static bool sooner(const struct happens *a, const struct happens *b) {
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void push(struct consensus_world *world, struct happens event) {
    assert(world->count < EVENTS_MAX);
    event.order = world->order++;
    uint32_t i = world->count++;
    for (; i > 0 && sooner(&event, &world->heap[(i - 1) / 2]); i = (i - 1) / 2)
        world->heap[i] = world->heap[(i - 1) / 2];
    world->heap[i] = event;
}

static struct happens pop(struct consensus_world *world) {
    struct happens first = world->heap[0], last = world->heap[--world->count];
    uint32_t i = 0;
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= world->count)
            break;
        if (child + 1 < world->count && sooner(&world->heap[child + 1], &world->heap[child]))
            child++;
        if (!sooner(&world->heap[child], &last))
            break;
        world->heap[i] = world->heap[child];
        i = child;
    }
    world->heap[i] = last;
    return first;
}

/* Until gst honest validators are in two parts, each time span in others; liars reach everyone. */
static bool is_cut(const struct consensus_world *world, uint16_t from, uint16_t to) {
    if (is_liar(world, from) || is_liar(world, to))
        return false;
    uint64_t parts = random_mix(world->config.seed + (uint64_t)(world->now / PARTED_FOR) * 977);
    return parts & 1 && (parts >> (1 + from) & 1) != (parts >> (1 + to) & 1);
}

/* Puts a message on its way to `to`: lost, late or twice before gst. */
void world_send(struct consensus_world *world, uint16_t from, uint16_t to, struct happens message) {
    bool calm = world->now >= world->config.gst;
    if (!calm && is_cut(world, from, to))
        return;
    if (!calm && random_chance(&world->random, world->config.loss))
        return;
    message.to = to;
    uint32_t copies = !calm && random_chance(&world->random, 0.2) ? 2 : 1;
    for (uint32_t i = 0; i < copies; i++) {
        message.at = world->now + 1 +
                     draw(world, calm                                 ? DELTA
                                 : random_chance(&world->random, 0.2) ? 400
                                                                      : 40);
        push(world, message);
    }
}

static void send_all(struct consensus_world *world, uint16_t from, struct happens message) {
    for (uint16_t to = 0; to < world->config.validators; to++)
        if (to != from && !is_liar(world, to))
            world_send(world, from, to, message);
}

/* ----------------------------------------------------------------------------------- what an engine wants */

static void persist(struct member *member, uint32_t round, uint8_t step) {
    const struct consensus *engine = member->engine;
    struct consensus_resume *durable = &member->durable;
    *durable = (struct consensus_resume){.height = HEIGHT,
                                         .first_proposer = 0,
                                         .round = round,
                                         .step = step,
                                         .locked_round = consensus_locked_round(engine),
                                         .valid_round = consensus_valid_round(engine),
                                         .locked_value = consensus_locked_value(engine),
                                         .valid_value = consensus_valid_value(engine),
                                         .polka = member->polka};
    for (uint16_t i = 0; durable->valid_round >= 0 && i < engine->config.validator_count; i++) {
        const struct vote *vote = consensus_vote_for(engine, (uint32_t)durable->valid_round, VOTE_PREVOTE,
                                                     &durable->valid_value, i);
        if (vote)
            member->polka[durable->polka_count++] = *vote;
    }
}

static void cast(struct consensus_world *world, uint16_t self, const struct consensus_action *action) {
    struct member *member = &world->members[self];
    struct vote vote = {.type = action->type,
                        .height = HEIGHT,
                        .round = action->round,
                        .validator = self,
                        .block_id = action->value};
    persist(member, action->round, (uint8_t)action->type);
    member->last_vote = vote;
    world_judge_vote(world, member, &vote);
    for (uint16_t liar = 0; liar < world->config.validators; liar++)
        if (is_liar(world, liar))
            world_answer(world, liar, &vote);
    send_all(world, self, vote_message(&vote));
    consensus_on_vote(member->engine, &vote, &world->out);
}

static void propose(struct consensus_world *world, uint16_t self, const struct consensus_action *action) {
    struct member *member = &world->members[self];
    bool again = !hash_is_zero(&action->value);
    struct proposal proposal = {.height = HEIGHT,
                                .round = action->round,
                                .valid_round = action->valid_round,
                                .proposer = self,
                                .block_id = again ? action->value : value_of(++world->value_count)};
    persist(member, action->round, VOTE_PROPOSAL);
    member->last_proposal = proposal;
    if (action->round < ROUNDS_LOGGED) {
        if (member->proposed[action->round])
            find(world, VERDICT_DOUBLE_SIGN);
        member->proposed[action->round] = 1;
    }
    send_all(world, self, value_message(&proposal.block_id));
    send_all(world, self, proposal_message(&proposal));
    consensus_on_value(member->engine, &proposal.block_id, true, &world->out);
    consensus_on_proposal(member->engine, &proposal, &world->out);
}

static void commit(struct consensus_world *world, uint16_t self, const struct consensus_action *action) {
    struct member *member = &world->members[self];
    struct certificate certificate;
    struct hash chain = {0};
    if (!consensus_certificate(member->engine, &chain, &certificate) ||
        (uint32_t)__builtin_popcountll(certificate.bitmap) < quorum_size(world->config.validators))
        find(world, VERDICT_CERTIFICATE);
    world_judge_decision(world, &action->value);
    member->decided = true;
    member->decision = action->value;
}

static void carry_out(struct consensus_world *world, uint16_t self) {
    for (uint32_t i = 0; i < world->out.count; i++) {
        const struct consensus_action action = world->out.items[i];
        switch (action.kind) {
        case CONSENSUS_DO_PROPOSE:
            propose(world, self, &action);
            break;
        case CONSENSUS_DO_VOTE:
            cast(world, self, &action);
            break;
        case CONSENSUS_DO_TIMEOUT:
            push(world, (struct happens){.at = world->now + action.delay_ns,
                                         .what = HAPPENS_TIMER,
                                         .to = self,
                                         .life = world->members[self].life,
                                         .round = action.round,
                                         .step = action.step});
            break;
        case CONSENSUS_DO_NEED_VALUE:
            world_send(world, self, self, value_message(&action.value));
            break;
        case CONSENSUS_DO_COMMIT:
            commit(world, self, &action);
            break;
        case CONSENSUS_DO_EVIDENCE:
            if (!is_liar(world, evidence_accused(&action.evidence)))
                find(world, VERDICT_ACCUSED);
            break;
        case CONSENSUS_DO_ROUND:
            world->rounds = action.round > world->rounds ? action.round : world->rounds;
            break;
        }
    }
}

/* ----------------------------------------------------------------------------------------- retransmission */

static void send_missing(struct consensus_world *world, uint16_t self, uint16_t to, uint32_t round) {
    const struct member *from = &world->members[self];
    const struct consensus *peer = world->members[to].engine;
    for (uint32_t type = VOTE_PREVOTE; type <= VOTE_PRECOMMIT; type++) {
        uint64_t missing = consensus_voted(from->engine, round, type) & ~consensus_voted(peer, round, type);
        for (uint32_t i = 0; i < world->config.validators; i++)
            if (missing >> i & 1)
                world_send(world, self, to,
                           vote_message(&consensus_votes(from->engine, round, type)->first[i]));
    }
}

static void send_polka(struct consensus_world *world, uint16_t self, uint16_t to) {
    const struct member *from = &world->members[self];
    struct consensus_polka_wanted wanted;
    if (!consensus_wants_polka(world->members[to].engine, &wanted))
        return;
    for (uint16_t i = 0; i < world->config.validators; i++) {
        const struct vote *vote =
            consensus_vote_for(from->engine, wanted.round, VOTE_PREVOTE, &wanted.value, i);
        if (vote && !(wanted.held >> i & 1))
            world_send(world, self, to, vote_message(vote));
    }
}

/* As if `to` had just told its STATUS. A validator that has decided hands over its decision. */
static void help(struct consensus_world *world, uint16_t self, uint16_t to) {
    struct member *from = &world->members[self], *peer = &world->members[to];
    if (peer->down || peer->decided)
        return;
    if (from->decided && world->now >= world->config.gst) {
        world_judge_decision(world, &from->decision);
        peer->decided = true;
        peer->decision = from->decision;
        return;
    }
    uint32_t round = consensus_round(peer->engine);
    if (from->last_vote.type)
        world_send(world, self, to, vote_message(&from->last_vote));
    send_missing(world, self, to, round);
    send_polka(world, self, to);
    const struct proposal *proposal = consensus_proposal(from->engine, round);
    if (proposal && !consensus_proposal(peer->engine, round))
        world_send(world, self, to, proposal_message(proposal));
    if (proposal && consensus_validity(from->engine, &proposal->block_id) == VALUE_VALID)
        world_send(world, self, to, value_message(&proposal->block_id));
}

static void sync(struct consensus_world *world, uint16_t self) {
    struct member *member = &world->members[self];
    push(world, (struct happens){.at = world->now + SYNC_EVERY, .what = HAPPENS_SYNC, .to = self});
    if (is_liar(world, self)) {
        for (int i = 0; i < 4; i++)
            world_lie(world, self);
        return;
    }
    if (member->down)
        return;
    if (!member->decided && world->now < world->config.gst &&
        random_chance(&world->random, world->config.crashes)) {
        member->down = true;
        member->life++;
        push(world,
             (struct happens){.at = world->now + 1 + draw(world, 200), .what = HAPPENS_RETURN, .to = self});
        return;
    }
    for (uint16_t to = 0; to < world->config.validators; to++)
        if (to != self && !is_liar(world, to))
            help(world, self, to);
}

/* -------------------------------------------------------------------------------------------------- runs */

static void come_back(struct consensus_world *world, uint16_t self) {
    struct member *member = &world->members[self];
    member->down = false;
    consensus_resume(member->engine, &member->durable, &world->out);
    if (member->durable.valid_round >= 0)
        consensus_on_value(member->engine, &member->durable.valid_value, true, &world->out);
    if (member->durable.step == VOTE_PROPOSAL) {
        consensus_on_value(member->engine, &member->last_proposal.block_id, true, &world->out);
        consensus_on_proposal(member->engine, &member->last_proposal, &world->out);
    } else if (member->durable.step != 0) {
        consensus_on_vote(member->engine, &member->last_vote, &world->out);
    }
    carry_out(world, self);
}

static void happen(struct consensus_world *world, const struct happens *event) {
    struct member *member = &world->members[event->to];
    world->out.count = 0;
    if (event->what == HAPPENS_SYNC) {
        sync(world, event->to);
        return;
    }
    if (event->what == HAPPENS_RETURN) {
        come_back(world, event->to);
        return;
    }
    if (member->down || member->decided || (event->what == HAPPENS_TIMER && event->life != member->life))
        return;
    if (event->what == HAPPENS_VOTE) {
        consensus_on_vote(member->engine, &event->as.vote, &world->out);
    } else if (event->what == HAPPENS_PROPOSAL) {
        consensus_on_proposal(member->engine, &event->as.proposal, &world->out);
    } else if (event->what == HAPPENS_VALUE) {
        consensus_on_value(member->engine, &event->as.value, number_of(&event->as.value) < INVALID_FROM,
                           &world->out);
    } else {
        consensus_on_timeout(member->engine, HEIGHT, event->round, event->step, &world->out);
    }
    carry_out(world, event->to);
}

static bool all_decided(const struct consensus_world *world) {
    for (uint32_t i = 0; i < world->config.validators - world->config.liars; i++)
        if (!world->members[i].decided)
            return false;
    return true;
}

static void reset_member(struct member *member) {
    struct consensus *engine = member->engine;
    *member = (struct member){.engine = engine,
                              .durable = {.height = HEIGHT, .locked_round = -1, .valid_round = -1}};
}

enum verdict consensus_world_run(struct consensus_world *world, const struct world_config *config) {
    world->config = *config;
    random_init(&world->random, config->seed, 0, RANDOM_TEST);
    world->count = world->prevote_count = world->value_count = world->rounds = 0;
    world->order = 0;
    world->now = 0;
    world->verdict = VERDICT_GOOD;
    for (uint16_t i = 0; i < config->validators; i++) {
        reset_member(&world->members[i]);
        push(world, (struct happens){.at = 1 + draw(world, SYNC_EVERY), .what = HAPPENS_SYNC, .to = i});
        if (is_liar(world, i))
            continue;
        world->out.count = 0;
        consensus_enter_height(world->members[i].engine, HEIGHT, 0, 0, &world->out);
        carry_out(world, i);
    }
    while (!all_decided(world) && world->now < TIME_MAX && world->verdict == VERDICT_GOOD) {
        struct happens event = pop(world);
        world->now = event.at;
        happen(world, &event);
    }
    world->end = world->now;
    if (!all_decided(world))
        find(world, VERDICT_STUCK);
    return world->verdict;
}

struct consensus_world *consensus_world_open(uint32_t validators) {
    assert(validators <= WORLD_VALIDATORS_MAX);
    struct consensus_world *world = calloc(1, sizeof *world);
    assert(world);
    world->heap = malloc(EVENTS_MAX * sizeof *world->heap);
    world->prevotes = malloc(PREVOTES_MAX * sizeof *world->prevotes);
    assert(world->heap && world->prevotes);
    world->config.validators = validators;
    for (uint16_t i = 0; i < validators; i++) {
        struct consensus_config config = {.validator_count = validators,
                                          .self = i,
                                          .timeout_ns = 60,
                                          .timeout_step_ns = 10,
                                          .timeout_max_ns = 200};
        enum status status = consensus_open(&config, &world->members[i].engine);
        assert(status == STATUS_OK);
    }
    return world;
}

void consensus_world_close(struct consensus_world *world) {
    for (uint32_t i = 0; i < WORLD_VALIDATORS_MAX; i++)
        consensus_close(world->members[i].engine);
    free(world->heap);
    free(world->prevotes);
    free(world);
}

uint32_t consensus_world_rounds(const struct consensus_world *world) {
    return world->rounds;
}

int64_t consensus_world_end(const struct consensus_world *world) {
    return world->end;
}

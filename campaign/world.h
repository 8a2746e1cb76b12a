/* world: a few validators, their disks, a client and a network in virtual time, all from one seed.
 *
 * Every validator is driven through its node_class alone, as a host would drive it, with env->ledger opened
 * on a disk in memory. A member is one running instance; twins are two members of one node that share its key
 * but not its disk. What the outbox asks is carried out after the handler has returned; a member whose
 * handler or store fails is dead until it is started again. Nothing here judges: watchers (oracle.h) are told
 * of what happens. */
#ifndef TIERBED_CAMPAIGN_WORLD_H
#define TIERBED_CAMPAIGN_WORLD_H

#include <stdio.h>

#include "campaign/network.h"
#include "campaign/setting.h"
#include "campaign/signed_set.h"
#include "common/ledger/disk.h"
#include "common/ledger/store.h"
#include "common/time/event_queue.h"
#include "nodes/node.h"
#include "nodes/outbox.h"

#define WORLD_NONE UINT32_MAX
#define WORLD_EVENTS_MAX 2000000u /* a seed that needs more has run away */

struct world;
struct member;
struct byzantine; /* byzantine.h */

enum member_mode { MEMBER_ABSENT = 0, MEMBER_UP, MEMBER_DOWN, MEMBER_HUNG };

struct member {
    struct world *world;  /* borrowed: whose it is */
    uint32_t index, node; /* node: id, also the index of the validator */
    bool twin;            /* the second of its node */
    enum member_mode mode;
    uint32_t incarnation;
    int64_t hung_until_ns, disk_delay_ns; /* disk_delay_ns: what a durable write takes */
    struct ledger_disk *disk, *old_disk;  /* owned; old_disk: a copy taken earlier */
    struct ledger_store *store;           /* owned; NULL while down */
    struct node_env env;
    void *state; /* owned; NULL while down */
    struct outbox out;
    struct byzantine *byzantine; /* owned; NULL: honest */
    /* crash points, armed by faults */
    char crash_point[24]; /* "" none; dies at the crash_skip-th passage from now */
    uint32_t crash_skip;
    bool crash_armed_sends; /* dies after sends_left further sends */
    uint32_t sends_left;
    bool died_inside; /* of a crash point: what its handler said is no failure of its own */
    bool started;     /* has run before: comes back by on_restart */
    bool restart_posted, keep_down;
    struct error why;      /* it stopped */
    uint64_t height;       /* of its store, as last seen */
    uint64_t round_height; /* where it is, by what it signed */
    uint32_t round;
    bool persisted;        /* since its last handler began */
    bool votes_due;        /* a signature was made durable that nobody was told of */
    int64_t send_delay_ns; /* of what it sends now */
    uint32_t stops, restarts, sends;
};

/* Told of everything; any may be NULL. */
struct world_watch {
    void *context;
    void (*on_persist)(void *context, struct member *member); /* votes.db has a new signature */
    void (*on_send)(void *context, struct member *member, uint32_t to, uint16_t type, const uint8_t *payload,
                    size_t bytes);
    void (*on_deliver)(void *context, struct member *member, uint16_t type, const uint8_t *payload,
                       size_t bytes);
    void (*on_handled)(void *context, struct member *member); /* a handler returned STATUS_OK; sends follow */
    void (*on_start)(void *context, struct member *member);   /* store open, before the first handler */
    void (*on_step)(void *context, uint32_t step);            /* a posted step of the plan is due */
    void (*on_client)(void *context, uint32_t from_node, uint16_t type, const uint8_t *payload, size_t bytes);
};

struct world_config {
    uint64_t seed;
    uint32_t validators;
    uint32_t twins; /* how many validators have a second instance: the first so many of twin_of */
    uint32_t twin_of[VALIDATORS_MAX];
    const struct node_class *class; /* of a validator */
    struct setting_config setting;
    FILE *trace; /* NULL: none */
};

enum world_event_kind { WORLD_DELIVER = 1, WORLD_TIMER, WORLD_RESTART, WORLD_RESUME, WORLD_STEP };

struct world_event {
    enum world_event_kind kind;
    uint32_t member, from_node, incarnation, next_free;
    uint16_t type;
    uint32_t timer;
    uint64_t cookie;
    int64_t sent_ns;
    uint8_t *payload; /* owned */
    uint32_t bytes, capacity;
};

struct world_past {
    uint16_t type;
    uint32_t from_node, bytes;
    uint8_t *payload; /* owned */
};

struct world {
    struct world_config config;
    struct setting setting;
    struct network network;
    struct member members[NETWORK_MEMBERS_MAX];
    uint32_t member_count, client; /* client: the member that stands for edge servers, the last */
    int64_t now_ns;
    struct event_queue queue;
    uint32_t sequence;
    struct world_event *events;
    uint32_t event_count, event_capacity, event_free;
    uint64_t handled;
    struct world_past past[NETWORK_PAST_MAX];
    uint32_t past_next;
    struct random_stream random; /* of restarts and damage */
    struct world_watch watch;
    struct signed_set signatures; /* all of them, ever */
    uint64_t digest;              /* of everything that happened, in order */
    uint64_t refused;             /* messages that a validator refused (STATUS_INVALID) */
    /* faults of the world as a whole */
    bool restart_stopped; /* a member that died comes back by itself */
    int64_t restart_least_ns, restart_most_ns;
};

enum status world_open(struct world *world, const struct world_config *config, struct error *error);
void world_close(struct world *world);

/* Opens disks and starts every validator. */
enum status world_start(struct world *world, struct error *error);
/* Runs up to and including `until_ns`. STATUS_LIMIT: more than WORLD_EVENTS_MAX events. */
enum status world_advance(struct world *world, int64_t until_ns);
/* watch.on_step(step) at `at_ns`. */
void world_post_step(struct world *world, int64_t at_ns, uint32_t step);

/* Sends from a member that is no validator (the client), or for a validator by its Byzantine behaviour. */
void world_say(struct world *world, struct member *from, uint32_t to_node, uint16_t type,
               const uint8_t *payload, size_t bytes);

/* Faults. */
void world_kill(struct world *world, struct member *member);
void world_restart(struct world *world, struct member *member); /* now; nothing when up */
void world_hang(struct world *world, struct member *member, int64_t until_ns);
/* Death by its own: `why` is kept. */
void world_stop(struct world *world, struct member *member, enum status status, const char *why);

/* One line of the trace, and into the digest: format of printf without time and member. */
void world_trace(struct world *world, const struct member *member, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void world_mix(struct world *world, uint64_t value); /* into the digest only */

/* ---- between the files of the world ---- */
uint32_t world_post(struct world *world, int64_t at_ns, const struct world_event *event,
                    const uint8_t *payload, size_t bytes);
void world_carry_out(struct world *world, struct member *member);
/* Tells of the last signature that was made durable, once. */
void world_see_votes(struct world *world, struct member *member);
enum status world_start_member(struct world *world, struct member *member);
void world_deliver(struct world *world, const struct world_event *event);
void world_timer(struct world *world, const struct world_event *event);

#endif

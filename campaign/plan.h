/* plan: what will be done to a world, drawn from the seed before it starts: who lies, how the network is, and
 * a schedule of faults. Scenario kinds (kinds.h) write it, run.c carries it out. */
#ifndef TIERBED_CAMPAIGN_PLAN_H
#define TIERBED_CAMPAIGN_PLAN_H

#include "campaign/network.h"
#include "common/ledger/disk.h"
#include "common/ledger/quorum.h"
#include "common/model/scenario.h"

#define PLAN_STEPS_MAX 512u

enum fault_op {
    FAULT_KILL = 1,    /* comes back by itself */
    FAULT_KILL_KEEP,   /* stays down until FAULT_START */
    FAULT_START,       /* starts it now */
    FAULT_HUNG,        /* value: ns */
    FAULT_LINKS,       /* links */
    FAULT_HEAL_LINKS,  /* all open again */
    FAULT_QUALITY,     /* quality */
    FAULT_CRASH_POINT, /* text: where, value: passages before */
    FAULT_SEND_CRASH,  /* value: sends before */
    FAULT_DISK,        /* disk, value: after */
    FAULT_DISK_COPY,
    FAULT_DISK_RESTORE,
    FAULT_DISK_WIPE,
    FAULT_POWER,      /* kill and lose power; value: seed */
    FAULT_FLIP,       /* text: file, value: bit */
    FAULT_ZERO,       /* text: file, value: offset */
    FAULT_TRUNCATE,   /* text: file, value: 0 .. 1000 thousandths that stay */
    FAULT_UNLINK,     /* text: file */
    FAULT_SKEW,       /* value: ns, signed: how far its clock is ahead */
    FAULT_SLOW_DISK,  /* value: ns */
    FAULT_SLOW_LINKS, /* value: bits of members whose links are clogged to this one */
    FAULT_STALL_BEGIN,
    FAULT_STALL_END, /* since STALL_BEGIN at most one height may have been committed: what was on the way */
    FAULT_FLOOD,     /* value: transactions at once */
    FAULT_OP_COUNT
};

struct fault_step {
    int64_t at_ns;
    enum fault_op op;
    uint32_t member;
    uint64_t value;
    enum ledger_disk_fault disk;
    char text[24];
    struct network_links links;
    struct network_quality quality;
};

enum plan_outcome {
    PLAN_LIVE = 0, /* after the faults everybody commits again */
    PLAN_STALL,    /* more than f have lost their memory: nothing may be committed, nothing may fork */
    PLAN_FORK      /* f + 1 twins: two blocks of one height must be found, and the guilty named */
};

struct fault_plan {
    uint64_t seed;
    uint32_t validators, faults_max; /* N, f */
    uint32_t twins, twin_of[VALIDATORS_MAX];
    uint32_t behaviours[VALIDATORS_MAX]; /* enum byzantine_behaviour; 0: honest */
    struct network_quality quality;      /* from the start */
    struct scenario_chain chain;
    uint32_t first_proposer; /* at height 1; VALIDATORS_MAX: any */
    uint32_t phase_count;
    bool by_class;
    struct network_links phases[NETWORK_PHASES_MAX];
    int64_t fault_ns;        /* the faults end */
    uint32_t heights_after;  /* k of I11 */
    uint32_t heights_before; /* stop the fault phase when this height is reached everywhere; 0: never */
    enum plan_outcome outcome;
    uint64_t forgetful; /* members whose disk may lose what it said was safe: no I7 for them */
    uint64_t faulty;    /* members that do not lie, but whose disk does: they count against f */
    bool restart_stopped;
    int64_t client_interval_ns; /* between transactions */
    bool client_lies;           /* same nonce twice, late, oversized */
    struct fault_step *steps;   /* [PLAN_STEPS_MAX], owned */
    uint32_t step_count;
    struct random_stream random;
};

/* A plan without faults for N validators; times and client are drawn. */
void fault_plan_init(struct fault_plan *plan, uint64_t seed, uint32_t validators);
void fault_plan_close(struct fault_plan *plan);

struct fault_step *fault_plan_add(struct fault_plan *plan, int64_t at_ns, enum fault_op op, uint32_t member);
/* Draws. */
uint32_t plan_below(struct fault_plan *plan, uint32_t bound);
int64_t plan_between_ns(struct fault_plan *plan, int64_t least_ns, int64_t most_ns);
/* A validator that does not lie; `except` bits are left out. */
uint32_t plan_pick(struct fault_plan *plan, uint64_t except);
/* f distinct validators; returns their bits. */
uint64_t plan_pick_faulty(struct fault_plan *plan, uint32_t count);
/* What anybody says reaches only the validators in `ears`; the client and all reach each other. */
struct network_links plan_heard_by(const struct fault_plan *plan, uint64_t ears);
const char *fault_op_name(enum fault_op op);

#endif

/* run_faults: the steps of a plan, carried out. */
#include <stdio.h>

#include "campaign/run_parts.h"

static void keep_down(struct run *run, struct member *member) {
    member->keep_down = true;
    world_kill(&run->world, member);
}

static void start(struct run *run, struct member *member) {
    member->keep_down = false;
    world_restart(&run->world, member);
}

static void arm_crash_point(struct member *member, const struct fault_step *step) {
    snprintf(member->crash_point, sizeof member->crash_point, "%s", step->text);
    member->crash_skip = (uint32_t)step->value;
}

static void copy_disk(struct member *member) {
    ledger_disk_close(member->old_disk);
    member->old_disk = NULL;
    (void)ledger_disk_copy(member->disk, &member->old_disk); /* no copy: nothing to go back to */
}

static void damage_file(struct run *run, struct member *member, const struct fault_step *step) {
    uint64_t size = ledger_disk_size(member->disk, step->text);
    if (size == 0)
        return;
    bool done = false;
    switch (step->op) {
    case FAULT_FLIP:
        done = ledger_disk_flip(member->disk, step->text, step->value % (size * 8));
        break;
    case FAULT_ZERO: {
        uint64_t offset = step->value % size & ~UINT64_C(4095);
        done =
            ledger_disk_zero(member->disk, step->text, offset, size - offset < 4096 ? size - offset : 4096);
        break;
    }
    case FAULT_TRUNCATE:
        done = ledger_disk_truncate(member->disk, step->text, size * step->value / 1000);
        break;
    default:
        done = ledger_disk_unlink(member->disk, step->text);
    }
    world_trace(&run->world, member, "%s of %s: %s", fault_op_name(step->op), step->text,
                done ? "done" : "nothing there");
}

static void slow_links(struct run *run, const struct fault_step *step) {
    for (uint32_t i = 0; i < run->plan.validators; i++) {
        uint32_t bit = 1u << step->member;
        run->world.network.slow[i] &= ~bit;
        if (step->value >> i & 1)
            run->world.network.slow[i] |= bit;
    }
}

static void end_stall(struct run *run) {
    if (run->oracle.tip > run->stall_tip + 1) /* one height may have been decided with what was on the way */
        oracle_violation(&run->oracle, I1_AGREEMENT, run->oracle.tip,
                         "heights were committed without a quorum that can talk");
}

static void step_world(struct run *run, const struct fault_step *step) {
    struct network *network = &run->world.network;
    switch (step->op) {
    case FAULT_LINKS:
        network->links = step->links;
        break;
    case FAULT_HEAL_LINKS:
        network_heal(network);
        break;
    case FAULT_QUALITY:
        network->quality = step->quality;
        break;
    case FAULT_SLOW_LINKS:
        slow_links(run, step);
        break;
    case FAULT_STALL_BEGIN:
        run->stall_tip = run->oracle.tip;
        break;
    case FAULT_STALL_END:
        end_stall(run);
        break;
    case FAULT_FLOOD:
        client_flood(&run->client, (uint32_t)step->value);
        break;
    default:
        break;
    }
}

static void step_member(struct run *run, struct member *member, const struct fault_step *step) {
    switch (step->op) {
    case FAULT_KILL:
        world_kill(&run->world, member);
        break;
    case FAULT_KILL_KEEP:
        keep_down(run, member);
        break;
    case FAULT_START:
        start(run, member);
        break;
    case FAULT_HUNG:
        world_hang(&run->world, member, run->world.now_ns + (int64_t)step->value);
        break;
    case FAULT_CRASH_POINT:
        arm_crash_point(member, step);
        break;
    case FAULT_SEND_CRASH:
        member->crash_armed_sends = member->mode == MEMBER_UP;
        member->sends_left = (uint32_t)step->value;
        break;
    case FAULT_SKEW:
        member->env.clock_offset_ns = (int64_t)step->value;
        break;
    case FAULT_SLOW_DISK:
        member->disk_delay_ns = (int64_t)step->value;
        break;
    default:
        break;
    }
}

static void step_disk(struct run *run, struct member *member, const struct fault_step *step) {
    switch (step->op) {
    case FAULT_DISK:
        ledger_disk_set_fault(member->disk, step->disk, step->value);
        break;
    case FAULT_DISK_COPY:
        copy_disk(member);
        break;
    case FAULT_DISK_RESTORE:
        if (member->old_disk != NULL)
            (void)ledger_disk_restore(member->disk, member->old_disk);
        break;
    case FAULT_DISK_WIPE:
        ledger_disk_wipe(member->disk);
        break;
    case FAULT_POWER:
        world_kill(&run->world, member);
        ledger_disk_lose_power(member->disk, step->value);
        break;
    case FAULT_FLIP:
    case FAULT_ZERO:
    case FAULT_TRUNCATE:
    case FAULT_UNLINK:
        damage_file(run, member, step);
        break;
    default:
        break;
    }
}

void run_step(struct run *run, uint32_t number) {
    if (number == STEP_CLIENT) {
        client_tick(&run->client);
        if (run->plan.client_interval_ns > 0)
            world_post_step(&run->world, run->world.now_ns + run->plan.client_interval_ns, STEP_CLIENT);
        return;
    }
    const struct fault_step *step = &run->plan.steps[number];
    struct member *member = &run->world.members[step->member];
    world_trace(&run->world, member, "fault: %s %s %llu", fault_op_name(step->op), step->text,
                (unsigned long long)step->value);
    step_world(run, step);
    step_member(run, member, step);
    step_disk(run, member, step);
}

void run_heal(struct run *run) {
    struct world *world = &run->world;
    world_trace(world, NULL, "faults end");
    network_heal(&world->network);
    world->network.quality = run->plan.quality;
    world->network.quality.loss = world->network.quality.duplicate = world->network.quality.reorder = 0;
    world->network.quality.corrupt = world->network.quality.truncate = world->network.quality.replay = 0;
    world->restart_stopped = true;
    for (uint32_t i = 0; i < world->client; i++) {
        struct member *member = &world->members[i];
        ledger_disk_set_fault(member->disk, DISK_SOUND, 0);
        member->disk_delay_ns = 0;
        member->crash_point[0] = 0;
        member->crash_armed_sends = false;
        start(run, member);
    }
}

#include "common/record/names.h"

#include <string.h>

#include "common/data/bearing.h"
#include "common/net/identity.h"
#include "common/net/message.h"

#define COUNT_OF(table) (sizeof(table) / sizeof *(table))

static const char *const places[PLACE_COUNT] = {
    [PLACE_NONE] = "none", [PLACE_GATEWAY] = "gateway", [PLACE_EDGE] = "edge", [PLACE_DEVICE] = "device"};

static const char *const drops[DROP_REASON_COUNT] = {[DROP_NONE] = "none",
                                                     [DROP_DEADLINE] = "deadline",
                                                     [DROP_UPLINK_FULL] = "uplink-full",
                                                     [DROP_GATEWAY_FULL] = "gateway-full",
                                                     [DROP_EDGE_FULL] = "edge-full",
                                                     [DROP_UNANSWERED] = "unanswered",
                                                     [DROP_BAD_WINDOW] = "bad-window"};

static const char *const link_kinds[] = {[LINK_IDEAL] = "ideal",
                                         [LINK_WIRED] = "wired",
                                         [LINK_OFDMA] = "ofdma",
                                         [LINK_LTE_M] = "lte-m",
                                         [LINK_OFDMA_SHARE] = "ofdma-share",
                                         [LINK_TRACE] = "trace"};

static const char *const fault_kinds[] = {[FAULT_CRASH] = "crash",
                                          [FAULT_RESTART] = "restart",
                                          [FAULT_HANG] = "hang",
                                          [FAULT_PARTITION] = "partition",
                                          [FAULT_LOSS] = "loss",
                                          [FAULT_CORRUPT] = "corrupt",
                                          [FAULT_DUPLICATE] = "duplicate",
                                          [FAULT_REORDER] = "reorder",
                                          [FAULT_RATE] = "rate",
                                          [FAULT_DISK_FULL] = "disk-full",
                                          [FAULT_LEDGER_CORRUPT] = "ledger-corrupt",
                                          [FAULT_LEDGER_ROLLBACK] = "ledger-rollback",
                                          [FAULT_LEDGER_WIPE] = "ledger-wipe",
                                          [FAULT_LEDGER_UNLINK] = "ledger-unlink",
                                          [FAULT_CLOCK] = "clock"};

static const char *const policies[] = {[POLICY_LOCAL] = "local",
                                       [POLICY_OFFLOAD] = "offload",
                                       [POLICY_RANDOM] = "random",
                                       [POLICY_GREEDY] = "greedy"};

static const char *const joins[JOIN_VERDICT_COUNT] = {
    [JOIN_ADMITTED] = "admitted",         [JOIN_ABSENT] = "absent",         [JOIN_MALFORMED] = "malformed",
    [JOIN_FOREIGN] = "foreign authority", [JOIN_WRONG_NAME] = "wrong name", [JOIN_WRONG_ROLE] = "wrong role",
    [JOIN_UNPROVEN] = "unproven"};

static const char *pick(const char *const *table, size_t count, unsigned index) {
    return index < count ? table[index] : "unknown";
}

static int find(const char *const *table, size_t count, const char *name) {
    for (size_t i = 0; name != NULL && i < count; i++)
        if (strcmp(table[i], name) == 0)
            return (int)i;
    return -1;
}

const char *name_of_place(uint8_t place) {
    return pick(places, COUNT_OF(places), place);
}

const char *name_of_drop(uint8_t drop) {
    return pick(drops, COUNT_OF(drops), drop);
}

const char *name_of_class(uint8_t class) {
    return class < BEARING_CLASS_COUNT ? bearing_class_name((enum bearing_class) class) : "unknown";
}

const char *name_of_link_kind(enum link_kind kind) {
    return pick(link_kinds, COUNT_OF(link_kinds), kind);
}

const char *name_of_fault_kind(enum fault_kind kind) {
    return pick(fault_kinds, COUNT_OF(fault_kinds), kind);
}

const char *name_of_policy(enum policy_kind kind) {
    return pick(policies, COUNT_OF(policies), kind);
}

const char *name_of_join(uint8_t verdict) {
    return pick(joins, COUNT_OF(joins), verdict);
}

int place_by_name(const char *name) {
    return find(places, COUNT_OF(places), name);
}

int drop_by_name(const char *name) {
    return find(drops, COUNT_OF(drops), name);
}

int class_by_name(const char *name) {
    for (unsigned class = 0; name != NULL && class < BEARING_CLASS_COUNT; class ++)
        if (strcmp(bearing_class_name((enum bearing_class) class), name) == 0)
            return (int)class;
    return -1;
}

#include "schemes/cpdrl/options.h"

#include <stddef.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define MEMBER(member)                                                                                       \
    .offset = offsetof(struct cpdrl_options, member), .size = sizeof(((struct cpdrl_options *)0)->member)

static const char *const arm_names[] = {
    "cpdrl",           "ddpg", "ste-ddpg", "aste-ddpg", "plus",   "tem", "local-optimum",
    "offload-optimum", "rom",  "fom",      "lem",       "search", NULL};
static const char *const arm_docs[] = {
    "the published agent",
    "DDPG with a soft decision, no masks, bonus or penalty",
    "DDPG with a straight-through decision",
    "as `ste-ddpg`, and what is not used is masked",
    "an agent with one critic for all devices, which searches the decision on it",
    "the exact optimum, by enumeration",
    "all compute themselves, with the best clock",
    "all offload, with the best band and power",
    "random decisions and resources",
    "all offload, random band and power",
    "all compute themselves, random clock",
    "the best of as many random decisions as there are training slots",
    NULL};
_Static_assert(sizeof arm_docs == sizeof arm_names, "every arm is described");
static const char *const ablation_names[] = {"full",
                                             "no-search",
                                             "no-logarithms",
                                             "no-log-inputs",
                                             "no-log-outputs",
                                             "no-linear-path",
                                             "constant-exploration",
                                             "no-exploration",
                                             "slow",
                                             "one-update",
                                             NULL};
static const char *const ablation_docs[] = {
    "nothing",
    "each device compares its own predicted costs, as if all others offloaded",
    "inputs and outputs of the networks as they are, brought to mean 0 and spread 1",
    "the same for inputs only",
    "the same for outputs only",
    "hidden layers only in the predictors",
    "noise and flips stay as they begin",
    "none after the first 100 slots",
    "learning rates of 1e-4",
    "one update of the predictors in a slot instead of four",
    NULL};
_Static_assert(sizeof ablation_docs == sizeof ablation_names, "every ablation is described");
static const char *const profile_names[] = {"calibrated", "paper", NULL};
static const char *const profile_docs[] = {
    "constraints cost only where they are broken, the band in shares of it",
    "as printed: constraints count both ways, the band in Hz, b_raw thrice in Eq. (16)", NULL};

/* clang-format off */
static const struct schema_field rows[] = {
    {.key = "arm", .type = SCHEMA_ENUM, MEMBER(arm), .names = arm_names, .name_docs = arm_docs, .fallback = "cpdrl",
     .doc = "Who decides."},
    {.key = "profile", .type = SCHEMA_ENUM, MEMBER(profile), .names = profile_names, .name_docs = profile_docs,
     .fallback = "calibrated", .doc = "How Eq. (16) and (17) are read."},
    {.key = "ablation", .type = SCHEMA_ENUM, MEMBER(ablation), .names = ablation_names, .name_docs = ablation_docs,
     .fallback = "full", .doc = "What is taken away from the agent; `plus` only."},
    {.key = "actor_rate", .type = SCHEMA_NUMBER, MEMBER(actor_rate), .maximum = 1, .fallback = "1e-4",
     .doc = "Learning rate of the actor."},
    {.key = "critic_rate", .type = SCHEMA_NUMBER, MEMBER(critic_rate), .maximum = 1, .fallback = "1e-4",
     .doc = "Learning rate of the critic."},
    {.key = "discount", .type = SCHEMA_NUMBER, MEMBER(discount), .maximum = 1, .fallback = "0.85",
     .doc = "Discount factor, gamma."},
    {.key = "soft_update", .type = SCHEMA_NUMBER, MEMBER(soft_update), .maximum = 1, .fallback = "0.005",
     .doc = "Soft update coefficient, eta of Eq. (13) and (14)."},
    {.key = "noise", .type = SCHEMA_NUMBER, MEMBER(noise), .maximum = 10, .fallback = "1",
     .doc = "Standard deviation of the exploration noise on outputs in [-1, 1]."},
    {.key = "noise_end", .type = SCHEMA_NUMBER, MEMBER(noise_end), .maximum = 10, .fallback = "1",
     .doc = "What it falls to, linearly over the training slots."},
    {.key = "batch", .type = SCHEMA_COUNT, MEMBER(batch), .minimum = 1, .maximum = 65536, .fallback = "64",
     .doc = "Transitions of one update."},
    {.key = "replay", .type = SCHEMA_COUNT, MEMBER(replay), .minimum = 2, .maximum = 10000000, .fallback = "100000",
     .doc = "Transitions that are remembered."},
    {.key = "episode", .type = SCHEMA_COUNT, MEMBER(episode_slots), .minimum = 1, .maximum = 10000000, .fallback = "40",
     .doc = "Slots of an episode: the state starts at zero in each."},
    {.key = "steepness", .type = SCHEMA_NUMBER, MEMBER(steepness), .flags = SCHEMA_ABOVE, .maximum = 1000, .fallback = "10",
     .doc = "Steepness of the decision, beta of Eq. (15)."},
    {.key = "penalty", .type = SCHEMA_NUMBER, MEMBER(penalty), .maximum = 1e6, .fallback = "1",
     .doc = "Weight of the consistency loss, lambda_c of Eq. (18); `cpdrl` only."},
    {.key = "output_range", .type = SCHEMA_NUMBER, MEMBER(output_range), .flags = SCHEMA_ABOVE, .maximum = 10,
     .fallback = "0.25", .doc = "First weights of the last layers are uniform between plus and minus this."},
};
/* clang-format on */

const struct schema cpdrl_options_schema = {.fields = rows, .count = LENGTH(rows), .item = NULL};

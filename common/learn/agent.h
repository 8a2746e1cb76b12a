/* agent: the one interface of everything that learns to act, or acts by rule.
 *
 * An agent is pure: it has no clock, no file, no network; all it knows comes through act, observe and load.
 * Same seed, id, configuration and calls: same bits. A class is one table of functions (struct agent_class)
 * over a struct of its own that begins with `struct agent`. To add one: a file common/learn/<name>.c with its
 * table, a row in agent_table.c. The functions agent_* below go through the table and check what is common to
 * all.
 *
 * The driver's loop is: act, carry the action out, observe the transition, learn; learn does what is due and
 * says so (nothing, most of the time). Several actions may be under way before their transitions come, but
 * transitions come in the order of their actions. */
#ifndef TIERBED_LEARN_AGENT_H
#define TIERBED_LEARN_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/base/random.h"
#include "common/learn/real.h"

#define AGENT_HEADS_MAX 64
#define AGENT_NAME_MAX 32
#define AGENT_LAYERS_MAX 4

/* What an agent sees and does. An action is any mix of choices (one per head) and of numbers in [-1, 1]. A
 * class that trains several actors in one agent (MADDPG) takes their observations and actions one after the
 * other, evenly. */
struct agent_space {
    uint32_t observation_size;
    uint32_t discrete_count;                  /* heads, <= AGENT_HEADS_MAX */
    uint32_t discrete_sizes[AGENT_HEADS_MAX]; /* choices per head, >= 2 */
    uint32_t continuous_count;
    uint32_t actor_count; /* rewards per transition; 0 counts as 1 */
};

/* Memory of the caller: discrete [discrete_count], continuous [continuous_count]. `continuous` is what the
 * agent chose, which may lie beyond [-1, 1] (PPO); whoever carries it out uses agent_clip, and hands the
 * unclipped action back in the transition. */
struct agent_action {
    uint32_t *discrete;
    real *continuous;
    real log_probability; /* of the whole action when it was chosen; 0 for classes without one */
};

/* All borrowed, for the call only. `terminated`: the task ended, nothing follows. `truncated`: cut off by
 * time; the value of next_observation still counts. When both hold, terminated wins. */
struct agent_transition {
    const real *observation; /* [observation_size] */
    const real
        *next_observation; /* [observation_size]; of a cut-off episode its last, not the next one's first */
    struct agent_action action;
    const real *reward; /* [actor_count] */
    bool terminated, truncated;
};

enum agent_mode {
    AGENT_EXPLORE = 0, /* for training: draws from RANDOM_EXPLORE */
    AGENT_SAMPLE, /* evaluation of the stochastic policy: draws from RANDOM_EVALUATE, no exploration noise */
    AGENT_GREEDY  /* evaluation of the deterministic policy: no draws, ties to the lowest index */
};

/* What the last call of agent_learn did. Means over its updates; 0 where a class has none of it. */
struct agent_report {
    uint32_t update_count; /* gradient steps, or table entries changed; 0: nothing was due, the rest is 0 */
    double policy_loss, value_loss;
    double entropy;       /* nat */
    double kl;            /* approximate, old policy to new, nat */
    double clip_fraction; /* of ratios that were clipped */
    double gradient_norm; /* before clipping */
    double temperature;   /* SAC's alpha, exploration rate epsilon, noise scale: what drives exploration */
    double staleness;     /* versions between pulling parameters and pushing a gradient */
};

/* One setting of a class's configuration struct, so that files and command lines can set it by name. */
enum agent_option_kind {
    AGENT_OPTION_NUMBER, /* double */
    AGENT_OPTION_COUNT,  /* uint32_t */
    AGENT_OPTION_FLAG,   /* bool, 0 or 1 */
    AGENT_OPTION_LAYERS  /* struct agent_layers: sizes of hidden layers */
};
struct agent_layers {
    uint32_t count, sizes[AGENT_LAYERS_MAX];
};
struct agent_option {
    const char *name;
    enum agent_option_kind kind;
    size_t offset; /* into the configuration struct */
    double min, max;
    const char *text; /* what it is, its unit; one line */
};

struct agent_class;

/* First member of every agent's struct. */
struct agent {
    const struct agent_class *class;
    struct agent_space space;
    uint64_t seed; /* with id: the key of all its streams, random_init(stream, seed, id, RANDOM_...) */
    uint64_t id;
};

struct agent_class {
    const char *name, *text;
    size_t agent_bytes, config_bytes;
    const struct agent_option *options; /* [option_count] */
    size_t option_count;
    void (*defaults)(void *config);
    /* STATUS_INVALID with a sentence: this class cannot act in such a space, or settings contradict each
     * other. `agent` is zeroed but for its first member. close follows a failure too. */
    enum status (*open)(struct agent *agent, const void *config, struct error *error);
    void (*close)(struct agent *agent);
    void (*act)(struct agent *agent, const real *observation, enum agent_mode mode,
                struct agent_action *action);
    void (*observe)(struct agent *agent, const struct agent_transition *transition);
    void (*learn)(struct agent *agent, struct agent_report *report);
    /* The block that is exchanged between processes and stored as a model; *count its length, 0: has none.
     * Borrowed. */
    real *(*parameters)(struct agent *agent, size_t *count);
    /* Everything that lets training go on with the same bits: learning.md's list. save writes exactly
     * saved_bytes. load goes into an agent opened with the same space and configuration; STATUS_INVALID for
     * bytes that cannot be such a state, after which the agent may only be closed. It must survive any bytes.
     */
    size_t (*saved_bytes)(const struct agent *agent);
    void (*save)(const struct agent *agent, struct bytes_writer *writer);
    enum status (*load)(struct agent *agent, struct bytes_reader *reader);
};

/* Classes in the order of the table; NULL when there is none of that name or index. */
const struct agent_class *agent_class_at(size_t index);
const struct agent_class *agent_class_find(const char *name);

/* Sets one option of `config` (filled by class->defaults) from text ("0.0003", "1", "64,64").
 * STATUS_INVALID: unknown name, not a number, out of range; the sentence names what is allowed. */
enum status agent_config_set(const struct agent_class *class, void *config, const char *name,
                             const char *text, struct error *error);

/* STATUS_INVALID: a setting lies outside its range. agent_open asks it. */
enum status agent_config_check(const struct agent_class *class, const void *config, struct error *error);

/* What an agent is opened with; all borrowed for the call. */
struct agent_setup {
    const struct agent_space *space;
    const void *config; /* of the class; NULL: its defaults */
    uint64_t seed, id;  /* the key of its streams */
};

/* Opens an agent of `class`. *agent is owned: agent_close, also after a failure. */
enum status agent_open(struct agent **agent, const struct agent_class *class, const struct agent_setup *setup,
                       struct error *error);
void agent_close(struct agent *agent); /* NULL: nothing */

void agent_act(struct agent *agent, const real *observation, enum agent_mode mode,
               struct agent_action *action);
void agent_observe(struct agent *agent, const struct agent_transition *transition);
void agent_learn(struct agent *agent, struct agent_report *report);
real *agent_parameters(struct agent *agent, size_t *count);

/* A checkpoint: format, class, length, checksum, then the state. load: STATUS_INVALID as above, and for
 * anything but the bytes that agent_save wrote for this class. */
size_t agent_saved_bytes(const struct agent *agent);
void agent_save(const struct agent *agent, struct bytes_writer *writer);
enum status agent_load(struct agent *agent, struct bytes_reader *reader, struct error *error);

/* The stream of an agent for one purpose. */
void agent_stream(const struct agent *agent, enum random_purpose purpose, struct random_stream *stream);
#define AGENT_STREAM_BYTES 32
void agent_stream_save(const struct random_stream *stream, struct bytes_writer *writer);
enum status agent_stream_load(struct random_stream *stream, struct bytes_reader *reader);

/* Room for one action of `space`. Owned; close with agent_action_close (safe on zeros). */
enum status agent_action_open(struct agent_action *action, const struct agent_space *space);
void agent_action_close(struct agent_action *action);

static inline real agent_clip(real value) {
    return value < -1 ? (real)-1 : value > 1 ? (real)1 : value;
}

#endif

/* qos: what a criticality level asks for, what a pruned model reaches, and which requirements a task
 * violates. */
#ifndef TIERBED_MODEL_QOS_H
#define TIERBED_MODEL_QOS_H

#include <stddef.h>
#include <stdint.h>

/* JOPA T_k = 1 - 0.9 k in s, criticality k in [0, 1] (the table of the paper: 1, .82, .64, .46, .28, .1 s).
 */
double qos_deadline_s(double criticality);

/* JOPA A_k = 0.92 + 0.07 k, the least accuracy (fraction) of a task of criticality k in [0, 1]. */
double qos_accuracy_floor(double criticality);

/* JOPA Eq. (1)/(29): A(p) = -1.729e-5 p^3 + .001953 p^2 - .1313 p + 101; p and A in percent. Kept for
 * comparison: it exceeds 100 % below p = 8; models use the table. */
double qos_accuracy_fit_percent(double pruning_percent);

/* JOPA Table II: the six pruned models. */
struct qos_model {
    double pruning;  /* p_v, fraction of the work that is gone */
    double accuracy; /* A_v, fraction */
};
#define QOS_MODELS 6
extern const struct qos_model qos_models[QOS_MODELS];

/* What a task violates, as bits; 0 = served. */
enum qos_violation {
    QOS_SERVED = 0,
    QOS_LATE = 1,       /* JOPA Eq. (17a): D <= T_k */
    QOS_INACCURATE = 2, /* JOPA Eq. (17b): local tasks, A_v >= A_k */
    QOS_EDGE_SLOWER = 4 /* JOPA Eq. (17f): offloaded tasks, E <= Omega */
};

/* JOPA Eq. (17a), (17b), (22) for a local task: an OR of enum qos_violation. */
uint32_t qos_local_violations(double criticality, double delay_s, double accuracy);

/* JOPA Eq. (17a), (17f), (22) for an offloaded task (the unpruned edge model has accuracy 1). */
uint32_t qos_offloaded_violations(double criticality, double delay_s, double edge_s, double air_s);

#endif

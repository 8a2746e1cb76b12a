/* doctor: findings about this machine, each with how to mend it. The checks only look, or start short-lived
 * children; they leave nothing behind. */
#ifndef TIERBED_CLI_DOCTOR_H
#define TIERBED_CLI_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

enum doctor_verdict { DOCTOR_OK = 0, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor_finding {
    const char *name; /* static */
    enum doctor_verdict verdict;
    char text[320];
    char mend[320]; /* "" when all is well */
};

#define DOCTOR_FINDINGS_MAX 32

struct doctor_report {
    struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
    size_t count;
    char program_dir[512]; /* where this tierbed stands, and the programs of the roles beside it */
};

/* Adds a finding; doctor_mend then says what to do about the one added last. */
void doctor_add(struct doctor_report *report, const char *name, enum doctor_verdict verdict,
                const char *format, ...) __attribute__((format(printf, 4, 5)));
void doctor_mend(struct doctor_report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* doctor_mpi.c: mpirun, its version, two ranks that pass messages; the programs of the roles. */
void doctor_check_programs(struct doctor_report *report);
void doctor_check_mpi(struct doctor_report *report);

/* doctor_system.c: processor, library for learning, cores, memory, limits, places for files. */
void doctor_check_processor(struct doctor_report *report);
void doctor_check_learning(struct doctor_report *report);
void doctor_check_cores(struct doctor_report *report);
void doctor_check_memory(struct doctor_report *report);
void doctor_check_limits(struct doctor_report *report);
void doctor_check_places(struct doctor_report *report);

/* doctor_kernel.c: what processes of one host need of the kernel: futex wake-ups, reading each other's
 * memory, stopping and killing each other. */
void doctor_check_futex(struct doctor_report *report);
void doctor_check_copy(struct doctor_report *report);
void doctor_check_signals(struct doctor_report *report);

#endif

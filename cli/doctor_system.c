/* doctor_system: processor, cores, memory, limits and places for files, as this process sees them. */
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <jansson.h>

#include "cli/doctor.h"
#include "common/learn/blas.h"
#include "common/record/machine.h"

#define MIB ((uint64_t)1 << 20)
#define RANK_MEMORY_MIB 32 /* resident memory of one rank with its libraries, rounded up */
#define RANK_SHM_MIB 4     /* shared-memory segment that Open MPI keeps for one rank */
#define RANK_FILES 24      /* descriptors that mpirun keeps open for one rank, rounded up */
#define RANKS_WANTED 256   /* the largest run with one process a node in the examples has 207 */

/* Features that this program was compiled to use: without them it would die of SIGILL sooner or later. */
#if defined(__x86_64__)
static const char *missing_feature(void) {
    __builtin_cpu_init();
#ifdef __AVX512F__
    if (!__builtin_cpu_supports("avx512f"))
        return "AVX-512";
#endif
#ifdef __AVX2__
    if (!__builtin_cpu_supports("avx2"))
        return "AVX2";
#endif
#ifdef __FMA__
    if (!__builtin_cpu_supports("fma"))
        return "FMA";
#endif
#ifdef __SSE4_2__
    if (!__builtin_cpu_supports("sse4.2"))
        return "SSE4.2";
#endif
    return NULL;
}
#else
static const char *missing_feature(void) {
    return NULL;
}
#endif

void doctor_check_processor(struct doctor_report *report) {
    json_t *machine = machine_describe();
    const char *model = json_string_value(json_object_get(machine, "cpu"));
    const char *architecture = json_string_value(json_object_get(machine, "architecture"));
    const char *missing = missing_feature();
    doctor_add(report, "processor", missing == NULL ? DOCTOR_OK : DOCTOR_FAIL, "%s, %s%s%s",
               model != NULL ? model : "unknown", architecture != NULL ? architecture : "unknown",
               missing == NULL ? "" : ", lacks ", missing == NULL ? "" : missing);
    if (missing != NULL)
        doctor_mend(report,
                    "this program was built for another processor: make clean && make MARCH=x86-64-v2");
    json_decref(machine);
}

void doctor_check_learning(struct doctor_report *report) {
    struct error error = {0};
    if (blas_open(&error) != STATUS_OK) {
        doctor_add(report, "learning", DOCTOR_FAIL, "%s", error.text);
        doctor_mend(report,
                    "as root: apt-get install libopenblas0-serial, or deploy/deps.sh; runs that learn with "
                    "large layers end without it");
        return;
    }
    const char *chosen = getenv("OPENBLAS_CORETYPE");
    bool old = blas_core_is_old(blas_core());
    doctor_add(report, "learning", old ? DOCTOR_WARN : DOCTOR_OK, "OpenBLAS %s with %s kernels%s",
               blas_version(), blas_core(), old ? ", which do not use what this processor can do" : "");
    if (old && chosen != NULL)
        doctor_mend(report, "OPENBLAS_CORETYPE=%s is set in this environment: unset it, or set it to %s",
                    chosen, blas_core_wanted());
    else if (old)
        doctor_mend(report, "export OPENBLAS_CORETYPE=%s; large layers are several times faster then",
                    blas_core_wanted());
}

/* First number in a file, or `otherwise` when the file is missing or says "max". */
static uint64_t read_number(const char *path, uint64_t otherwise) {
    FILE *stream = fopen(path, "re");
    unsigned long long value = 0;
    if (stream == NULL)
        return otherwise;
    int found = fscanf(stream, "%llu", &value);
    fclose(stream);
    return found == 1 ? value : otherwise;
}

/* "QUOTA PERIOD" in microseconds, or "max PERIOD"; cgroup v2. */
static double cgroup_cores(void) {
    FILE *stream = fopen("/sys/fs/cgroup/cpu.max", "re");
    double quota = 0.0, period = 0.0;
    int found = stream == NULL ? 0 : fscanf(stream, "%lf %lf", &quota, &period);
    if (stream != NULL)
        fclose(stream);
    return found == 2 && period > 0.0 ? quota / period : -1.0;
}

void doctor_check_cores(struct doctor_report *report) {
    cpu_set_t set;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    long usable = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : online;
    double quota = cgroup_cores();
    char limit[64] = "";
    if (quota > 0.0)
        snprintf(limit, sizeof limit, ", limited to %.2g by the container", quota);
    bool few = usable < 2 || (quota > 0.0 && quota < 2.0);
    doctor_add(report, "cores", few ? DOCTOR_WARN : DOCTOR_OK, "%ld usable of %ld%s", usable, online, limit);
    if (few)
        doctor_mend(report,
                    "runs work, in the time of one core; give this shell or container more for speed");
}

static uint64_t available_memory_mib(void) {
    FILE *stream = fopen("/proc/meminfo", "re");
    char line[256];
    unsigned long long kib = 0;
    while (stream != NULL && fgets(line, sizeof line, stream) != NULL) {
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
            break;
    }
    if (stream != NULL)
        fclose(stream);
    uint64_t free_bytes = kib * 1024;
    uint64_t most = read_number("/sys/fs/cgroup/memory.max", UINT64_MAX);
    uint64_t used = read_number("/sys/fs/cgroup/memory.current", 0);
    if (most != UINT64_MAX && most - (used < most ? used : most) < free_bytes)
        free_bytes = most - (used < most ? used : most);
    return free_bytes / MIB;
}

void doctor_check_memory(struct doctor_report *report) {
    uint64_t mib = available_memory_mib();
    uint64_t ranks = mib / RANK_MEMORY_MIB;
    enum doctor_verdict verdict = ranks < 8 ? DOCTOR_FAIL : ranks < RANKS_WANTED ? DOCTOR_WARN : DOCTOR_OK;
    doctor_add(report, "memory", verdict, "%llu MiB available, enough for about %llu processes",
               (unsigned long long)mib, (unsigned long long)ranks);
    if (verdict != DOCTOR_OK)
        doctor_mend(report, "pack nodes into fewer processes: tierbed run --processes N or --in-process");
}

static uint64_t soft_limit(int resource) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur;
}

static void format_limit(uint64_t limit, char *text, size_t size) {
    if (limit == UINT64_MAX)
        snprintf(text, size, "unlimited");
    else
        snprintf(text, size, "%llu", (unsigned long long)limit);
}

void doctor_check_limits(struct doctor_report *report) {
    char text[32];
    uint64_t processes = soft_limit(RLIMIT_NPROC);
    uint64_t container = read_number("/sys/fs/cgroup/pids.max", UINT64_MAX);
    if (container < processes)
        processes = container;
    format_limit(processes, text, sizeof text);
    /* Open MPI runs three threads in each rank, and limits count threads. */
    bool few = processes / 4 < RANKS_WANTED;
    doctor_add(report, "processes", few ? DOCTOR_WARN : DOCTOR_OK, "%s processes and threads allowed", text);
    if (few)
        doctor_mend(report,
                    "large runs with one process a node want %d: ulimit -u, or --pids-limit of the container",
                    4 * RANKS_WANTED);

    uint64_t files = soft_limit(RLIMIT_NOFILE);
    format_limit(files, text, sizeof text);
    bool little = files / RANK_FILES < 8;
    bool some = files / RANK_FILES < RANKS_WANTED;
    doctor_add(report, "open files",
               little ? DOCTOR_FAIL
               : some ? DOCTOR_WARN
                      : DOCTOR_OK,
               "%s allowed, enough for about %llu processes", text,
               (unsigned long long)(files == UINT64_MAX ? 100000 : files / RANK_FILES));
    if (some)
        doctor_mend(report, "ulimit -n %d (above the hard limit: as root, or in limits.conf)",
                    RANKS_WANTED * RANK_FILES);
}

struct place {
    const char *name;
    const char *path;
    uint64_t warn_mib, fail_mib;
    const char *mend;
};

/* Creates a file, writes into it and unlinks it: permissions, full and read-only file systems all show here.
 */
static int try_write(const char *directory) {
    char path[600];
    int length = snprintf(path, sizeof path, "%s/tierbed-doctor-XXXXXX", directory);
    if (length < 0 || (size_t)length >= sizeof path)
        return ENAMETOOLONG;
    int file = mkostemp(path, 02000000 /* O_CLOEXEC */);
    if (file < 0)
        return errno;
    static const char block[4096] = "x";
    int code = write(file, block, sizeof block) == (ssize_t)sizeof block ? 0 : errno != 0 ? errno : ENOSPC;
    close(file);
    unlink(path);
    return code;
}

static void check_place(struct doctor_report *report, const struct place *place) {
    struct statvfs about;
    int code = try_write(place->path);
    if (code == 0 && statvfs(place->path, &about) != 0)
        code = errno;
    if (code != 0) {
        doctor_add(report, place->name, DOCTOR_FAIL, "%s cannot be written: %s", place->path, strerror(code));
        doctor_mend(report, "%s", place->mend);
        return;
    }
    uint64_t mib = (uint64_t)about.f_bavail * about.f_frsize / MIB;
    enum doctor_verdict verdict = mib < place->fail_mib   ? DOCTOR_FAIL
                                  : mib < place->warn_mib ? DOCTOR_WARN
                                                          : DOCTOR_OK;
    doctor_add(report, place->name, verdict, "%s: writable, %llu MiB free", place->path,
               (unsigned long long)mib);
    if (verdict != DOCTOR_OK)
        doctor_mend(report, "%s", place->mend);
}

void doctor_check_places(struct doctor_report *report) {
    const char *tmp = getenv("TMPDIR");
    char here[512];
    const struct place places[] = {
        {"shared mem", "/dev/shm", (uint64_t)RANKS_WANTED * RANK_SHM_MIB, 16,
         "remount larger (mount -o remount,size=2g /dev/shm), start the container with --shm-size=2g, or "
         "export "
         "OMPI_MCA_btl_vader_backing_directory=/tmp"},
        {"temp files", tmp != NULL && *tmp != '\0' ? tmp : "/tmp", 256, 16,
         "export TMPDIR=DIR with a short path on a local disk: Open MPI keeps its sockets there"},
        {"disk", getcwd(here, sizeof here) != NULL ? here : ".", 1024, 16,
         "runs are written below the current directory: change to one with room, or use tierbed run --out "
         "DIR"},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        check_place(report, &places[i]);
}

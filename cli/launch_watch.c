/* launch_watch: reads /proc for the children of mpirun. Open MPI tells each rank in its environment which
 * rank it is (PMIX_RANK), of which job (PMIX_NAMESPACE), and where the job keeps its files
 * (PMIX_SERVER_TMPDIR). */
#include "cli/launch_watch.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENVIRONMENT_BYTES_MAX (256 * 1024)
#define SHARED_MEMORY_DIR "/dev/shm"

static size_t read_whole(const char *path, char *text, size_t size) {
    size_t used = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t got;
    while (used + 1 < size && (got = read(file, text + used, size - 1 - used)) > 0)
        used += (size_t)got;
    close(file);
    text[used] = '\0';
    return used;
}

static bool is_living_child(pid_t pid, pid_t parent) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    if (read_whole(path, text, sizeof text) == 0)
        return false;
    char *at = strrchr(text, ')'); /* the name before it may hold anything; then " STATE PARENT" */
    return at != NULL && strlen(at) > 4 && at[2] != 'Z' && at[2] != 'X' && strtol(at + 4, NULL, 10) == parent;
}

/* The value of `name` in a block of NUL-separated pairs, or NULL. */
static const char *find_variable(const char *block, size_t size, const char *name) {
    size_t length = strlen(name);
    for (const char *at = block; at < block + size; at += strlen(at) + 1)
        if (strncmp(at, name, length) == 0 && at[length] == '=')
            return at + length + 1;
    return NULL;
}

static void look_at_child(struct launch_watch *watch, pid_t pid, char *block) {
    char path[64], expected[32];
    snprintf(path, sizeof path, "/proc/%d/environ", pid);
    size_t size = read_whole(path, block, ENVIRONMENT_BYTES_MAX);
    const char *rank = find_variable(block, size, "PMIX_RANK");
    const char *namespace = find_variable(block, size, "PMIX_NAMESPACE");
    const char *dir = find_variable(block, size, "PMIX_SERVER_TMPDIR");
    if (rank == NULL || namespace == NULL)
        return; /* not yet the rank's program */
    if (strcmp(rank, "0") == 0)
        watch->director = pid;
    snprintf(expected, sizeof expected, "/pid.%d", watch->mpirun);
    size_t ending = strlen(expected);
    if (dir == NULL || strlen(dir) <= ending || strcmp(dir + strlen(dir) - ending, expected) != 0)
        return; /* never to be removed: it is not this mpirun's own */
    snprintf(watch->session_dir, sizeof watch->session_dir, "%s", dir);
    watch->namespace = strtoul(namespace, NULL, 10);
}

void launch_watch_look(struct launch_watch *watch, double now_s) {
    DIR *processes = opendir("/proc");
    char *block = malloc(ENVIRONMENT_BYTES_MAX);
    struct dirent *entry;
    uint32_t alive = 0;
    while (processes != NULL && block != NULL && (entry = readdir(processes)) != NULL) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (!is_living_child(pid, watch->mpirun))
            continue;
        alive++;
        if (watch->director == 0 || watch->session_dir[0] == '\0')
            look_at_child(watch, pid, block);
    }
    free(block);
    if (processes != NULL)
        closedir(processes);
    watch->look_s = now_s;
    if (watch->complete_s == 0.0 || alive >= watch->expected)
        watch->complete_s = now_s;
}

bool launch_watch_director_alive(const struct launch_watch *watch) {
    return watch->director > 0 && is_living_child(watch->director, watch->mpirun);
}

double launch_watch_missing_s(const struct launch_watch *watch) {
    return watch->look_s - watch->complete_s;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *position) {
    (void)status;
    (void)kind;
    (void)position;
    remove(path);
    return 0;
}

void launch_watch_clean(const struct launch_watch *watch) {
    if (watch->session_dir[0] == '\0')
        return;
    nftw(watch->session_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    char mark[64]; /* names read vader_segment.HOST.UID.JOB.RANK */
    snprintf(mark, sizeof mark, ".%u.%lx.", geteuid(), watch->namespace);
    DIR *segments = opendir(SHARED_MEMORY_DIR);
    struct dirent *entry;
    while (segments != NULL && (entry = readdir(segments)) != NULL) {
        if (strncmp(entry->d_name, "vader_segment.", 14) == 0 && strstr(entry->d_name, mark) != NULL)
            unlinkat(dirfd(segments), entry->d_name, 0);
    }
    if (segments != NULL)
        closedir(segments);
}

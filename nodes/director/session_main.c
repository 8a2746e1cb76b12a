/* session_main: rank 0's program: arguments, signals, progress file, messages, exit code. */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/time/wall.h"
#include "nodes/director/session.h"
#include "nodes/run_resume.h"
#include "nodes/setup.h"

#define OPTIONS_MAX 16

static volatile sig_atomic_t stopped; /* a signal handler has no other place to write to */

static void on_signal(int signal_number) {
    (void)signal_number;
    stopped = 1;
}

bool session_wants_help(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

int session_help(const char *program) {
    printf("Usage: %s SCENARIO [options]\n\nA program of one mpirun line; `tierbed run --dry-run SCENARIO` "
           "prints that line.\n"
           "Only rank 0 reads options:\n",
           program);
    for (const struct run_option_info *info = run_option_table; info->name != NULL; info++)
        printf("  --%s%s%s\n      %s\n", info->name, info->argument ? " " : "",
               info->argument ? info->argument : "", info->help);
    return 0;
}

static enum status parse(int argc, char **argv, struct run_options *options, struct error *error) {
    struct option table[OPTIONS_MAX] = {0};
    int count = 0, index;
    for (const struct run_option_info *info = run_option_table; info->name != NULL; info++)
        table[count++] =
            (struct option){info->name, info->argument ? required_argument : no_argument, NULL, 0};
    opterr = 0;
    optind = 1;
    run_options_init(options);
    int got;
    while ((got = getopt_long(argc, argv, "", table, &index)) == 0)
        TRY(run_options_take(options, table[index].name, optarg, error));
    if (got != -1)
        return error_set(error, STATUS_INVALID, "unknown or incomplete option `%s`; see --help",
                         argv[optind - 1]);
    if (optind < argc)
        options->scenario_path = argv[optind++];
    if (optind < argc)
        return error_set(error, STATUS_INVALID, "more than one scenario file: `%s`", argv[optind]);
    TRY(run_options_check(options, error));
    return run_resume(options, error);
}

/* One line, "now_ns end_ns wall_s", for whoever watches the run directory. */
static void write_progress(void *context, int64_t now_ns, int64_t end_ns, double wall_s) {
    const struct session_result *result = context;
    char path[4200], line[96];
    snprintf(path, sizeof path, "%s/progress", result->run_dir);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        return;
    int length = snprintf(line, sizeof line, "%20" PRId64 " %20" PRId64 " %15.3f\n", now_ns, end_ns, wall_s);
    if (pwrite(file, line, (size_t)length, 0) != length) {
        /* Progress is for the eye; the record reports a full disk. */
    }
    close(file);
}

static void install_signals(void) {
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static double launched_s(void) {
    const char *text = getenv("TIERBED_LAUNCHED_S");
    return text != NULL ? strtod(text, NULL) : wall_now_s();
}

static void command_line(int argc, char **argv, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "tierbed run");
    for (int i = 1; i < argc && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, " %s", argv[i]);
}

int session_main(int argc, char **argv, struct bus *bus) {
    static struct session_result result; /* large */
    struct run_options options;
    struct error error = {0};
    char line[4096];
    command_line(argc, argv, line, sizeof line);
    if (parse(argc, argv, &options, &error) != STATUS_OK) {
        fprintf(stderr, "tierbed: %s\n", error.text);
        setup_call_off(bus);
        bus_close(bus);
        return 2;
    }
    install_signals();
    struct session_config config = {.options = &options,
                                    .bus = bus,
                                    .transport = "mpi",
                                    .command_line = line,
                                    .launched_s = launched_s(),
                                    .stopped = &stopped,
                                    .context = &result,
                                    .on_progress = write_progress};
    enum status status = session_run(&config, &result);
    if (result.problems.count > 0)
        scenario_problems_print(&result.problems, stderr);
    if (status != STATUS_OK)
        fprintf(stderr, "tierbed: %s\n", result.message);
    fflush(stderr);
    bool orderly = status == STATUS_OK || status == STATUS_STOPPED || result.run_dir[0] == '\0';
    if (orderly) {
        bus_close(bus);
        return status_exit_code(status);
    }
    bus_abandon(bus);
    _exit(status_exit_code(status));
}

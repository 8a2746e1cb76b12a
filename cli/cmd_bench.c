/* cmd_bench: `tierbed bench`: hands over to the benchmark that is named. */
#include <string.h>

#include "bench/bus.h"
#include "bench/chain.h"
#include "bench/learn.h"
#include "bench/phold.h"
#include "cli/command.h"

static int no_option(const char *name, const char *argument, void *context) {
    (void)name;
    (void)argument;
    (void)context;
    return 0;
}

static int run_bench(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "bus") == 0)
        return bench_bus(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "phold") == 0)
        return bench_phold(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "learn") == 0)
        return bench_learn(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "chain") == 0)
        return bench_chain(argc - 1, argv + 1);
    int code = command_parse(&command_bench, argc, argv, no_option, NULL);
    if (code != COMMAND_GO)
        return code;
    if (argc > 1)
        return command_usage_error(
            &command_bench, "there is no benchmark '%s'; there are bus, phold, learn and chain", argv[1]);
    return command_usage_error(&command_bench, "name a benchmark: bus, phold, learn or chain");
}

static const struct command_option bench_options[] = {{0}};

const struct command command_bench = {
    .name = "bench",
    .usage = "bus|phold|learn|chain [options]",
    .summary = "Measure this machine: the bus between processes, the time engine, learning, the chain",
    .details = "bus    round trips, messages and idle processes on the bus, under mpirun\n"
               "phold  events per second of the time engine, in one process or several\n"
               "learn  steps of learning in one thread, beside the time PyTorch needs\n"
               "chain  transactions per second of validators, and what the disk allows\n"
               "\n"
               "Each has options of its own: tierbed bench bus --help, and so on.\n"
               "\n"
               "EXIT STATUS\n"
               "  0  measured\n"
               "  1  the run failed\n"
               "  2  wrong usage\n"
               "  4  mpirun or a program is missing\n"
               "  5  a process died\n"
               "\n"
               "EXAMPLES\n"
               "  tierbed bench bus --ranks 60\n"
               "  tierbed bench phold --lps 1024 --remote 0.5 --lookahead 0.1 --end 1000 --processes 2\n"
               "  tierbed bench learn --only ppo-step\n"
               "  tierbed bench chain --durability power\n"
               "  tierbed bench chain --validators 64 --in-process --heights 20 --only records\n",
    .options = bench_options,
    .run = run_bench,
};

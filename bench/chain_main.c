/* tierbed-bench-chain: validators and a client under mpirun. Started by `tierbed bench chain`; usable by hand
 * with one rank more than validators. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/chain_bench.h"

static const char *const names[] = {"validators", "record-bytes", "outstanding", "heights", "seconds",
                                    "only",       "durability",   "dir",         "epoch"};
#define NAME_COUNT (sizeof names / sizeof *names)

static enum status parse(int argc, char **argv, struct chain_bench_config *config, struct error *error) {
    struct option table[NAME_COUNT + 1] = {0};
    int index, got;
    for (size_t i = 0; i < NAME_COUNT; i++)
        table[i] = (struct option){names[i], required_argument, NULL, 0};
    while ((got = getopt_long(argc, argv, "", table, &index)) == 0)
        TRY(chain_bench_option(config, table[index].name, optarg, error));
    if (got != -1)
        return error_set(error, STATUS_INVALID, "unknown option");
    return config->dir[0] != '\0' ? STATUS_OK : error_set(error, STATUS_INVALID, "--dir is missing");
}

int main(int argc, char **argv) {
    struct chain_bench_config config;
    struct chain_result result;
    struct error error = {0};
    struct bus *bus;
    chain_bench_defaults(&config);
    enum status status = bus_mpi_open(&argc, &argv, &bus, &error);
    if (status == STATUS_OK) {
        status = parse(argc, argv, &config, &error);
        if (status == STATUS_OK && bus_size(bus) != config.validators + 1)
            status = error_set(&error, STATUS_INVALID, "%u validators take %u ranks", config.validators,
                               config.validators + 1);
        if (status == STATUS_OK)
            status = chain_run_rank(&config, bus, &result, &error);
        if (status == STATUS_OK && bus_rank(bus) == config.validators)
            chain_bench_print(&config, &result);
        fflush(stdout);
        if (status == STATUS_OK)
            bus_close(bus);
    }
    if (status != STATUS_OK) {
        fprintf(stderr, "tierbed-bench-chain: %s\n", error.text);
        _exit(status_exit_code(status));
    }
    return 0;
}

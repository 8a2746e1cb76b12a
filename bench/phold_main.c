/* tierbed-bench-phold: PHOLD under mpirun. Started by `tierbed bench phold --processes P`; usable by hand. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/phold_run.h"

static const char *const names[] = {"lps",  "events-per-lp", "remote", "lookahead",
                                    "mean", "end",           "seed",   "json"};
#define NAME_COUNT (sizeof names / sizeof *names)

static enum status parse(int argc, char **argv, struct phold_config *config, bool *json,
                         struct error *error) {
    struct option table[NAME_COUNT + 1] = {0};
    int index, got;
    for (size_t i = 0; i < NAME_COUNT; i++)
        table[i] = (struct option){names[i], strcmp(names[i], "json") == 0 ? no_argument : required_argument,
                                   NULL, 0};
    while ((got = getopt_long(argc, argv, "", table, &index)) == 0) {
        if (optarg == NULL)
            *json = true;
        else
            TRY(phold_option(config, table[index].name, optarg, error));
    }
    if (got != -1)
        return error_set(error, STATUS_INVALID, "unknown option");
    return phold_check(config, error);
}

int main(int argc, char **argv) {
    struct phold_config config;
    struct phold_result result;
    struct error error = {0};
    struct bus *bus;
    bool json = false;
    phold_defaults(&config);
    enum status status = bus_mpi_open(&argc, &argv, &bus, &error);
    if (status == STATUS_OK) {
        config.processes = bus_size(bus);
        status = parse(argc, argv, &config, &json, &error);
        if (status == STATUS_OK)
            status = phold_run(bus, &config, &result, &error);
        if (status == STATUS_OK && bus_rank(bus) == 0)
            phold_print(&config, &result, json);
        fflush(stdout);
        if (status == STATUS_OK)
            bus_close(bus);
    }
    if (status != STATUS_OK) {
        fprintf(stderr, "tierbed-bench-phold: %s\n", error.text);
        _exit(status_exit_code(status));
    }
    return 0;
}

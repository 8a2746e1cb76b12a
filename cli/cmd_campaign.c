/* cmd_campaign: `tierbed campaign`: hands over to the campaign that is named. */
#include <string.h>

#include "campaign/chain_cli.h"
#include "cli/command.h"

static int no_option(const char *name, const char *argument, void *context) {
    (void)name;
    (void)argument;
    (void)context;
    return 0;
}

static int run_campaign(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "chain") == 0)
        return campaign_chain(argc - 1, argv + 1);
    int code = command_parse(&command_campaign, argc, argv, no_option, NULL);
    if (code != COMMAND_GO)
        return code;
    if (argc > 1)
        return command_usage_error(&command_campaign, "there is no campaign '%s'; there is chain", argv[1]);
    return command_usage_error(&command_campaign, "name a campaign: chain");
}

static const struct command_option campaign_options[] = {{0}};

const struct command command_campaign = {
    .name = "campaign",
    .usage = "chain [options]",
    .summary = "Look for mistakes: many simulated worlds under faults, one per seed",
    .details = "chain  validators that agree on blocks, with crashes, partitions, bad disks and liars\n"
               "\n"
               "It has options of its own: tierbed campaign chain --help.\n"
               "\n"
               "EXIT STATUS\n"
               "  0  nothing was violated; with --mutants: every mistake was found out\n"
               "  1  a seed failed, or a mutant survived\n"
               "  2  wrong usage\n"
               "  4  a program is missing, no memory, no process\n"
               "\n"
               "EXAMPLES\n"
               "  tierbed campaign chain --seeds 1..200\n"
               "  tierbed campaign chain --seed 4711 --trace\n"
               "  tierbed campaign chain --mutants\n",
    .options = campaign_options,
    .run = run_campaign,
};

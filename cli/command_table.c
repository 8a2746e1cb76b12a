/* command_table: every subcommand, in the order of help. */
#include "cli/command.h"

const struct command *const command_table[] = {
    &command_run,
    &command_report,
    &command_runs,
    &command_ledger,
    &command_experiment,
    &command_scheme,
    &command_scenario,
    &command_keys,
    &command_verify,
    &command_bench,
    &command_campaign,
    &command_doctor,
    &command_help,
    NULL,
};

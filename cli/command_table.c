/* command_table: every subcommand, in the order of help. */
#include "cli/command.h"

const struct command *const command_table[] = {
#if __has_include("cli/cmd_run.c")
    &command_run,
#endif
#if __has_include("cli/cmd_report.c")
    &command_report,
#endif
#if __has_include("cli/cmd_runs.c")
    &command_runs,
#endif
#if __has_include("cli/cmd_scenario.c")
    &command_scenario,
#endif
#if __has_include("cli/cmd_verify.c")
    &command_verify,
#endif
#if __has_include("cli/cmd_bench.c")
    &command_bench,
#endif
    &command_doctor, &command_help, NULL,
};

/* tierbed: finds the command and runs it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/command_text.h"
#include "common/base/version.h"

#define EXIT_SYSTEM 4

static void print_version(void) {
    printf("tierbed %s\n", version_text());
    printf("commit %s, %s build, %s\n", version_commit(), version_variant(), version_compiler());
    printf("Licence MIT; there is no warranty.\n");
}

static int dispatch(int argc, char **argv) {
    if (argc < 2) {
        command_print_overview(stderr);
        return 2;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        command_print_overview(stdout);
        return 0;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        print_version();
        return 0;
    }
    if (word[0] == '-')
        return command_usage_error(NULL, "unknown option '%s'", word);
    const struct command *command = command_find(word);
    return command == NULL ? command_unknown(NULL, word) : command->run(argc - 1, argv + 1);
}

/* Output that did not reach its reader is a failure, whatever the command thought of its work. */
int main(int argc, char **argv) {
    int code = dispatch(argc, argv);
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "tierbed: cannot write to standard output: %s\n", strerror(errno != 0 ? errno : EIO));
        return code != 0 ? code : EXIT_SYSTEM;
    }
    return code;
}

/* verify_links: `tierbed verify links`, the comparison of the link emulator with closed forms. */
#ifndef TIERBED_CLI_VERIFY_LINKS_H
#define TIERBED_CLI_VERIFY_LINKS_H

/* argv[0] is "links"; returns the exit code (0 all hold, 1 one does not, 2 usage). */
int verify_links(int argc, char **argv);

#endif

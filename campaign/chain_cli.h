/* chain_cli: `tierbed campaign chain`. */
#ifndef TIERBED_CAMPAIGN_CHAIN_CLI_H
#define TIERBED_CAMPAIGN_CHAIN_CLI_H

/* Parses, runs, prints; returns the exit code. */
int campaign_chain(int argc, char **argv);

#endif

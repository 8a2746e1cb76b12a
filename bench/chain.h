/* chain: `tierbed bench chain`: how many transactions validators commit, how fast, and what the disk allows.
 */
#ifndef TIERBED_BENCH_CHAIN_H
#define TIERBED_BENCH_CHAIN_H

/* Parses options, measures, prints one JSON object. Returns the exit code. */
int bench_chain(int argc, char **argv);

#endif

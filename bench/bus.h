/* bus: `tierbed bench bus`: what a round trip, a message and waiting cost on the bus of this machine. */
#ifndef TIERBED_BENCH_BUS_H
#define TIERBED_BENCH_BUS_H

/* Parses options, runs tierbed-bench-bus under mpirun, which prints one JSON object. Returns the exit code.
 */
int bench_bus(int argc, char **argv);

#endif

/* block_time: which time a block gets, and whether a proposal comes in time (chain.md 1.7). Pure: clocks are
 * handed in.
 *
 * Times of blocks increase strictly in either mode; common/ledger checks that, as part of what makes a block
 * valid. The modes differ in what a clock may do.
 *   monotone  The proposer takes its own clock, or the time before + 1 ms where that is later. No clock can
 *             stop the chain; any one can push its time ahead.
 *   proposer  Proposer-based timestamps, as Tendermint specifies them. The proposer takes its own clock, and
 *             waits until that is past the time before. Whoever gets a fresh proposal prevotes it only if
 *             time - precision <= local time of receipt <= time + message_delay + precision. What is
 *             proposed again with a polka was found to be in time by f + 1 honest validators and is exempt.
 *             While clocks are within `precision` and proposals within `message_delay`, nothing is lost, and
 *             the time of a block is that of an honest clock give or take these. */
#ifndef TIERBED_NODES_CHAIN_BLOCK_TIME_H
#define TIERBED_NODES_CHAIN_BLOCK_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "common/model/scenario.h"

/* The longest that is waited before the clock is looked at again: it may have been set right. */
#define BLOCK_TIME_WAIT_MAX_NS INT64_C(1000000000)

/* The time of the block after one of `tip_ms`, by a clock that shows `clock_ns`: below 0 it shows 0. Returns
 * 0 and the time, or how long to wait before asking again, at least 1 ms: in mode `proposer` only. Height 1
 * comes after `tip_ms` NULL. */
int64_t block_time_next(const struct scenario_chain *rules, const uint64_t *tip_ms, int64_t clock_ns,
                        uint64_t *time_ms);

/* Does a fresh proposal of a block of `time_ms`, which came when the clock here showed `received_ns`, come in
 * time? Always in mode `monotone`. */
bool block_time_is_timely(const struct scenario_chain *rules, uint64_t time_ms, int64_t received_ns);

#endif

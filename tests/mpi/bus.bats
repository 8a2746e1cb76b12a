#!/usr/bin/env bats
# Goal: the MPI bus keeps the promises of bus.h for any number of ranks and any size of message, and processes that
# wait cost next to nothing.
# Method: test_bus_mpi checks every byte on every rank; the benchmark of the bus, cut short, checks its own answers.

bats_require_minimum_version 1.5.0

setup() {
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 # what tierbed sets by itself
    BUILD=$(dirname "${TIERBED_BIN:-build/release/bin}")
    TIERBED=${TIERBED_BIN:-build/bin}/tierbed
}

# bus RANKS MESSAGES BYTES_MAX MCA...
bus() {
    local ranks=$1 messages=$2 bytes_max=$3
    shift 3
    run mpirun --oversubscribe --bind-to none --mca pml ob1 --mca btl vader,self "$@" \
        -np "$ranks" "$BUILD/tests/mpi/test_bus_mpi" "$messages" "$bytes_max"
    [ "$status" -eq 0 ] || { echo "$output"; return 1; }
    [[ "$output" == *"ok $ranks ranks, $((2 * ranks * messages)) messages"* ]]
}

@test "messages arrive once, whole and in order between 1, 2, 5 and 16 ranks" {
    bus 1 200 5000
    bus 2 200 100000
    bus 5 60 50000
    bus 16 20 10000
}

@test "messages of many megabytes arrive, copied once or in pieces" {
    bus 3 9 20000000
    bus 3 9 20000000 --mca btl_vader_single_copy_mechanism none --mca btl_vader_fbox_max 0
}

@test "the bus works over TCP, as it does between hosts" {
    run mpirun --oversubscribe --bind-to none --mca pml ob1 --mca btl tcp,self -np 4 \
        "$BUILD/tests/mpi/test_bus_mpi" 30 100000
    [ "$status" -eq 0 ] || { echo "$output"; return 1; }
    [[ "$output" == *"ok 4 ranks"* ]]
}

@test "tierbed bench bus prints one object with every measurement" {
    run --separate-stderr "$TIERBED" bench bus --ranks 6 --rounds 50 --repetitions 2 --busy 1
    [ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
    jq -e '.ranks == 6 and .one_active_round_us.median > 0 and .one_active_round_beside_busy_us.median > 0
           and .all_active_round_trip_us.min <= .all_active_round_trip_us.max
           and ([.sealing.messages[].bytes] == [64, 8192, 65536])
           and all(.sealing.messages[]; .seal_ns > 0 and .open_ns > 0 and .seal_mb_per_s > 0 and .open_mb_per_s > 0)
           and .sealing.session_us > 0 and .idle_percent_of_a_core.median > 0 and .start_up_s > 0' <<<"$output"
}

@test "tierbed bench bus refuses what it cannot do" {
    for options in "--ranks 1" "--ranks two" "--rounds 0" "--busy 65" "extra"; do
        run "$TIERBED" bench bus $options
        [ "$status" -eq 2 ]
    done
    run "$TIERBED" bench nothing
    [ "$status" -eq 2 ]
}

@test "a process that dies while MPI starts does not leave the others waiting for ever" {
    "$TIERBED" run experiments/factory/quickstart.yaml --clock wall --out "$BATS_TEST_TMPDIR/run" \
        2>"$BATS_TEST_TMPDIR/err" &
    local launcher=$! mpirun="" rank=""
    until [ -n "$rank" ]; do
        mpirun=$(pgrep -P "$launcher" mpirun || true)
        [ -z "$mpirun" ] || rank=$(pgrep -P "$mpirun" tierbed-device | tail -n 1 || true)
        kill -0 "$launcher"
    done
    kill -KILL "$rank"
    wait "$launcher" && status=0 || status=$?
    [ "$status" -eq 5 ] || { cat "$BATS_TEST_TMPDIR/err"; return 1; }
    [ -z "$(pgrep -P "$mpirun")" ]
}

#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# Goal: `tierbed bench chain` runs validators on real ledgers, in one process and under mpirun, reports what its help
# promises and leaves nothing behind. Method: short runs; nothing is said about how fast anything is, but that what was
# submitted was committed and that all validators ended at one block.

setup() {
  tierbed="${TIERBED_BIN:-$BATS_TEST_DIRNAME/../../build/bin}/tierbed"
  mkdir "$BATS_TEST_TMPDIR/here"
  cd "$BATS_TEST_TMPDIR/here"
}

bench() {
  run --separate-stderr "$tierbed" bench chain "$@"
}

@test "three kinds of load are measured in one process, and the ledgers are removed" {
  bench --in-process --seconds 0.2 --heights 5
  [ "$status" -eq 0 ]
  jq -e '.agreed and .validators == 4 and .durability == "process" and .dropped == 0' <<< "$output"
  jq -e '[.records, .signed, .single] | all(.transactions > 0 and .tx_per_s > 0 and .p50_ms > 0 and .p50_ms <= .p99_ms)' <<< "$output"
  jq -e '.records.transactions % 400 == 0 and .proofs_checked > 0' <<< "$output"
  [ -z "$(ls -A)" ]
}

@test "processes under mpirun agree, with writes that reach the disk, and the bound is that of the writes" {
  mkdir ledgers
  bench --only records --heights 10 --durability power --dir ledgers
  [ "$status" -eq 0 ]
  jq -e '.agreed and (.in_process | not) and .durability == "power" and .records.blocks >= 10' <<< "$output"
  jq -e '.signed == null and .single == null and .write_alone.fdatasync_ms > 0 and .write_together.signature_ms > 0' <<< "$output"
  jq -e '.records.bound | (.path_ms - 3 * .signature_ms - .block_ms | fabs < 0.01) and .reached_percent > 0 and .reached_percent < 110' <<< "$output"
  [ -z "$(ls -A ledgers)" ]
}

@test "sixteen validators in one process commit" {
  bench --in-process --validators 16 --only records --heights 3
  [ "$status" -eq 0 ]
  jq -e '.agreed and .height >= 3 and .rounds_lost == 0' <<< "$output"
}

@test "the mpirun line can be seen" {
  bench --dry-run --validators 7 --only single
  [ "$status" -eq 0 ]
  [[ "$output" == *"-np 8 "*"tierbed-bench-chain"*"--validators=7"*"--only=single"* ]] || [[ "$output" == *"-n 8 "*"--only=single"* ]]
  [ -z "$(ls -A)" ]
}

@test "wrong usage is refused" {
  bench --validators 65
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"--validators takes a number from 1 to 64"* ]]
  bench --durability disk
  [ "$status" -eq 2 ]
  bench --only blocks
  [ "$status" -eq 2 ]
  bench --seconds 0
  [ "$status" -eq 2 ]
  bench more
  [ "$status" -eq 2 ]
  bench --in-process --dir "$BATS_TEST_TMPDIR/missing"
  [ "$status" -eq 4 ]
}

#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# Goal: `tierbed bench learn` measures every row and reports what its manual promises. Method: one repetition of almost
# no time; nothing is said about how fast anything is.

setup() {
  tierbed="${TIERBED_BIN:-$BATS_TEST_DIRNAME/../../build/bin}/tierbed"
}

bench() {
  run --separate-stderr "$tierbed" bench learn "$@"
}

@test "every row is measured, and the JSON holds its figures" {
  bench --json --repetitions 1 --time 0
  [ "$status" -eq 0 ]
  [ "$(jq '.rows | length' <<< "$output")" -eq "$("$tierbed" bench learn --list | wc -l)" ]
  [ "$(jq '[.rows[] | select(.median_us > 0 and .minimum_us <= .median_us and .steps >= 1)] | length' <<< "$output")" -eq "$(jq '.rows | length' <<< "$output")" ]
  [ "$(jq '[.rows[] | select(.reference_us > 0) | select(.reached != (.ratio >= .asked))] | length' <<< "$output")" -eq 0 ]
  [ "$(jq '[.rows[].name] | unique | length' <<< "$output")" -eq "$(jq '.rows | length' <<< "$output")" ]
  jq -e '.machine.cpu and .libraries.jansson' <<< "$output"
}

@test "one row can be measured alone" {
  bench --only ppo-step --repetitions 2 --time 0
  [ "$status" -eq 0 ]
  [ "${#lines[@]}" -eq 2 ]
  [[ "${lines[1]}" == ppo-step* ]]
}

@test "wrong usage is refused" {
  bench --only ppo-stp
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"did you mean 'ppo-step'"* ]]
  bench --repetitions 0
  [ "$status" -eq 2 ]
  bench --time x
  [ "$status" -eq 2 ]
  bench more
  [ "$status" -eq 2 ]
}

#!/usr/bin/env bats
# Goal: `tierbed campaign chain` says what it ran and exits as documented.
# Method: few seeds of quick kinds; a mutant stands for a validator with a defect.

@test "a few seeds of every kind that is drawn hold" {
  run tierbed campaign chain --seeds 1..6 --jobs 2
  [ "$status" -eq 0 ]
  [[ "$output" == *"6 seeds, 0 failed, N = 4"* ]]
}

@test "--json gives one object that counts seeds and checks" {
  tierbed campaign chain --seeds 3..5 --kind calm --json 2>/dev/null >"$BATS_TEST_TMPDIR/out.json"
  jq -e '.seeds == 3 and .failed == 0 and .kinds.calm.runs == 3 and .checks["I1 agreement"] > 0' \
    "$BATS_TEST_TMPDIR/out.json" >/dev/null
}

@test "one seed replays with the same digest, with and without trace" {
  run tierbed campaign chain --seed 7 --kind kill-one
  [ "$status" -eq 0 ]
  digest=$(sed -n 's/.*digest //p' <<<"$output")
  [ -n "$digest" ]
  tierbed campaign chain --seed 7 --kind kill-one --trace >"$BATS_TEST_TMPDIR/trace"
  [ "$(tail -n 1 "$BATS_TEST_TMPDIR/trace" | sed -n 's/.*digest //p')" = "$digest" ]
  grep -q 'sends 1 vote prevote' "$BATS_TEST_TMPDIR/trace"
}

@test "a mutant is found out, and named with its seed" {
  run tierbed campaign chain --mutants --mutant FORGET_PERSIST --seeds 1..20
  [ "$status" -eq 0 ]
  [[ "$output" == *"FORGET_PERSIST"*"killed by seed"*"I8 persist before send"* ]]
}

@test "a program without a mistake survives, and that is told by the exit status" {
  run tierbed campaign chain --mutants --mutant NONE --seeds 1..2 --kind calm
  [ "$status" -eq 1 ]
  [[ "$output" == *"SURVIVED 2 seeds"* ]]
}

@test "wrong usage is told" {
  for words in "" "ring" "chain --seeds 5..3" "chain --seeds x" "chain --kind nothing" "chain --trace" \
    "chain --validators 3" "chain --seed 1 --seeds 1..2" "chain --mutant NONE" "chain extra"; do
    # shellcheck disable=SC2086 # words are apart on purpose
    run tierbed campaign $words
    [ "$status" -eq 2 ]
  done
  run tierbed campaign chain --kind kil-one
  [[ "$output" == *"did you mean 'kill-one'"* ]]
}

@test "--list names every row of the faults that is covered" {
  run tierbed campaign chain --list
  [ "$status" -eq 0 ]
  for row in 1 2 3 4 5 6 9 10 13 14 16 17 18 19 27 28 29 30 31 32 33; do
    grep -Eq "(^| |,)$row(,| )" <<<"$output"
  done
}

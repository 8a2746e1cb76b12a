#!/usr/bin/env bats
# Goal: `tierbed verify links` checks what it says, and can fail.
# Method: the quick run, its JSON, and unusable options. That a wrong expectation is found is shown in
# tests/net/test_link_check.c, where the checks are run with planted false claims.

setup() {
    TIERBED=${TIERBED_BIN:-build/bin}/tierbed
}

@test "the quick checks hold, and the output says that they were quick" {
    run "$TIERBED" verify links --quick
    [ "$status" -eq 0 ]
    [[ $output == *quick* ]]
    [[ $output == *M/D/1* && $output == *M/M/1* && $output == *M/G/1* && $output == *M/M/4* ]]
    [[ $output == *little* && $output == *Gilbert* ]]
}

@test "--json is one object with every check, its expectation and verdict" {
    "$TIERBED" verify links --quick --json >"$BATS_TEST_TMPDIR/links.json"
    jq -e '.checks | length > 50' "$BATS_TEST_TMPDIR/links.json"
    jq -e '[.checks[] | has("expected") and has("measured") and has("verdict")] | all' "$BATS_TEST_TMPDIR/links.json"
}

@test "another seed gives other samples of the same laws" {
    "$TIERBED" verify links --quick --json --seed 2 >"$BATS_TEST_TMPDIR/two.json"
    "$TIERBED" verify links --quick --json --seed 3 >"$BATS_TEST_TMPDIR/three.json"
    ! cmp -s "$BATS_TEST_TMPDIR/two.json" "$BATS_TEST_TMPDIR/three.json"
}

@test "a wrong option is wrong usage" {
    run "$TIERBED" verify links --sed 3
    [ "$status" -eq 2 ]
}

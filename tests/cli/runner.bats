#!/usr/bin/env bats
# Goal: the runner counts single tests, and no way of failing slips through: a failed test, a program that dies, one
# that runs nothing, one that was never built, one rank of many, an empty section. Method: negative control: a small
# tree with programs that behave badly on purpose.

setup() {
    tree=$BATS_TEST_TMPDIR/tree
    mkdir -p "$tree"/tests/{base,cli,mpi} "$tree"/build/tests/{base,mpi} "$tree"/build/bin
    cp "$BATS_TEST_DIRNAME/../run_tests.sh" "$tree/tests/"
    program base/test_good 'echo "[  PASSED  ] 3 test(s)." >&2'
}

program() { # program NAME SHELL...: a test and what its program does
    printf '%s\n' "${3:-}" >"$tree/tests/$1.c"
    printf '#!/bin/sh\n%s\n' "$2" >"$tree/build/tests/$1"
    chmod +x "$tree/build/tests/$1"
}

runs() { # runs STATUS LAST-LINE SECTION...
    local status_wanted=$1 last=$2
    shift 2
    run "$tree/tests/run_tests.sh" --build build "$@"
    echo "$output"
    [ "$status" -eq "$status_wanted" ]
    [ "${lines[-1]}" = "$last" ]
}

@test "passed tests are counted one by one, over several groups" {
    program base/test_groups 'echo "[  PASSED  ] 2 test(s)."; echo "[  PASSED  ] 5 test(s)."'
    runs 0 "10 passed, 0 failed" unit
}

@test "a failed test fails the run and its output is shown" {
    program base/test_bad 'echo "why: 1 != 2"; echo "[  PASSED  ] 4 test(s)."
        echo "[  FAILED  ] 1 test(s), listed below:"; echo "[  FAILED  ] a_test"; exit 1'
    runs 1 "7 passed, 1 failed" unit
    [[ $output == *"why: 1 != 2"* ]]
}

@test "skipped tests are counted apart" {
    program base/test_skips 'echo "[  PASSED  ] 1 test(s)."; echo "[  SKIPPED ] 2 test(s), listed below:"'
    runs 0 "4 passed, 0 failed, 2 skipped" unit
}

@test "a program that dies counts as a failure, even after all its tests passed" {
    program base/test_dies 'echo "[  PASSED  ] 2 test(s)."; kill -SEGV $$'
    runs 1 "5 passed, 1 failed" unit
    [[ $output == *"exit code 139"* ]]
}

@test "a program that runs no test counts as a failure" {
    program base/test_nothing 'exit 0'
    runs 1 "3 passed, 1 failed" unit
    [[ $output == *"ran no test"* ]]
}

@test "a test whose program was not built counts as a failure" {
    touch "$tree/tests/base/test_unbuilt.c"
    runs 1 "3 passed, 1 failed" unit
}

@test "a section without any test counts as a failure" {
    runs 1 "0 passed, 1 failed" mpi
    runs 1 "0 passed, 1 failed" cli
}

@test "bats files are counted by test, with failures and skips" {
    printf '%s\n' '@test "a" { true; }' '@test "b" { false; }' '@test "c" { skip "why not"; }' >"$tree/tests/cli/x.bats"
    runs 1 "1 passed, 1 failed, 1 skipped" cli
}

@test "under mpirun each test counts once, however many ranks ran it" {
    command -v mpirun >/dev/null || skip "no mpirun"
    program mpi/test_ranks 'echo "[  PASSED  ] 4 test(s)."' '/* np: 3 */ #include <cmocka.h>'
    runs 0 "4 passed, 0 failed" mpi
    [[ $output == *"(np 3)"* ]]
}

@test "one failing rank fails the test, and its output is shown" {
    command -v mpirun >/dev/null || skip "no mpirun"
    program mpi/test_ranks 'if [ "$OMPI_COMM_WORLD_RANK" = 2 ]; then echo "rank two is unhappy"
        echo "[  PASSED  ] 3 test(s)."; echo "[  FAILED  ] 1 test(s), listed below:"; exit 1; fi
        echo "[  PASSED  ] 4 test(s)."' '/* np: 3 */ #include <cmocka.h>'
    runs 1 "3 passed, 1 failed" mpi
    [[ $output == *"rank two is unhappy"* ]]
}

@test "a program for MPI that nobody starts counts as a failure" {
    program mpi/test_lonely 'exit 0' 'int main(void);'
    runs 1 "0 passed, 1 failed" mpi
    printf '%s\n' '@test "a" { : build/tests/mpi/test_lonely; }' >"$tree/tests/mpi/x.bats"
    runs 0 "1 passed, 0 failed" mpi
}

@test "an unknown section is a usage error" {
    run "$tree/tests/run_tests.sh" --build build everything
    [ "$status" -eq 2 ]
}

fuzz_target() { # fuzz_target NAME SHELL
    cp "$BATS_TEST_DIRNAME/../run_fuzz.sh" "$tree/tests/"
    mkdir -p "$tree/tests/fuzz" "$tree/build/targets"
    touch "$tree/tests/fuzz/fuzz_$1.c"
    printf '#!/bin/sh\n%s\n' "$2" >"$tree/build/targets/$1"
    chmod +x "$tree/build/targets/$1"
}

@test "a fuzz target with a finding fails the run and its output is shown" {
    fuzz_target good 'echo "stat::number_of_executed_units: 12"'
    fuzz_target bad 'echo "heap-buffer-overflow in decode"; exit 77'
    run "$tree/tests/run_fuzz.sh" --build build --seconds 1
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"heap-buffer-overflow in decode"* ]]
    [ "${lines[-1]}" = "fuzz: 1 targets clean, 1 with findings" ]
}

@test "fuzzing without any target fails" {
    cp "$BATS_TEST_DIRNAME/../run_fuzz.sh" "$tree/tests/"
    run "$tree/tests/run_fuzz.sh" --build build
    [ "$status" -eq 1 ]
}

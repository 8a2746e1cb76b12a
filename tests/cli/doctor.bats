#!/usr/bin/env bats
# Goal: doctor tells a ready machine from one that is not, and says how to mend each fault. Method: runs it as it is, and
# with one thing broken at a time: no mpirun, one that fails, one that hangs, no programs, no place for files, low limits.

setup() {
    tierbed=${TIERBED_BIN:-$BATS_TEST_DIRNAME/../../build/bin}/tierbed
    cd "$BATS_TEST_TMPDIR"
}

verdict_of() { # verdict_of NAME: from the JSON in $output
    jq -r --arg name "$1" '.checks[] | select(.name == $name) | .verdict' <<<"$output"
}

mend_of() {
    jq -r --arg name "$1" '.checks[] | select(.name == $name) | .mend' <<<"$output"
}

fake_mpirun() { # fake_mpirun SCRIPT: first on PATH
    mkdir -p fake
    printf '#!/bin/sh\n%s\n' "$1" >fake/mpirun
    chmod +x fake/mpirun
    PATH=$PWD/fake:$PATH
}

@test "on this machine nothing fails, and two MPI ranks pass messages" {
    run "$tierbed" doctor --json
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(jq .fail <<<"$output")" -eq 0 ]
    [ "$(verdict_of 'two ranks')" = ok ]
    [ "$(verdict_of futex)" = ok ]
    [ "$(verdict_of faults)" = ok ]
    [ "$(verdict_of programs)" = ok ]
    [ "$(jq '.ok + .warn + .fail' <<<"$output")" -eq "$(jq '.checks | length' <<<"$output")" ]
}

@test "text and JSON list the same checks; what is not ok says how to mend it" {
    run "$tierbed" doctor --json
    names=$(jq -r '.checks[].name' <<<"$output")
    [ -z "$(jq -r '.checks[] | select(.verdict != "ok" and .mend == "") | .name' <<<"$output")" ]
    run "$tierbed" doctor
    while read -r name; do
        [[ $output == *"$name"* ]]
    done <<<"$names"
    [[ ${lines[-1]} =~ ^[0-9]+\ ok,\ [0-9]+\ warnings,\ [0-9]+\ failures$ ]]
}

@test "without mpirun it fails and says what to install" {
    mkdir empty
    run env PATH="$PWD/empty" "$tierbed" doctor --json
    [ "$status" -eq 1 ]
    [ "$(verdict_of mpirun)" = fail ]
    [[ $(mend_of mpirun) == *openmpi-bin* ]]
}

@test "an mpirun that fails is told with its own words" {
    fake_mpirun 'case $1 in --version) echo "mpirun (Fake MPI) 9.9";; *) echo "no slots for you" >&2; exit 3;; esac'
    run "$tierbed" doctor --json
    [ "$status" -eq 1 ]
    [ "$(verdict_of 'two ranks')" = fail ]
    [[ $output == *"ended with 3: no slots for you"* ]]
    [[ $(mend_of 'two ranks') == *--in-process* ]]
}

@test "an mpirun that starts nothing is not believed" {
    fake_mpirun 'case $1 in --version) echo "mpirun (Fake MPI) 9.9";; *) exit 0;; esac'
    run "$tierbed" doctor --json
    [ "$status" -eq 1 ]
    [ "$(verdict_of 'two ranks')" = fail ]
}

@test "missing programs of roles are named" {
    cp "$tierbed" ./tierbed
    run ./tierbed doctor --json
    [ "$status" -eq 1 ]
    [ "$(verdict_of programs)" = fail ]
    [[ $output == *tierbed-gateway* ]]
}

@test "a directory for temporary files that does not exist fails" {
    run env TMPDIR="$PWD/nowhere" "$tierbed" doctor --json
    [ "$status" -eq 1 ]
    [ "$(verdict_of 'temp files')" = fail ]
    [[ $(mend_of 'temp files') == *TMPDIR* ]]
}

@test "a current directory that cannot be written fails" {
    cd /proc
    run "$tierbed" doctor --json
    [ "$status" -eq 1 ]
    [ "$(verdict_of disk)" = fail ]
}

@test "few open files are a warning, very few a failure" {
    run bash -c 'ulimit -n 400; exec "$1" doctor --json' _ "$tierbed"
    [ "$(verdict_of 'open files')" = warn ]
    [[ $(mend_of 'open files') == *"ulimit -n"* ]]
    run bash -c 'ulimit -n 100; exec "$1" doctor --json' _ "$tierbed"
    [ "$status" -eq 1 ]
    [ "$(verdict_of 'open files')" = fail ]
}

@test "one core is a warning, not a failure" {
    command -v taskset >/dev/null || skip "no taskset(1)"
    run taskset -c 0 "$tierbed" doctor --json
    [ "$status" -eq 0 ]
    [ "$(verdict_of cores)" = warn ]
}

@test "nothing is left behind" {
    run env TMPDIR="$PWD" "$tierbed" doctor
    [ "$status" -eq 0 ]
    [ -z "$(find . -name 'tierbed-doctor-*')" ]
    ! pgrep -f "$tierbed-probe" >/dev/null
}

@test "arguments are refused" {
    run "$tierbed" doctor now
    [ "$status" -eq 2 ]
}

@test "old kernels of OpenBLAS are complained about, with what to change" {
    [ "$(uname -m)" = x86_64 ] && grep -qw avx2 /proc/cpuinfo || skip "no processor with AVX2"
    run "$tierbed" doctor --json
    [ "$(verdict_of learning)" = ok ]
    jq -e '.checks[] | select(.name == "learning") | .text | test("kernels")' <<<"$output"
    OPENBLAS_CORETYPE=Prescott run "$tierbed" doctor --json
    [ "$(verdict_of learning)" = warn ]
    [[ "$(mend_of learning)" == *"OPENBLAS_CORETYPE"* ]]
}

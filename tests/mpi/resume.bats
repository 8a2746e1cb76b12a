#!/usr/bin/env bats
# Goal: a run that learns is the same bits however it is run, and a run that was killed goes on from its last checkpoint
# to the very agent that an uninterrupted run has. Method: CPDRL's agent on few slots, in one process and under mpirun;
# a server killed by the schedule; a whole run killed from outside while it is held to the wall clock, so that it is
# surely in the middle; then what `--resume` must refuse.

setup_file() {
    export TIERBED=${TIERBED_BIN:-build/bin}/tierbed
    export SCENARIO=experiments/cpdrl/cpdrl.yaml
    export OUT="$BATS_FILE_TMPDIR"
}

SMALL=(--set slots=40 --set training.evaluate=10 --set options.batch=8 --set options.episode=10
    --set nodes.device.count=3 --set offloading.redraw=true)

# outcome NAME OPTIONS...: runs and prints "digest checksum objective".
outcome() {
    local name=$1
    shift
    "$TIERBED" run "$@" --json --out "$OUT/$name" 2>"$OUT/$name.err" |
        jq -r 'select(.status == "ok") | [.digest, .summary.results.agent_checksum.value,
            .summary.results.objective_policy.value] | map(tostring) | join(" ")'
}

small() {
    local name=$1
    shift
    outcome "$name" "$SCENARIO" "${SMALL[@]}" "$@"
}

# The agent of an outcome: everything but the digest.
agent() {
    [ -n "$1" ] && cut -d' ' -f2- <<<"$1"
}

@test "a run that learns gives the same bits twice, in one process and under mpirun however it is packed" {
    one=$(small one --in-process)
    [ "$(wc -w <<<"$one")" -eq 3 ]
    [ "$(small again --in-process)" = "$one" ]
    for way in "1 block" "2 block" "2 cyclic" "4 block" "4 cyclic"; do
        set -- $way
        other=$(small "mpi-$1-$2" --processes "$1" --placement "$2")
        [ "$other" = "$one" ] || { echo "$way: $other, not $one"; return 1; }
    done
    [ "$(small single)" = "$one" ]
    [ "$(small seed --in-process --seed 2)" != "$one" ]
}

@test "the other agent with more slots than its warm-up takes: halves equal the whole, and other arms draw alike" {
    for arm in plus search; do
        long=("$SCENARIO" "${SMALL[@]}" --set "options.arm=$arm" --set training.evaluate=0 --in-process)
        all=$(outcome "$arm-all" "${long[@]}" --set slots=240)
        half=$(outcome "$arm-half" "${long[@]}" --set slots=120 --set training.checkpoint=120)
        rest=$(outcome "$arm-rest" --resume "$OUT/$arm-half" --set slots=240 --in-process)
        [ -n "$all" ] && [ "$(agent "$rest")" = "$(agent "$all")" ]
        [ "$arm" = search ] || [ "$(agent "$half")" != "$(agent "$all")" ]
    done
    best() { sqlite3 "$1/metrics.sqlite" "select value from results where name = 'objective_best'"; }
    [ -n "$(best "$OUT/search-all")" ] && [ "$(best "$OUT/search-rest")" = "$(best "$OUT/search-all")" ]
}

@test "a server that the schedule kills right after a checkpoint loses nothing, as a process of its own too" {
    cat >"$OUT/killed.yaml" <<END
$("$TIERBED" scenario print "$SCENARIO" "${SMALL[@]}" --set training.checkpoint=5)
faults:
  - {kind: crash, at: 249 s, node: server}
  - {kind: restart, at: 249.5 s, node: server}
END
    plain=$(small plain --in-process)
    here=$(outcome killed-here "$OUT/killed.yaml" --in-process)
    there=$(outcome killed-there "$OUT/killed.yaml" --processes 2)
    [ "$(agent "$plain")" = "$(agent "$here")" ]
    [ "$here" = "$there" ]
    [ "$(sqlite3 "$OUT/killed-there/metrics.sqlite" 'select sum(crashes) from node_totals')" -eq 1 ]
}

# Processes of this test's run: they inherit its mark.
mine() {
    grep -lsaF "TIERBED_TEST_MARK=$BATS_TEST_TMPDIR" /proc/[0-9]*/environ | cut -d/ -f3 | while read -r pid; do
        [ -r "/proc/$pid/comm" ] && [[ $(cat "/proc/$pid/comm") =~ ^(tierbed|mpirun|orted) ]] && echo "$pid"
    done
}

@test "a whole run that is killed goes on from the checkpoint it left, to the same agent" {
    export TIERBED_TEST_MARK=$BATS_TEST_TMPDIR
    whole=$(small whole --in-process)
    # 400 s of virtual time at 100 times real time; a checkpoint each 0.3 s
    "$TIERBED" run "$SCENARIO" "${SMALL[@]}" --set training.checkpoint=3 --clock wall --speed 100 --processes 2 \
        --out "$OUT/cut" >/dev/null 2>&1 3>&- &
    end=$((SECONDS + 60))
    until [ -s "$OUT/cut/nodes/server.durable" ]; do
        ((SECONDS < end)) || return 1
        sleep 0.05
    done
    # shellcheck disable=SC2046
    kill -KILL $(mine)
    wait || true
    [ -z "$(mine)" ]
    [ "$(jq -r .status "$OUT/cut/manifest.json")" != finished ]
    rest=$(outcome rest --resume "$OUT/cut" --processes 2)
    first=$(sed -n 's/^ *first_slot: //p' "$OUT/rest/scenario.yaml")
    [ "$first" -ge 3 ] && [ "$first" -lt 40 ] && [ $((first % 3)) -eq 0 ]
    [ "$(agent "$rest")" = "$(agent "$whole")" ]
    [ "$(sqlite3 "$OUT/rest/metrics.sqlite" 'select min(slot) from tasks')" -eq "$first" ]
    [ "$(outcome rest-here --resume "$OUT/cut" --in-process)" = "$rest" ]
}

refused() {
    local code=$1 words=$2
    shift 2
    run "$TIERBED" run "$@" --out "$OUT/refused"
    [ "$status" -eq "$code" ] && [[ $output == *"$words"* ]] && [ ! -e "$OUT/refused" ] ||
        { echo "$* gave $status: $output"; return 1; }
}

@test "what cannot go on is refused before anything starts, and the message says why" {
    small stored --in-process --set training.checkpoint=10 --set slots=30 >/dev/null
    refused 2 "is complete, all 30 slots" --resume "$OUT/stored"
    more=(--resume "$OUT/stored" --set slots=40)
    refused 2 "options that scheme" "${more[@]}" --set options.arm=ddpg
    refused 2 "options that scheme" "${more[@]}" --set options.profile=paper
    refused 2 "is of 3 devices, the scenario has 4" "${more[@]}" --set nodes.device.count=4
    refused 2 "another scheme" "${more[@]}" --set scheme=template --set options=
    refused 2 "leave out" "${more[@]}" "$SCENARIO"
    refused 2 "leave out --seed" "${more[@]}" --seed 3
    small bare --in-process >/dev/null
    refused 2 "there is no checkpoint" --resume "$OUT/bare"
    refused 2 "no run directory" --resume "$OUT"
    refused 4 "cannot find" --resume "$OUT/nowhere"
    "$TIERBED" run experiments/factory/quickstart.yaml --set slots=2 --in-process --quiet --out "$OUT/factory"
    refused 2 "has no scheme" --resume "$OUT/factory"
    store=$OUT/stored/nodes/server.durable
    cp "$store" "$OUT/kept"
    truncate -s -1 "$store"
    refused 2 damaged "${more[@]}"
    cp "$OUT/kept" "$store"
    printf '\1' | dd of="$store" bs=1 seek=5000 conv=notrunc status=none
    refused 2 damaged "${more[@]}"
    : >"$store"
    refused 2 "no checkpoint of an edge server" "${more[@]}"
    cp "$OUT/kept" "$store"
    "$TIERBED" run "${more[@]}" --in-process --quiet --out "$OUT/extended"
}

@test "the line that --dry-run prints for a resumed run is complete" {
    small dry --in-process --set training.checkpoint=20 --set slots=20 --set training.evaluate=0 >/dev/null
    line=$("$TIERBED" run --resume "$OUT/dry" --set slots=30 --processes 2 --dry-run --out "$OUT/dried")
    [[ $line == *"training.first_slot=20"* && $line == *mpirun* ]]
    eval "$line" 2>/dev/null
    jq -e '.status == "finished"' "$OUT/dried/manifest.json"
}

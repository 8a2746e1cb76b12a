#!/usr/bin/env bats
# Goal: real processes join with the keys of a directory, seal what they send, and give the result of a run without; one
# that cannot prove who it is costs its own tasks and nothing else; nodes in child processes are no exception.
# Method: quickstart under mpirun with directories that are sound or not, compared by digest and by the record.

setup_file() {
    export TIERBED=${TIERBED_BIN:-build/bin}/tierbed
    export OUT="$BATS_FILE_TMPDIR"
    # The very keys that follow from the seed of the scenario: validators' signatures are part of what travels.
    "$TIERBED" keys init "$OUT/keys" --scenario experiments/factory/quickstart.yaml --seed 1
    "$TIERBED" keys init "$OUT/fresh" --scenario experiments/factory/quickstart.yaml
    {
        cat experiments/factory/quickstart.yaml
        echo '  - {kind: duplicate, at: 0 s, until: 3 s, from: sensor, to: gateway, value: 1}'
        echo '  - {kind: corrupt, at: 0 s, until: 3 s, from: gateway, to: edge, value: 1}'
    } >"$OUT/noisy.yaml"
}

# start NAME OPTIONS...: runs a few slots of quickstart; prints its digest.
start() {
    local name=$1
    shift
    "$TIERBED" run "${SCENARIO:-experiments/factory/quickstart.yaml}" --json --no-report --set slots=4 --out "$OUT/$name" "$@" \
        >"$OUT/$name.json" 2>"$OUT/$name.stderr" || {
        cat "$OUT/$name.stderr" >&2
        return 1
    }
    jq -r 'select(.status == "ok") | .digest' "$OUT/$name.json"
}

ask() { sqlite3 "$OUT/$1/metrics.sqlite" "$2"; }

@test "with keys, without, sealed or in the clear: one digest, and everybody is admitted" {
    plain=$(start plain --in-process)
    [ ${#plain} -eq 64 ]
    [ "$(start keyed --set "identity.keys=$OUT/keys")" = "$plain" ]
    [ "$(start packed --processes 3 --set "identity.keys=$OUT/keys")" = "$plain" ]
    [ "$(start clear --processes 3 --set identity.seal=false)" = "$plain" ]
    fresh=$(start fresh-packed --processes 2 --set "identity.keys=$OUT/fresh")
    [ "$(start fresh-one --in-process --set "identity.keys=$OUT/fresh")" = "$fresh" ] && [ "$fresh" != "$plain" ]
    for name in plain keyed packed clear fresh-packed fresh-one; do
        [ "$(ask $name "select count(*) from node_totals where admission <> 'admitted'")" -eq 0 ]
        [ "$(ask $name "select sum(join_refused + unsealed + replayed + forbidden) from node_totals")" -eq 0 ]
    done
}

@test "a sensor with a foreign certificate is not heard, and nobody else notices" {
    cp -r "$OUT/keys" "$OUT/strange"
    "$TIERBED" keys init "$OUT/other" --nodes sensor-1-1
    cp "$OUT/other"/sensor-1-1.* "$OUT/strange"
    start strange-run --processes 4 --set "identity.keys=$OUT/strange"
    [ "$(ask strange-run "select n.name || ' ' || t.admission from node_totals t join nodes n using (node_id)
        where t.admission <> 'admitted'")" = "sensor-1-1 foreign authority" ]
    [ "$(ask strange-run "select n.name || ' ' || t.join_refused from node_totals t join nodes n using (node_id)
        where t.join_refused > 0")" = "gateway-1 4" ]
    [ "$(ask strange-run "select group_concat(distinct n.name) from tasks t join nodes n on n.node_id = t.device_id
        where t.drop_reason = 'unanswered'")" = "sensor-1-1" ]
    jq -e '.summary.identity == {not_admitted: 1, join_refused: 4, unsealed: 0, replayed: 0, forbidden: 0}' \
        "$OUT/strange-run.json"
}

@test "a duplicating link's second copies are replays, a corrupting link's damage does not open" {
    SCENARIO="$OUT/noisy.yaml" start noisy --processes 2
    [ "$(ask noisy "select sum(duplicated) from link_totals")" -gt 0 ]
    [ "$(ask noisy "select sum(duplicated) from link_totals")" -eq "$(ask noisy "select sum(replayed) from node_totals")" ]
    [ "$(ask noisy "select sum(corrupted) from link_totals")" -gt 0 ]
    [ "$(ask noisy "select sum(corrupted) from link_totals")" -eq "$(ask noisy "select sum(unsealed) from node_totals")" ]
}

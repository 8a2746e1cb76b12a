#!/usr/bin/env bats
# Goal: summary, report and `runs show` of a run with a scheme say what it has and nothing that it does not have: no
# accuracy where nothing is diagnosed, no gateways where there are none, the results first; a run that goes on with an
# earlier one counts time and slots from where it began. Method: CPDRL and a factory with few slots, side by side.

setup_file() {
    export TIERBED=${TIERBED_BIN:-build/bin}/tierbed
    export OUT="$BATS_FILE_TMPDIR"
    "$TIERBED" run experiments/cpdrl/cpdrl.yaml --in-process --set slots=12 --set training.evaluate=4 \
        --set training.checkpoint=6 --set options.batch=4 --out "$OUT/scheme" >"$OUT/scheme.txt" 2>/dev/null
    "$TIERBED" run experiments/factory/quickstart.yaml --in-process --set slots=3 --out "$OUT/factory" \
        >"$OUT/factory.txt" 2>/dev/null
    "$TIERBED" run --resume "$OUT/scheme" --set slots=20 --in-process --out "$OUT/rest" >"$OUT/rest.txt" 2>/dev/null
}

# lacks FILE WORDS: no line of FILE has them.
lacks() {
    [ "$(grep -Ec "$2" "$1")" -eq 0 ] || { grep -E "$2" "$1"; return 1; }
}

@test "the summary names the scheme, puts results first and leaves out what there is not" {
    head -n 1 "$OUT/scheme.txt" | grep -q '^cpdrl, seed 1, scheme cpdrl: finished'
    grep -q '^ *run *8 devices, 1 edge server; in-process' "$OUT/scheme.txt"
    [ "$(grep -n '^ *results' "$OUT/scheme.txt" | cut -d: -f1)" -lt "$(grep -n '^ *tasks' "$OUT/scheme.txt" | cut -d: -f1)" ]
    grep -Eq '^ *agent_checksum +[0-9]{9,15}$' "$OUT/scheme.txt" # every digit
    grep -Eq '^ *done at *device [0-9]+, edge [0-9]+$' "$OUT/scheme.txt"
    lacks "$OUT/scheme.txt" 'accuracy|gateway|policy greedy|not recorded'
    "$TIERBED" runs show "$OUT/scheme" >"$OUT/shown.txt"
    grep -q 'scheme cpdrl' "$OUT/shown.txt"
    lacks "$OUT/shown.txt" accuracy
}

@test "a factory's summary is what it was" {
    head -n 1 "$OUT/factory.txt" | grep -q 'policy greedy: finished'
    grep -q '4 gateways, 1 edge servers' "$OUT/factory.txt"
    grep -q 'accuracy' "$OUT/factory.txt"
    grep -q 'true \\ found' "$OUT/factory.txt"
}

@test "the report has no diagnosis and no criticality where there is none, and results above curves" {
    lacks "$OUT/scheme/report.html" 'Diagnosis|criticality k|Accuracy|gateway-full'
    grep -q '<span>scheme</span> <b>cpdrl</b>' "$OUT/scheme/report.html"
    [ "$(grep -n '<h2>Results' "$OUT/scheme/report.html" | cut -d: -f1)" -lt \
        "$(grep -n '<h2>Learning' "$OUT/scheme/report.html" | cut -d: -f1)" ]
    grep -q 'Diagnosis' "$OUT/factory/report.html"
    grep -q 'criticality k' "$OUT/factory/report.html"
    grep -q 'gateway-full' "$OUT/factory/report.html"
}

@test "JSON and tables tell the scheme; classes of its tasks are NULL" {
    [ "$("$TIERBED" runs show "$OUT/scheme" --json | jq -r '[.summary.scheme, .summary.diagnosis.processed] | join(" ")')" = "cpdrl 0" ]
    [ "$("$TIERBED" runs show "$OUT/factory" --json | jq -r .summary.scheme)" = none ]
    sql() { sqlite3 "$OUT/$1/metrics.sqlite" "$2"; }
    [ "$(sql scheme "select count(*) from tasks where true_class is not null or class is not null")" -eq 0 ]
    [ "$(sql scheme "select count(*) from v_tasks where right is not null")" -eq 0 ]
    [ "$(sql factory "select count(*) from tasks where true_class is null")" -eq 0 ]
    [ "$(sql scheme "select value from meta where key = 'begin_ns'")" -eq 0 ]
}

@test "a run that goes on with another counts from where it began" {
    grep -q 'goes on with an earlier run: from slot 12 of 20' "$OUT/rest.txt"
    lacks "$OUT/rest.txt" unreported
    grep -q '^ *tasks *64 born' "$OUT/rest.txt"
    grep -q '^ *time *81.000 s virtual' "$OUT/rest.txt"
    [ "$(sqlite3 "$OUT/rest/metrics.sqlite" "select value from meta where key = 'begin_ns'")" -eq 120000000000 ]
    lacks "$OUT/scheme.txt" 'goes on'
}

@test "arms that go by the closed form refuse more devices than it takes, instead of deciding nothing" {
    for arm in tem local-optimum offload-optimum; do
        run "$TIERBED" run experiments/cpdrl/cpdrl.yaml --in-process --set slots=2 --set training.evaluate=0 \
            --set options.arm=$arm --set nodes.device.count=25 --out "$OUT/many-$arm"
        [ "$status" -eq 2 ]
        [[ "$output" == *"at most 24 devices"* ]]
    done
}

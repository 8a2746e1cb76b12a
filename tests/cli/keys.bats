#!/usr/bin/env bats
# Goal: `tierbed keys` makes keys and certificates that the openssl command agrees with, closes private ones to others,
# never overwrites, and says what would keep a node from joining; runs with such a directory admit who belongs and go on
# without who does not. Method: the command, openssl and jq on directories that are sound or damaged in one place.

setup() {
    root=$BATS_TEST_DIRNAME/../..
    tierbed=${TIERBED_BIN:-$root/build/bin}/tierbed
    scenario=$root/experiments/factory/quickstart.yaml
    cd "$BATS_TEST_TMPDIR" || return 1
}

@test "certificates of a scenario verify with openssl and say name and role" {
    run "$tierbed" keys init keys --scenario "$scenario"
    [ "$status" -eq 0 ] || { echo "$output"; return 1; }
    nodes=0
    for certificate in keys/*.pem; do
        openssl verify -CAfile keys/ca.pem "$certificate"
        nodes=$((nodes + 1))
    done
    [ "$nodes" -ge 26 ]
    openssl x509 -in keys/gateway-2.pem -noout -text | grep -q 'URI:tierbed:role:gateway'
    openssl x509 -in keys/gateway-2.pem -noout -subject | grep -q 'CN = gateway-2'
    openssl pkey -in keys/gateway-2.key -noout -text | grep -q ED25519
    [ "$(openssl pkey -in keys/gateway-2.key -pubout)" = "$(openssl x509 -in keys/gateway-2.pem -noout -pubkey)" ]
}

@test "private keys are closed to others, whatever the umask" {
    (umask 0 && "$tierbed" keys init keys --nodes a,b:edge)
    [ "$(stat -c %a keys)" = 700 ]
    for key in keys/*.key; do
        [ "$(stat -c %a "$key")" = 600 ]
    done
    [ "$(stat -c %a keys/a.pem)" = 644 ]
}

@test "nothing is ever overwritten" {
    "$tierbed" keys init keys --nodes a
    before=$(cat keys/*)
    run "$tierbed" keys init keys --nodes a
    [ "$status" -eq 2 ]
    [[ $output == *"never overwritten"* ]]
    [ "$(cat keys/*)" = "$before" ]
    mkdir empty
    "$tierbed" keys init empty --nodes a
}

@test "a seed gives the same directory again, and none gives a fresh one" {
    "$tierbed" keys init one --nodes a,b:chain --seed 5
    "$tierbed" keys init two --nodes a,b:chain --seed 5
    diff -r one two
    "$tierbed" keys init three --nodes a,b:chain
    "$tierbed" keys init four --nodes a,b:chain
    run cmp -s three/a.key four/a.key
    [ "$status" -eq 1 ]
    run cmp -s three/ca.pem four/ca.pem
    [ "$status" -eq 1 ]
}

@test "wrong usage is refused with a reason and leaves nothing behind" {
    while IFS='|' read -r arguments reason; do
        run "$tierbed" keys $arguments
        [ "$status" -eq 2 ] || { echo "$arguments: $status"; return 1; }
        [[ $output == *"$reason"* ]] || { echo "$arguments: $output"; return 1; }
        [ ! -e d ]
    done <<'CASES'
init d|either --nodes or --scenario
init d --nodes a --scenario x|either --nodes or --scenario
init d --nodes a:king|no role
init d --nodes a:director|no role
init d --nodes ../a|no node
init d --nodes a,,b|no node
init d --nodes a,a|taken
init d --nodes ca|taken
init d --nodes a --seed x|whole number
frobnicate d|init, show and check
show|init DIR
CASES
}

@test "show and check tell a sound directory" {
    "$tierbed" keys init keys --scenario "$scenario"
    run "$tierbed" keys check keys --scenario "$scenario"
    [ "$status" -eq 0 ]
    [[ $output == *" 0 with problems"* ]]
    "$tierbed" keys show keys --json | jq -e '.problems == 0 and (.nodes | length >= 25)
        and all(.nodes[]; .certificate and .private_key and (.public_key | length == 64))'
}

@test "check names every node that would not be admitted, and why" {
    "$tierbed" keys init other --nodes sensor-1-1
    "$tierbed" keys init keys --scenario "$scenario"
    cp other/sensor-1-1.pem keys/
    cp keys/sensor-1-2.key keys/sensor-1-3.key
    cp keys/sensor-1-2.pem keys/sensor-1-4.pem
    chmod 644 keys/edge.key
    rm keys/gateway-1.pem
    run "$tierbed" keys check keys --scenario "$scenario" --json
    [ "$status" -eq 1 ]
    jq -e '.problems == 5' <<<"$output"
    problem() { jq -r --arg name "$1" '.nodes[] | select(.name == $name).problem' <<<"$output"; }
    [[ $(problem sensor-1-1) == *"not signed by"* ]]
    [[ $(problem sensor-1-3) == *"not that of the certificate"* ]]
    [[ $(problem sensor-1-4) == *"another name"* ]]
    [[ $(problem edge) == *"chmod 600"* ]]
    [[ $(problem gateway-1) == *"gateway-1.pem"* ]]
}

@test "check compares roles with the scenario" {
    "$tierbed" keys init keys --nodes edge:edge,gateway-1:edge --seed 1
    run "$tierbed" keys check keys --scenario "$scenario"
    [ "$status" -eq 1 ]
    [[ $output == *"role edge, the scenario gives it role gateway"* ]]
}

@test "a directory without authority is an error with advice, for check and for a run" {
    mkdir nothing
    run "$tierbed" keys check nothing
    [ "$status" -eq 4 ]
    run "$tierbed" run "$scenario" --in-process --set identity.keys=nothing --out out
    [ "$status" -eq 4 ]
    [[ $output == *"tierbed keys init"* ]]
    [ ! -e out ]
}

@test "a run with keys has the digest of one without, sealed or not, and refuses a stranger" {
    go() { "$tierbed" run "$scenario" --in-process --no-report --set slots=3 --out "$@"; }
    digest() { sqlite3 "$1/metrics.sqlite" "select value from meta where key = 'digest'"; }
    "$tierbed" keys init keys --scenario "$scenario" --seed 1 # what a run with this seed has without a directory
    go plain
    go keyed --set identity.keys=keys
    go open --set identity.keys=keys --set identity.seal=false
    [ -n "$(digest plain)" ]
    [ "$(digest plain)" = "$(digest keyed)" ]
    [ "$(digest plain)" = "$(digest open)" ]
    [ "$(sqlite3 keyed/metrics.sqlite "select count(*) from node_totals where admission <> 'admitted'")" -eq 0 ]
    "$tierbed" keys init other --nodes sensor-1-1
    cp other/sensor-1-1.* keys/
    run go strange --set identity.keys=keys
    [ "$status" -eq 0 ]
    [[ $output == *"1 nodes not admitted; dropped: join refused 3"* ]]
    [ "$(sqlite3 strange/metrics.sqlite "select n.name || ' ' || t.admission from node_totals t join nodes n using (node_id)
        where t.admission <> 'admitted'")" = "sensor-1-1 foreign authority" ]
    "$tierbed" report strange
    grep -q 'foreign authority' strange/report.html
}

@test "validators agree without one that has no key of its own" {
    four=$root/experiments/chain/four.yaml
    "$tierbed" keys init keys --scenario "$four"
    cp keys/validator-1.key keys/validator-2.key
    "$tierbed" run "$four" --in-process --json --set slots=5 --set identity.keys=keys --out out >out.json
    [ "$(jq .summary.identity.not_admitted out.json)" -eq 1 ]
    [ "$(jq .summary.chain.most_height out.json)" -ge 3 ]
    [ "$(jq .summary.chain.least_height out.json)" -eq 0 ]
    [ "$(jq .summary.chain.ledgers_agree out.json)" -eq 4 ]
}

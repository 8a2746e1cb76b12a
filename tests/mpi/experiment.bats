#!/usr/bin/env bats
# Goal: a point of an experiment, repeated alone under mpirun by the command that points.csv gives, has the digest that
# points.csv gives. Method: the first and the last run of the quick policies experiment, with one process per node and
# packed into two.

@test "a run of an experiment repeated alone under mpirun has the same digest" {
    local tierbed=${TIERBED_BIN:-build/bin}/tierbed out=$BATS_TEST_TMPDIR line command wanted got way number=0
    "$tierbed" experiment run factory/policies --quick --seeds 1 --quiet --out "$out" --cache "$out/cache" || true
    [ "$(wc -l <"$out/factory/policies-quick/points.csv")" -eq 13 ]
    for line in "$(sed -n 2p "$out/factory/policies-quick/points.csv")" "$(tail -n 1 "$out/factory/policies-quick/points.csv")"; do
        wanted=$(cut -d, -f7 <<<"$line")
        command=$(cut -d, -f8 <<<"$line")
        [ ${#wanted} -eq 64 ]
        for way in "" "--processes 2"; do
            number=$((number + 1))
            # shellcheck disable=SC2086 # the command as a user would paste it, and options
            got=$(eval "$tierbed ${command#tierbed } $way --json --out $out/alone-$number" 2>/dev/null | jq -r .digest)
            [ "$got" = "$wanted" ] || { echo "$command $way: $got, not $wanted"; return 1; }
        done
    done
}

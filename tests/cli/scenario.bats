#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# Goal: `tierbed scenario` accepts the scenarios of this repository, refuses each class of bad ones with place and
# suggestion, and prints what loads back to the same. Method: the files of experiments/factory and tests/cli/bad;
# output and exit codes are compared with what the manual promises.

setup() {
  root="$BATS_TEST_DIRNAME/../.."
  tierbed="${TIERBED_BIN:-$root/build/bin}/tierbed"
  factory="$root/experiments/factory"
  bad="$BATS_TEST_DIRNAME/bad"
}

scenario() {
  run --separate-stderr "$tierbed" scenario "$@"
}

@test "the factory scenarios are valid" {
  for name in quickstart faulty scale200; do
    scenario check "$factory/$name.yaml"
    [ "$status" -eq 0 ]
    [[ $output == *"$name.yaml: ok, "* ]]
    [ -z "$stderr" ]
  done
}

@test "what print writes prints as itself" {
  for name in quickstart faulty scale200; do
    "$tierbed" scenario print "$factory/$name.yaml" > "$BATS_TEST_TMPDIR/once.yaml"
    "$tierbed" scenario print "$BATS_TEST_TMPDIR/once.yaml" > "$BATS_TEST_TMPDIR/twice.yaml"
    cmp "$BATS_TEST_TMPDIR/once.yaml" "$BATS_TEST_TMPDIR/twice.yaml"
  done
}

@test "--set changes what is printed, for one entry or for all" {
  scenario print "$factory/quickstart.yaml" --set slots=7 --set 'links.*.queue=9' --set nodes.sensor.per_parent=2
  [ "$status" -eq 0 ]
  [[ $output == *"slots: 7"* ]]
  [ "$(grep -c 'queue: 9$' <<< "$output")" -eq 7 ]
  [[ $output == *"per_parent: 2"* ]]
}

@test "many mistakes are reported at once, in order, with place and suggestion" {
  scenario check "$bad/many.yaml"
  [ "$status" -eq 2 ]
  [ -z "$output" ]
  [[ $stderr == *"many.yaml:3:1: unknown key \`sloot\`; did you mean \`slot\`?"* ]]
  [[ $stderr == *"many.yaml:6:1: duplicate key \`slots\`, already given on line 5"* ]]
  [[ $stderr == *"many.yaml:10:11: nodes[0].role: expected one of"*"did you mean \`edge\`?"* ]]
  [[ $stderr == *"many.yaml:22:9: links[0].to: there is no node or group \`gatway\`; did you mean \`gateway\`?"* ]]
  [[ $stderr == *"task.size: expected a data size such as \`64 kbit\`"* ]]
  lines=$(grep -o 'many.yaml:[0-9]*' <<< "$stderr" | cut -d: -f2)
  [ "$lines" = "$(sort -n <<< "$lines")" ]
}

@test "each class of mistake has its message and exit code 2" {
  check_bad() {
    scenario check "$bad/$1"
    [ "$status" -eq 2 ]
    [[ $stderr == *"$2"* ]]
  }
  check_bad syntax.yaml "syntax.yaml:4:"
  check_bad syntax.yaml "YAML syntax"
  check_bad units.yaml "got \`1\` without a unit"
  check_bad units.yaml "which is a frequency"
  check_bad units.yaml "did you mean \`Mbit/s\`?"
  check_bad names.yaml "there is no group \`egde\`; did you mean \`edge\`?"
  check_bad names.yaml "did you mean \`sensor\`?"
  check_bad bomb.yaml "anchors"
}

@test "a wrong --set names the assignment" {
  scenario check "$factory/quickstart.yaml" --set task.size=64
  [ "$status" -eq 2 ]
  [[ $stderr == *"--set task.size=64: task.size: expected a data size"* ]]
}

@test "check --json is one object with every problem" {
  scenario check --json "$bad/names.yaml"
  [ "$status" -eq 2 ]
  [ "$(jq -r .ok <<< "$output")" = false ]
  [ "$(jq '.problems | length' <<< "$output")" -ge 3 ]
  [ "$(jq '.problems[0].line' <<< "$output")" -eq 5 ]
  scenario check --json "$factory/quickstart.yaml"
  [ "$status" -eq 0 ]
  [ "$(jq -c '[.ok, .nodes, .links]' <<< "$output")" = "[true,29,68]" ]
}

@test "a file that is missing, a folder, or binary is refused with its own code" {
  scenario check "$BATS_TEST_TMPDIR/none.yaml"
  [ "$status" -eq 4 ]
  [[ $stderr == *"No such file"* ]]
  scenario check "$BATS_TEST_TMPDIR"
  [ "$status" -eq 4 ]
  head -c 2000000 /dev/zero > "$BATS_TEST_TMPDIR/zero.yaml"
  scenario check "$BATS_TEST_TMPDIR/zero.yaml"
  [ "$status" -eq 2 ]
  [[ $stderr == *"1 MiB"* ]]
}

@test "a full disk is an error, not a short file" {
  [ -w /dev/full ] || skip "there is no /dev/full here"
  run bash -c "'$tierbed' scenario print '$factory/quickstart.yaml' > /dev/full"
  [ "$status" -eq 4 ]
  [[ $output == *"cannot write"* ]]
}

@test "usage errors say what there is and exit with 2" {
  for words in "" "frobnicate" "check" "print a b" "schema x"; do
    # shellcheck disable=SC2086
    scenario $words
    [ "$status" -eq 2 ]
    [ -n "$stderr" ]
  done
}

@test "the schema is JSON Schema" {
  scenario schema
  [ "$status" -eq 0 ]
  [ "$(jq -r '."$schema"' <<< "$output")" = "https://json-schema.org/draft/2020-12/schema" ]
  [ "$(jq -r '.properties.links.items.properties.kind.enum | join(" ")' <<< "$output")" = \
    "ideal wired ofdma lte-m trace ofdma-share" ]
}

@test "the reference page in docs is the one the program writes" {
  "$tierbed" scenario reference > "$BATS_TEST_TMPDIR/scenario.md"
  diff "$root/docs/reference/scenario.md" "$BATS_TEST_TMPDIR/scenario.md"
}

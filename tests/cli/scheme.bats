#!/usr/bin/env bats
# Goal: `tierbed scheme` lists schemes and makes a working copy of the template.
# Method: a copy of the sources with the objects that are built already, in which a new scheme is made, built, tested and run.

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  build=${TIERBED_BIN:-$PWD/build/release/bin}
  build=${build#"$PWD"/}
  build=${build%/bin}
}

@test "list names every scheme of schemes.def" {
  run tierbed scheme list
  [ "$status" -eq 0 ]
  while read -r name; do
    grep -q "^$name " <<<"$output"
  done < <(sed -n 's/^SCHEME(\([a-z0-9_]*\),.*/\1/p' schemes/schemes.def)
  tierbed scheme list --json | jq -e 'map(.name) | index("cpdrl") != null' >/dev/null
}

@test "names that are taken, or no names, are refused before anything is written" {
  run tierbed scheme new cpdrl
  [ "$status" -eq 2 ]
  [[ "$output" == *"is already there"* ]]
  for name in none Upper 1st "a b" ""; do
    run tierbed scheme new "$name"
    [ "$status" -eq 2 ]
  done
  cd "$BATS_TEST_TMPDIR"
  run tierbed scheme new mine
  [ "$status" -eq 2 ]
  [[ "$output" == *"--dir"* ]]
  [ -z "$(ls)" ]
}

@test "a new scheme builds, passes its test, and runs" {
  local copy=$BATS_TEST_TMPDIR/tree
  mkdir "$copy"
  cp -a Makefile common schemes nodes cli bench campaign tests experiments "$copy"
  mkdir -p "$copy/$build"
  cp -a "$build/obj" "$build"/*.a "$build"/*.txt "$copy/$build/"
  run tierbed scheme new mine --dir "$copy" --summary "Mine"
  [ "$status" -eq 0 ]
  cd "$copy"
  run make --no-print-directory -s "$build/bin/tierbed" "$build/tests/schemes/test_mine"
  echo "$output"
  [ "$status" -eq 0 ]
  "$build/tests/schemes/test_mine"
  "$build/bin/tierbed" scheme list | grep -q '^mine  *Mine'
  "$build/bin/tierbed" run --in-process -o "$BATS_TEST_TMPDIR/run" experiments/mine/mine.yaml --json |
    jq -e '.summary.results.objective_policy.value > 0' >/dev/null
}

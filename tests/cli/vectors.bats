#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# Goal: `tierbed verify vectors` passes what is right, fails what is wrong, and never passes what it cannot compute.
# Method: vectors_other.json holds numbers from a second implementation (vectors_reference.py); single vectors are
# changed with jq, and output and exit codes are compared with what the manual promises.

setup() {
  tierbed="${TIERBED_BIN:-$BATS_TEST_DIRNAME/../../build/bin}/tierbed"
  other="$BATS_TEST_DIRNAME/vectors_other.json"
  file="$BATS_TEST_TMPDIR/vectors.json"
}

# change FILTER: the other vectors, changed by a jq filter, into $file.
change() {
  jq "$1" "$other" > "$file"
}

# only CASE FILTER: the one vector of this case, changed, into $file.
only() {
  change ".vectors |= (map(select(.case == \"$1\")) | map($2))"
}

verify() {
  run --separate-stderr "$tierbed" verify vectors "$@"
}

@test "every known case agrees with a second implementation on other numbers" {
  verify "$other"
  [ "$status" -eq 0 ]
  cases=$("$tierbed" verify vectors --list | wc -l)
  [ "$cases" -ge 37 ]
  [[ "${lines[-1]}" == "$cases passed, 0 failed, 0 unknown, 0 invalid;"* ]]
}

@test "the published vectors hold, where they are at hand" {
  published=$(ls "${TIERBED_SHARED:-$BATS_TEST_DIRNAME/../../../shared}"/specs/vectors/*.json 2> /dev/null) ||
    skip "published vectors not found: set TIERBED_SHARED to the folder that holds specs/vectors"
  verify --json $published
  [ "$status" -eq 3 ] || [ "$status" -eq 0 ] # 3: cases of systems that are still to come
  [ "$(jq .failed <<< "$output")" -eq 0 ]
  [ "$(jq .invalid <<< "$output")" -eq 0 ]
  [ "$(jq .passed <<< "$output")" -ge 39 ]
}

@test "one changed number in each vector makes each vector fail" {
  change '.vectors[].outputs |= ([leaf_paths][-1] as $p | setpath($p; getpath($p) | if . == 0 then 1 else . * 1.00000001 + 1e-14 end))'
  verify --json "$file"
  [ "$status" -eq 1 ]
  [ "$(jq .passed <<< "$output")" -eq 0 ]
  [ "$(jq .failed <<< "$output")" -eq "$(jq '.vectors | length' "$other")" ]
  [ "$(jq '[.vectors[].values[] | select(.verdict != "ok")] | length' <<< "$output")" -eq "$(jq '.vectors | length' "$other")" ]
}

@test "a changed input is computed with, not looked up" {
  only 003-local '.inputs.n_local += 1'
  verify "$file"
  [ "$status" -eq 1 ]
  only 003-local '.inputs.n_local *= 2 | .outputs.L *= 2 | .outputs.u_l *= 2'
  verify "$file"
  [ "$status" -eq 0 ]
}

@test "any subset of the outputs may be given" {
  change '.vectors[].outputs |= with_entries(select(.key == "tau" or .key == "T_s" or .key == "C"))
          | .vectors |= map(select(.outputs != {}))'
  verify "$file"
  [ "$status" -eq 0 ]
  [[ "$output" == *"003-rate"*" tau "*" ok"* ]]
  [[ "$output" != *" Omega"* ]]
}

@test "an output that the case does not compute is a failure" {
  only 003-rate '.outputs = {"speed": 3}'
  verify "$file"
  [ "$status" -eq 1 ]
  [[ "$output" == *"speed"*"not computed"* ]]
}

@test "an array of another length is a failure" {
  only 003-rate '.outputs.R |= .[1:]'
  verify "$file"
  [ "$status" -eq 1 ]
  [[ "$output" == *" R "*"wrong length"* ]]
}

@test "counts are compared exactly, whatever rtol says" {
  only 003-rate '.rtol = 0.05 | .outputs = {"q": 201}'
  q=$("$tierbed" verify vectors --json "$file" | jq '.vectors[0].values[0].got')
  only 003-rate ".rtol = 0.05 | .outputs = {\"q\": $q}"
  verify "$file"
  [ "$status" -eq 0 ]
  only 003-rate ".rtol = 0.05 | .outputs = {\"q\": $((q + 1))}"
  verify "$file"
  [ "$status" -eq 1 ]
}

@test "rtol is respected and cannot be made so large that anything passes" {
  only 000-01 '.outputs.T_s *= 1.0000001 | .rtol = 1e-6'
  verify "$file"
  [ "$status" -eq 0 ]
  only 000-01 '.outputs.T_s *= 1.0000001 | .rtol = 1e-9'
  verify "$file"
  [ "$status" -eq 1 ]
  only 000-01 '.rtol = 5'
  verify "$file"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *'$.vectors[0].rtol'* ]]
}

@test "a value that is not finite agrees with null and with no number" {
  only 000-06 '.inputs.conv[1] = .inputs.trans[1] | .outputs = {"slope": null, "L_cal": 0}'
  verify "$file"
  [ "$status" -eq 0 ]
  only 000-06 '.inputs.conv[1] = .inputs.trans[1] | .outputs = {"slope": 1e308}'
  verify "$file"
  [ "$status" -eq 1 ]
  [[ "$output" == *inf*MISMATCH* ]]
  only 000-06 '.outputs = {"slope": null}'
  verify "$file"
  [ "$status" -eq 1 ]
}

@test "an unknown case is never passed, and a mismatch outweighs it" {
  change '.vectors[0].case = "900-nothing"'
  verify "$file"
  [ "$status" -eq 3 ]
  [[ "$output" == *"900-nothing: UNKNOWN"* ]]
  change '.vectors[0].case = "900-nothing" | .vectors[1].outputs.T_s = 1'
  verify "$file"
  [ "$status" -eq 1 ]
}

@test "a missing input is named with file and path" {
  only 003-rate 'del(.inputs.psi_BNG)'
  verify "$file"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"$file"*'$.vectors[0].inputs.psi_BNG: this input is missing'* ]]
}

@test "inputs of a wrong type, length or range are named with their path" {
  only 003-rate '.inputs.N0 = "low"'
  verify "$file"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *'$.vectors[0].inputs.N0: expected a number > 0, found "low"'* ]]
  only 003-rate '.inputs.psi_BNG[1] = -1'
  verify "$file"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *'$.vectors[0].inputs.psi_BNG[1]: expected a number > 0, found -1'* ]]
  only 003-queue '.inputs.o |= .[2:]'
  verify "$file"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *'$.vectors[0].inputs.o: expected 9 entries'* ]]
  only 003-markov '.inputs.P[2] = [0.5, 0.5, 0.5, 0.5]'
  verify "$file"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *'$.vectors[0].inputs.P'* ]]
}

@test "one malformed vector does not hide the verdict on the others" {
  change 'del(.vectors[3].inputs.B) | .vectors[5].outputs.T_cost = 7'
  verify --json "$file"
  [ "$status" -eq 2 ]
  [ "$(jq .invalid <<< "$output")" -eq 1 ]
  [ "$(jq .failed <<< "$output")" -eq 1 ]
  [ "$(jq '.problems | length' <<< "$output")" -eq 1 ]
}

@test "what is not a file of vectors is refused" {
  printf '{"vectors": [\n{"id": }' > "$file"
  verify "$file"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"line 2"* ]]
  printf '{"vectors": [], "vectors": []}' > "$file"
  verify "$file"
  [ "$status" -eq 2 ]
  for text in '{}' '[]' '{"vectors": []}' '{"vectors": 3}' '{"vectors": [5]}' '{"vectors": [{"id": "a", "case": "003-fit"}]}' ''; do
    printf '%s' "$text" > "$file"
    verify "$file"
    [ "$status" -eq 2 ]
    [ -n "$stderr" ]
  done
}

@test "a vector with nothing to compare is refused" {
  only 003-fit '.outputs = {}'
  verify "$file"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *'$.vectors[0].outputs'* ]]
}

@test "a file that cannot be read ends with 4" {
  verify "$BATS_TEST_TMPDIR/none.json"
  [ "$status" -eq 4 ]
  [[ "$stderr" == *none.json*"No such file"* ]]
  verify "$BATS_TEST_TMPDIR"
  [ "$status" -eq 4 ]
}

@test "--json prints one object and nothing else" {
  verify --json "$other"
  [ "$status" -eq 0 ]
  [ "$(jq -s length <<< "$output")" -eq 1 ]
  [ "$(jq '.vectors | length' <<< "$output")" -eq 37 ]
  [ "$(jq -r '.vectors[0] | .id + " " + .verdict + " " + .equations' <<< "$output")" = "other-000-01 passed IPOR Eq. (1), (7)" ]
  [ "$(jq '[.vectors[].values[]] | length' <<< "$output")" -eq "$(jq .values_compared <<< "$output")" ]
}

@test "--quiet prints what fails and the summary" {
  change '.vectors[0].outputs.T_s = 1'
  verify --quiet "$file"
  [ "$status" -eq 1 ]
  [ "${#lines[@]}" -eq 2 ]
  [[ "${lines[0]}" == *"T_s"*MISMATCH ]]
}

@test "usage errors end with 2 and say what was expected" {
  run --separate-stderr "$tierbed" verify
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"vectors FILE"* ]]
  verify
  [ "$status" -eq 2 ]
  run --separate-stderr "$tierbed" verify vector "$other"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"did you mean 'vectors'"* ]]
}

@test "extreme numbers in any place of any input are refused or computed, never a crash" {
  change '.vectors |= [.[] | . as $v | ($v.inputs | paths(numbers)) as $p
            | (0, 1, -1, 1e40, 1e-40, -1e40, 1e300, 0.5, 2, 1e9) as $x | $v | .inputs |= setpath($p; $x)]'
  verify --json "$file"
  [ "$status" -eq 2 ] # some are out of range
  all=$(jq '.vectors | length' "$file")
  [ "$all" -gt 3000 ]
  [ "$(jq '.vectors | length' <<< "$output")" -eq "$all" ] # a verdict on every single one
}

#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# Goal: `tierbed verify golden` passes what is right in both precisions, fails what is wrong, says where a file is
# malformed, and is tied to the keys of the files only. Method: the golden files, changed with jq; a second set whose
# numbers are computed here.

setup() {
  tierbed="${TIERBED_BIN:-$BATS_TEST_DIRNAME/../../build/bin}/tierbed"
  golden="${TIERBED_SHARED:-$BATS_TEST_DIRNAME/../../../shared}/specs/golden"
  folder="$BATS_TEST_TMPDIR/golden"
  mkdir "$folder"
}

need_golden() {
  [ -e "$golden/dense.json" ] || skip "golden files not found: set TIERBED_SHARED to the folder that holds specs/golden"
}

# change FILE FILTER: one golden file, changed, alone in $folder.
change() {
  rm -f "$folder"/*
  jq "$2" "$golden/$1" > "$folder/$1"
}

verify() {
  run --separate-stderr "$tierbed" verify golden "$@"
}

# A perceptron of one weight and three identity layers, small enough to know every number.
small_dense() {
  cat > "$folder/dense.json" <<'END'
{"note": "another set", "tol": {"f64_rel": 1e-10, "f64_abs": 1e-12, "f32_rel": 2e-5, "f32_abs": 2e-6},
 "cases": [{"act": "relu", "x": {"shape": [1, 2], "data": [1, 2]}, "W_out_in": {"shape": [3, 2], "data": [1, 0, 0, 1, -1, 0]},
   "b": {"shape": [3], "data": [0.5, 0, 0]}, "dy": {"shape": [1, 3], "data": [1, 2, 3]}, "y": {"shape": [1, 3], "data": [1.5, 2, 0]},
   "dx": {"shape": [1, 2], "data": [1, 2]}, "dW": {"shape": [3, 2], "data": [1, 2, 2, 4, 0, 0]}, "db": {"shape": [3], "data": [1, 2, 0]}}],
 "mlp": {"dims": [1, 1], "act": "tanh", "x": {"shape": [2, 1], "data": [1, 2]}, "target": {"shape": [2, 1], "data": [0, 0]},
   "W": [{"shape": [1, 1], "data": [3]}], "b": [{"shape": [1], "data": [1]}], "y": {"shape": [2, 1], "data": [4, 7]}, "loss": 32.5,
   "dx": {"shape": [2, 1], "data": [12, 21]}, "dW": [{"shape": [1, 1], "data": [18]}], "db": [{"shape": [1], "data": [11]}]},
 "stable_softmax": {"x": {"shape": [1, 2], "data": [1e6, 0]}, "log_softmax": {"shape": [1, 2], "data": [0, -1e6]}, "labels": [1],
   "ce_mean": 1e6, "dx": {"shape": [1, 2], "data": [1, -1]}}}
END
}

@test "every known golden file holds in both precisions, where the files are at hand" {
  need_golden
  verify --json "$golden"
  [ "$(jq .failed <<< "$output")" -eq 0 ]
  [ "$(jq '.invalid | length' <<< "$output")" -eq 0 ]
  [ "$(jq '[.checks[] | select(.precision == "fp64")] | length' <<< "$output")" -eq "$(jq '[.checks[] | select(.precision == "fp32")] | length' <<< "$output")" ]
  [ "$(jq '[.checks[].error | select(. == null)] | length' <<< "$output")" -eq 0 ]
  for name in dense optim; do
    [ "$(jq --arg file $name.json '[.checks[] | select(.file == $file)] | length' <<< "$output")" -gt 20 ]
  done
}

@test "another set of numbers and sizes with the same keys holds" {
  small_dense
  verify "$folder"
  [ "$status" -eq 0 ]
  [ "${lines[-1]}" = "24 passed, 0 failed, 0 unknown, 0 invalid" ]
}

@test "a changed number fails, where and in both precisions" {
  need_golden
  change dense.json '.cases[3].dW.data[17] += 1e-4'
  verify --json "$folder"
  [ "$status" -eq 1 ]
  [ "$(jq -c '[.checks[] | select(.ok | not) | [.precision, .path]]' <<< "$output")" = '[["fp64","cases[3].dW"],["fp32","cases[3].dW"]]' ]
  verify --quiet "$folder"
  [ "$status" -eq 1 ]
  [[ "$output" == *"DIFFERS  fp32  dense.json         cases[3].dW"* ]]
}

@test "an error that only double precision sees fails there alone" {
  need_golden
  change optim.json '.polyak.out.data[0] += 1e-9'
  verify --json "$folder"
  [ "$status" -eq 1 ]
  [ "$(jq -c '[.checks[] | select(.ok | not) | .precision]' <<< "$output")" = '["fp64"]' ]
}

@test "inputs are computed with, not looked up" {
  need_golden
  change optim.json '.adam.steps[0].grad.data[0] *= -1'
  verify "$folder"
  [ "$status" -eq 1 ]
}

@test "a missing key is reported with its place" {
  small_dense
  jq 'del(.cases[0].W_out_in.shape)' "$folder/dense.json" > "$folder/new" && mv "$folder/new" "$folder/dense.json"
  verify "$folder"
  [ "$status" -eq 2 ]
  [[ "$output" == *"INVALID  dense.json: cases[0].W_out_in.shape: this key is missing"* ]]
  small_dense
  jq 'del(.tol.f32_abs)' "$folder/dense.json" > "$folder/new" && mv "$folder/new" "$folder/dense.json"
  verify "$folder"
  [ "$status" -eq 2 ]
  [[ "$output" == *"tol.f32_abs: this key is missing"* ]]
}

@test "values that do not fit their shape, or are none, are reported with their place" {
  for filter in '.mlp.x.data += [3]' '.mlp.W[0].data[0] = "3"' '.cases[0].act = "relux"' '.mlp.dims = [1, 0]' \
    '.mlp.dims = [1, 2.5]' '.mlp.b = {}' '.stable_softmax.labels[0] = 2' '.cases = 3' '.mlp.x.shape = [1e9, 1e9]' \
    '.cases[0].x = null' '.mlp.y.data[1] = true' '.cases[0].y.data[2] = null' '.mlp = []' '.mlp.x.shape = [2]' \
    '.cases[0].x.shape = [1, 1, 1, 1, 2]' '.mlp.loss = 1e300' '.tol.f64_abs = 0'; do
    small_dense
    jq "$filter" "$folder/dense.json" > "$folder/new" && mv "$folder/new" "$folder/dense.json"
    verify "$folder"
    echo "$filter: $status $output"
    [ "$status" -eq 2 ]
    [[ "$output" == *"INVALID  dense.json: "* ]]
  done
}

@test "what is not JSON is reported with line and column" {
  printf '{"note": 1,\n "tol" }' > "$folder/dense.json"
  verify "$folder"
  [ "$status" -eq 2 ]
  [[ "$output" == *"dense.json: line 2, column 8: "* ]]
  : > "$folder/dense.json"
  verify "$folder"
  [ "$status" -eq 2 ]
}

@test "unknown files are reported, a folder that is not there is an error" {
  small_dense
  echo '{}' > "$folder/other.json"
  verify "$folder"
  [ "$status" -eq 3 ]
  [[ "$output" == *"UNKNOWN  other.json"* ]]
  verify --json "$folder"
  [ "$(jq -c .unknown <<< "$output")" = '["other.json"]' ]
  verify "$folder/none"
  [ "$status" -eq 4 ]
  [[ "$stderr" == *"No such file"* ]]
  mkdir "$folder/empty"
  verify "$folder/empty"
  [ "$status" -eq 4 ]
  verify
  [ "$status" -eq 2 ]
}

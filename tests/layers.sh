#!/usr/bin/env bash
# layers: fails when a file includes upward, a scheme includes another, a node program names a scheme, or anything but
# common/net/bus_mpi.c includes mpi.h. Usage: tests/layers.sh [DIR]; prints FILE:LINE: what is wrong, exit 1.
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

mapfile -t sources < <(find common schemes nodes cli bench campaign tests -type f \( -name '*.c' -o -name '*.h' -o -name '*.def' \) \
  2>/dev/null | LC_ALL=C sort)
if ((${#sources[@]} == 0)); then
  echo "layers: no sources below $PWD" >&2
  exit 1
fi
schemes=$(for folder in schemes/*/; do [[ -d $folder ]] && basename "$folder"; done | tr '\n' ' ' || true)

LC_ALL=C awk -v folders="$schemes" '
BEGIN {
  layer["common/base"] = 1; layer["common/time"] = 2
  split("net model learn data ledger record", third, " ")
  for (i in third) layer["common/" third[i]] = 3
  layer["schemes"] = 4; layer["nodes"] = 5; layer["cli"] = 6; layer["bench"] = 6; layer["campaign"] = 6; layer["tests"] = 7
  # The five systems are known by name even before their folders exist.
  count = split("ipor ucms dynn jopa cpdrl " folders, word, " ")
  for (i = 1; i <= count; i++) scheme[word[i]] = 1
}
function fail(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; bad++ }
function place(path,   part) {
  split(path, part, "/")
  return part[1] == "common" ? part[1] "/" part[2] : part[1]
}
# "schemes/jopa/x.c" is in the folder jopa, "schemes/scheme.h" in none.
function folder(path,   part) { return split(path, part, "/") > 2 && part[1] == "schemes" ? part[2] : "" }
# Takes comments out, keeps strings: what remains is code.
function code(line,   at, end) {
  if (in_comment) {
    end = index(line, "*/")
    if (end == 0) return ""
    line = substr(line, end + 2); in_comment = 0
  }
  while ((at = index(line, "/*")) > 0) {
    end = index(substr(line, at + 2), "*/")
    if (end == 0) { in_comment = 1; return substr(line, 1, at - 1) }
    line = substr(line, 1, at - 1) " " substr(line, at + 2 + end + 1)
  }
  sub(/\/\/.*/, "", line)
  return line
}
function check_include(line,   path, from, to) {
  if (line ~ /[<"](openmpi\/)?mpi\.h[>"]/ && FILENAME != "common/net/bus_mpi.c")
    fail("includes mpi.h; only common/net/bus_mpi.c may")
  if (line !~ /"/) return
  path = line; sub(/^[^"]*"/, "", path); sub(/".*/, "", path)
  from = place(FILENAME); to = place(path)
  if (path ~ /\.\.\// || !(to in layer)) { fail("includes \"" path "\": name it by its path from the root of the tree"); return }
  if (!(from in layer)) { fail("stands in no layer"); return }
  if (layer[to] > layer[from])
    fail("includes \"" path "\": layer " layer[to] " from layer " layer[from] ", only the same or a lower one may be")
  if (folder(FILENAME) != "" && folder(path) != "" && folder(FILENAME) != folder(path))
    fail("includes \"" path "\": a scheme may not include another")
  if (from == "nodes" && folder(path) != "")
    fail("includes \"" path "\": a node program may not name a scheme")
}
# Words of the code, also as parts of names: jopa_decide, POLICY_JOPA.
function check_names(line,   count, word, i) {
  count = split(tolower(line), word, /[^a-z0-9]+/)
  for (i = 1; i <= count; i++)
    if (word[i] in scheme) { fail("names the scheme `" word[i] "`: nodes run one protocol, whatever the scheme"); return }
}
FNR == 1 { in_comment = 0 }
{
  text = code($0)
  if (text ~ /^[ \t]*#[ \t]*include/) check_include(text)
  else if (FILENAME ~ /^nodes\//) check_names(text)
}
END { exit bad > 0 }
' "${sources[@]}" && { echo "layers: ${#sources[@]} files, all includes go one way"; exit 0; }
exit 1

#!/usr/bin/env bats
# Goal: what the README and the tutorial tell a reader to type does what they say.
# Method: the indented command lines of both pages are taken from the pages themselves and run one after the other, with
# their /tmp paths moved into the test's own folder. Lines with a placeholder for the reader's own files are left out.

setup_file() {
    export ROOT=$PWD
    export PATH=${TIERBED_BIN:-$PWD/build/bin}:$PATH
    cd "$BATS_FILE_TMPDIR"
    ln -s "$ROOT/experiments" experiments
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# commands PAGE: one command a line; a trailing backslash joins the next.
commands() {
    sed -e ':a' -e '/\\$/{N;s/\\\n */ /;ta' -e '}' "$ROOT/$1" |
        sed -nE 's/^    ((tierbed|sqlite3|cp|sed) .*)$/\1/p' |
        grep -vE 'FILE|/path/to' |
        sed -E "s#/tmp/#$BATS_FILE_TMPDIR/#g"
}

# try COMMAND: its exit code is the one the page promises.
try() {
    local code=0 promised=0
    [[ $1 == "tierbed run my.yaml"* ]] && promised=2 # the mistake of section 5
    bash -o pipefail -c "$1" >out 2>&1 </dev/null || code=$?
    [ "$code" -eq "$promised" ] || { echo "exit code $code: $1"; cat out; return 1; }
}

@test "every command of the README works" {
    [ "$(commands README.md | wc -l)" -ge 4 ]
    while read -r line; do try "$line"; done < <(commands README.md)
}

@test "every command of the tutorial works" {
    [ "$(commands docs/tutorial.md | wc -l)" -ge 12 ]
    while read -r line; do try "$line"; done < <(commands docs/tutorial.md)
}

@test "the tutorial's faulty runs print one digest" {
    one=$(tierbed run --in-process --json --quiet experiments/factory/faulty.yaml | jq -r .digest)
    four=$(tierbed run --processes 4 --json --quiet experiments/factory/faulty.yaml 2>/dev/null | jq -r .digest)
    [ ${#one} -eq 64 ] && [ "$one" = "$four" ]
}

@test "the pages that the documentation links to exist" {
    cd "$ROOT"
    for page in README.md ARCHITECTURE.md CONTRIBUTING.md docs/*.md docs/*/*.md; do
        while read -r link; do
            [ -e "$(dirname "$page")/${link%%#*}" ] || { echo "$page: $link"; return 1; }
        done < <(grep -oE '\]\([^):]+\)' "$page" | sed -E 's/^\]\(//; s/\)$//' | grep -v '^#')
    done
}

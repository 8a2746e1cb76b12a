#!/usr/bin/env bats
# Goal: the command line keeps the GNU conventions: help on stdout and 0, usage errors on stderr and 2, a suggestion for
# a mistyped word, and one table behind help, man pages and completion. Method: runs the program and looks.

setup() {
    root=$BATS_TEST_DIRNAME/../..
    tierbed=${TIERBED_BIN:-$root/build/bin}/tierbed
    commands=$("$tierbed" help | awk '/^Commands/ {on = 1; next} /^$/ {on = 0} on {print $1}')
    [ -n "$commands" ] # a loop over no command would prove nothing
}

split() { # runs a command, its streams apart in $out and $err
    out=$("$@" 2>"$BATS_TEST_TMPDIR/err") && status=0 || status=$?
    err=$(cat "$BATS_TEST_TMPDIR/err")
}

@test "--help goes to stdout and succeeds" {
    for word in --help -h help; do
        split "$tierbed" "$word"
        [ "$status" -eq 0 ] && [ -z "$err" ]
        [[ $out == *"Usage: tierbed COMMAND"* ]]
    done
}

@test "--version names the version and the commit" {
    split "$tierbed" --version
    [ "$status" -eq 0 ] && [ -z "$err" ]
    [[ ${out%%$'\n'*} =~ ^tierbed\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    [[ $out =~ commit\ ([0-9a-f]{12}|unknown) ]]
}

@test "no command at all is a usage error that lists the commands" {
    split "$tierbed"
    [ "$status" -eq 2 ] && [ -z "$out" ]
    [[ $err == *Commands* ]]
}

@test "an unknown command is refused with the nearest one" {
    split "$tierbed" docter
    [ "$status" -eq 2 ] && [ -z "$out" ]
    [[ $err == *"did you mean 'doctor'?"* ]]
    split "$tierbed" xyzzyxyzzy
    [ "$status" -eq 2 ]
    [[ $err != *"did you mean"* ]]
}

@test "an unknown option of the program itself is refused" {
    split "$tierbed" --frobnicate
    [ "$status" -eq 2 ] && [ -z "$out" ]
    [[ $err == *"unknown option '--frobnicate'"* ]]
}

@test "every command answers --help on stdout with its options, and help COMMAND says the same" {
    for command in $commands; do
        split "$tierbed" "$command" --help
        [ "$status" -eq 0 ] && [ -z "$err" ]
        [[ ${out%%$'\n'*} == "Usage: tierbed $command"* ]]
        [[ $out == *"--help"* ]]
        [ "$out" = "$("$tierbed" help "$command")" ]
    done
}

@test "every command refuses an unknown option with 2, nothing on stdout and a hint" {
    for command in $commands; do
        split "$tierbed" "$command" --no-such-option-xyz
        [ "$status" -eq 2 ] && [ -z "$out" ]
        [[ $err == *"tierbed $command: unknown option '--no-such-option-xyz'"* ]]
        [[ $err == *"tierbed $command --help"* ]]
    done
}

@test "options are suggested, letters are named, flags take no argument" {
    split "$tierbed" doctor --jsno
    [[ $status -eq 2 && $err == *"did you mean '--json'?"* ]]
    split "$tierbed" doctor -Z
    [[ $status -eq 2 && $err == *"unknown option '-Z'"* ]]
    split "$tierbed" doctor --json=yes
    [[ $status -eq 2 && $err == *"option '--json' takes no argument"* ]]
    split "$tierbed" doctor --help=yes
    [[ $status -eq 2 && $err == *"option '--help' takes no argument"* ]]
}

@test "an unambiguous beginning of an option is enough" {
    split "$tierbed" help --comp
    [ "$status" -eq 0 ]
    [[ $out == *"complete -F _tierbed tierbed"* ]]
}

@test "help of an unknown command, or of two, is refused" {
    split "$tierbed" help docter
    [[ $status -eq 2 && -z $out && $err == *"did you mean 'doctor'?"* ]]
    split "$tierbed" help doctor help
    [[ $status -eq 2 && -z $out ]]
}

@test "there is no colour in a pipe, with or without NO_COLOR" {
    run bash -c "'$tierbed' help doctor | grep -c $'\\033'"
    [ "$output" = 0 ]
}

@test "on a terminal help is bold, unless NO_COLOR is set or the terminal is dumb" {
    script -qec true /dev/null >/dev/null 2>&1 || skip "no terminal to be had: no script(1), or no /dev/pts"
    run env -u NO_COLOR TERM=xterm script -qec "'$tierbed' help" /dev/null
    [[ $output == *$'\033[1m'* ]]
    run env NO_COLOR=1 TERM=xterm script -qec "'$tierbed' help" /dev/null
    [[ $output != *$'\033'* ]]
    run env -u NO_COLOR TERM=dumb script -qec "'$tierbed' help" /dev/null
    [[ $output != *$'\033'* ]]
}

@test "output that cannot be written is a failure" {
    [ -e /dev/full ] || skip "no /dev/full"
    run bash -c "'$tierbed' help > /dev/full"
    [ "$status" -eq 4 ]
    [[ $output == *"cannot write to standard output"* ]]
}

@test "every man page is valid scdoc and names every option of its command" {
    command -v scdoc >/dev/null || skip "no scdoc"
    "$tierbed" help --man | scdoc >"$BATS_TEST_TMPDIR/tierbed.1"
    [ -s "$BATS_TEST_TMPDIR/tierbed.1" ]
    for command in $commands; do
        "$tierbed" help --man "$command" >"$BATS_TEST_TMPDIR/page.scd"
        scdoc <"$BATS_TEST_TMPDIR/page.scd" >"$BATS_TEST_TMPDIR/page.1"
        for option in $("$tierbed" help "$command" | sed -n '/^Options/,/^$/p' | grep -oE -- '--[a-z][a-z0-9-]*' | sort -u); do
            grep -qF -- "*$option*" "$BATS_TEST_TMPDIR/page.scd" || grep -qF -- "$option" "$BATS_TEST_TMPDIR/page.scd"
        done
    done
}

@test "the man pages in docs/man are those of this program" {
    diff "$root/docs/man/tierbed.1.scd" <("$tierbed" help --man)
    for command in $commands; do
        diff "$root/docs/man/tierbed-$command.1.scd" <("$tierbed" help --man "$command")
    done
}

complete_words() { # complete_words WORD... : what bash would offer for the last word
    env -i PATH="$PATH" bash --norc -c '
        source <("$1" help --completion); shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _tierbed 2>/dev/null
        printf "%s\n" "${COMPREPLY[@]}"' _ "$tierbed" "$@"
}

@test "completion offers commands, then the options of the command" {
    run complete_words tierbed doc
    [ "$output" = doctor ]
    run complete_words tierbed doctor --j
    [ "$output" = --json ]
    run complete_words tierbed help doct
    [ "$output" = doctor ]
    cd "$root"
    run complete_words tierbed doctor Makef
    [ "$output" = Makefile ]
}

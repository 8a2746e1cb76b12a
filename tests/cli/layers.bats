#!/usr/bin/env bats
# Goal: the layer check passes the tree as it is, and fails, naming file and line, for every kind of violation.
# Method: negative control: a small right tree, and one planted violation at a time.

setup() {
    layers=$BATS_TEST_DIRNAME/../layers.sh
    tree=$BATS_TEST_TMPDIR/tree
    mkdir -p "$tree"/{common/{base,time,net,model,record,learn},schemes/{jopa,ucms},nodes/edge,cli,bench,tests/base}
    put common/base/error.h '/* base */'
    put common/time/vtime.h '#include "common/base/error.h"'
    put common/net/bus_mpi.c '#include <mpi.h>' '#include "common/time/vtime.h"'
    put common/net/link.c '#include "common/model/radio.h"'
    put common/model/radio.h '#include <math.h>'
    put schemes/scheme.h '#include "common/model/radio.h"'
    put schemes/jopa/jopa.c '#include "schemes/scheme.h"' '#include "schemes/jopa/jopa.h"'
    put nodes/edge/edge.c '/* waits as in jopa' ' * eq (7) */' '#include "schemes/scheme.h"' 'int x; // ucms too'
    put cli/tierbed.c '#include "nodes/node.h"' '#include "bench/phold.h"'
    put tests/base/test_error.c '#include "common/base/error.h"'
}

put() { # put FILE LINE...
    local file=$tree/$1
    shift
    printf '%s\n' "$@" >"$file"
}

refused_at() { # refused_at FILE:LINE
    run "$layers" "$tree"
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"$1: "* ]]
    [ "${#lines[@]}" -eq 1 ]
}

@test "this tree keeps its layers" {
    run "$layers"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "a right tree passes, with names of papers in comments" {
    run "$layers" "$tree"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "a tree without schemes is fine" {
    rm -r "$tree/schemes"
    put nodes/edge/edge.c 'int x;'
    run "$layers" "$tree"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "base may not include time" {
    put common/base/error.h '' '#include "common/time/vtime.h"'
    refused_at common/base/error.h:2
}

@test "the third layer may not include nodes" {
    put common/model/radio.h '#include "nodes/node.h"'
    refused_at common/model/radio.h:1
}

@test "nodes may not include the command line" {
    put nodes/edge/edge.c '#include "cli/command.h"'
    refused_at nodes/edge/edge.c:1
}

@test "a program may not include tests" {
    put cli/tierbed.c '#include "tests/lib/world.h"'
    refused_at cli/tierbed.c:1
}

@test "a scheme may not include another" {
    put schemes/jopa/jopa.c '#include "schemes/scheme.h"' '' '#include "schemes/ucms/match.h"'
    refused_at schemes/jopa/jopa.c:3
}

@test "a scheme may not include nodes" {
    put schemes/jopa/jopa.c '#include "nodes/node.h"'
    refused_at schemes/jopa/jopa.c:1
}

@test "a node program may not include a scheme" {
    put nodes/edge/edge.c 'int x;' '#include "schemes/jopa/jopa.h"'
    refused_at nodes/edge/edge.c:2
}

@test "a node program may not name a scheme, not even in part of a word" {
    put nodes/edge/edge.c 'int x;' '/* fine: jopa */ if (policy == SCHEME_JOPA) x = 1;'
    refused_at nodes/edge/edge.c:2
    put nodes/edge/edge.c 'const char *name = "cpdrl";'
    refused_at nodes/edge/edge.c:1
}

@test "a scheme with a folder of a new name is known at once" {
    mkdir "$tree/schemes/lyapunov"
    put schemes/lyapunov/l.c '#include "schemes/scheme.h"'
    put nodes/edge/edge.c 'lyapunov_decide();'
    refused_at nodes/edge/edge.c:1
}

@test "only the MPI bus may include mpi.h" {
    put common/net/link.c '#include <mpi.h>'
    refused_at common/net/link.c:1
    put common/net/link.c '' '#  include "mpi.h" /* quoted */'
    run "$layers" "$tree"
    [ "$status" -eq 1 ]
    [[ $output == *"common/net/link.c:2: includes mpi.h"* ]]
}

@test "paths are from the root of the tree" {
    put common/net/link.c '#include "../model/radio.h"'
    refused_at common/net/link.c:1
    put common/net/link.c '#include "link.h"'
    refused_at common/net/link.c:1
}

@test "an include in a comment is not one" {
    put common/base/error.h '/* #include "cli/command.h"' '#include "nodes/node.h" */' '// #include "cli/command.h"'
    run "$layers" "$tree"
    [ "$status" -eq 0 ]
}

@test "an empty tree is not a right tree" {
    mkdir "$BATS_TEST_TMPDIR/empty"
    run "$layers" "$BATS_TEST_TMPDIR/empty"
    [ "$status" -eq 1 ]
}

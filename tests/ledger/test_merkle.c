/* Goal: the trees are those of RFC 6962, and their proofs prove exactly one leaf, or exactly one prefix.
 * Method: published roots of the eight test leaves; the tree of section 2.1.3 with its named nodes; a
 * reference that follows the recursive definitions of 2.1 to the letter, for every size up to 40; then every
 * proof with each node changed, dropped, added, and against each wrong place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/ledger/merkle.h"

#define SIZE_MAX_TRIED 40u

/* Section 2.1, as written. */
static uint64_t reference_split(uint64_t n) {
    uint64_t k = 1;
    while (2 * k < n)
        k *= 2;
    return k;
}

static struct hash reference_root(const struct hash *leaves, uint64_t n) {
    if (n == 0)
        return hash_of(NULL, "", 0);
    if (n == 1)
        return leaves[0];
    uint64_t k = reference_split(n);
    uint8_t node[65] = {1};
    struct hash left = reference_root(leaves, k), right = reference_root(leaves + k, n - k);
    memcpy(node + 1, left.bytes, 32);
    memcpy(node + 33, right.bytes, 32);
    return hash_of(NULL, node, sizeof node);
}

static uint32_t reference_path(const struct hash *leaves, uint64_t n, uint64_t m, struct hash *path) {
    if (n == 1)
        return 0;
    uint64_t k = reference_split(n);
    uint32_t length =
        m < k ? reference_path(leaves, k, m, path) : reference_path(leaves + k, n - k, m - k, path);
    path[length] = m < k ? reference_root(leaves + k, n - k) : reference_root(leaves, k);
    return length + 1;
}

static uint32_t reference_subproof(const struct hash *leaves, uint64_t n, uint64_t m, bool whole,
                                   struct hash *path) {
    if (m == n) {
        if (!whole)
            path[0] = reference_root(leaves, n);
        return whole ? 0 : 1;
    }
    uint64_t k = reference_split(n);
    uint32_t length = m <= k ? reference_subproof(leaves, k, m, whole, path)
                             : reference_subproof(leaves + k, n - k, m - k, false, path);
    path[length] = m <= k ? reference_root(leaves + k, n - k) : reference_root(leaves, k);
    return length + 1;
}

static void make_leaves(struct hash *leaves, uint64_t count) {
    for (uint64_t i = 0; i < count; i++)
        leaves[i] = merkle_leaf(&i, sizeof i);
}

static void assert_hash(struct hash hash, const char *expected) {
    char text[HASH_TEXT_BYTES];
    hash_text(&hash, text);
    assert_string_equal(text, expected);
}

static void empty_tree_and_empty_leaf_are_the_published_ones(void **state) {
    (void)state;
    assert_hash(merkle_root(NULL, 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_hash(merkle_leaf("", 0), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

/* The leaves and roots with which implementations of Certificate Transparency are compared. */
static void roots_of_the_eight_test_leaves_are_the_published_ones(void **state) {
    (void)state;
    static const char *const roots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    static const uint8_t bytes[] = {0x00, 0x10, 0x20, 0x21, 0x30, 0x31, 0x40, 0x41, 0x42, 0x43, 0x50, 0x51,
                                    0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x60, 0x61, 0x62, 0x63, 0x64, 0x65,
                                    0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f};
    static const size_t sizes[] = {0, 1, 1, 2, 2, 4, 8, 16};
    struct hash leaves[8];
    size_t at = 0;
    for (size_t i = 0; i < 8; i++) {
        leaves[i] = merkle_leaf(bytes + at, sizes[i]);
        at += sizes[i];
        assert_hash(merkle_root(leaves, i + 1), roots[i]);
    }
    assert_int_equal(at, sizeof bytes);
}

/* RFC 6962, 2.1.3: seven leaves; a .. j leaf hashes, g = H(a,b), h = H(c,d), i = H(e,f), k = H(g,h),
 * l = H(i,j). The audit paths and proofs are those the section lists. */
static void the_worked_example_of_section_2_1_3_comes_out(void **state) {
    (void)state;
    struct hash d[7], path[MERKLE_PATH_MAX];
    for (uint8_t i = 0; i < 7; i++) {
        char name[2] = {'d', (char)('0' + i)};
        d[i] = merkle_leaf(name, 2);
    }
    struct hash a = d[0], b = d[1], c = d[2], e = d[4], f = d[5], j = d[6];
    struct hash g = merkle_node(&a, &b), h = merkle_node(&c, &d[3]), i = merkle_node(&e, &f);
    struct hash k = merkle_node(&g, &h), l = merkle_node(&i, &j);
    struct hash root = merkle_root(d, 7), expected = merkle_node(&k, &l);
    assert_true(hash_equal(&root, &expected));
    const struct {
        uint64_t index;
        uint32_t length;
        struct hash path[3];
    } audit[] = {{0, 3, {b, h, l}}, {3, 3, {c, g, l}}, {4, 3, {f, j, k}}, {6, 2, {i, k}}};
    for (size_t n = 0; n < 4; n++) {
        assert_int_equal(merkle_inclusion(d, 7, audit[n].index, path), audit[n].length);
        assert_memory_equal(path, audit[n].path, audit[n].length * sizeof *path);
    }
    const struct {
        uint64_t old;
        uint32_t length;
        struct hash path[4];
    } consistency[] = {{3, 4, {c, d[3], g, l}}, {4, 1, {l}}, {6, 3, {i, j, k}}};
    for (size_t n = 0; n < 3; n++) {
        assert_int_equal(merkle_consistency(d, 7, consistency[n].old, path), consistency[n].length);
        assert_memory_equal(path, consistency[n].path, consistency[n].length * sizeof *path);
    }
}

static void roots_are_those_of_the_recursive_definition(void **state) {
    (void)state;
    struct hash leaves[SIZE_MAX_TRIED];
    struct merkle_frontier frontier = {0};
    make_leaves(leaves, SIZE_MAX_TRIED);
    for (uint64_t n = 0; n <= SIZE_MAX_TRIED; n++) {
        struct hash expected = reference_root(leaves, n), root = merkle_root(leaves, n);
        struct hash grown = merkle_frontier_root(&frontier);
        assert_true(hash_equal(&root, &expected));
        assert_true(hash_equal(&grown, &expected));
        if (n < SIZE_MAX_TRIED)
            merkle_frontier_add(&frontier, &leaves[n]);
    }
}

static void no_two_sizes_share_a_root_when_leaves_are_doubled(void **state) {
    (void)state;
    struct hash leaves[8];
    make_leaves(leaves, 3);
    leaves[3] = leaves[2];
    struct hash three = merkle_root(leaves, 3), four = merkle_root(leaves, 4);
    assert_false(hash_equal(&three, &four));
}

/* Each way a proof can be wrong by one node, or by one place. */
static void refuse_damaged_inclusion(const struct hash *leaves, uint64_t n, uint64_t index, struct hash *path,
                                     uint32_t length) {
    struct hash root = merkle_root(leaves, n);
    for (uint32_t i = 0; i < length; i++) {
        path[i].bytes[i % HASH_BYTES] ^= 1;
        assert_false(merkle_inclusion_valid(&root, &leaves[index], index, n, path, length));
        path[i].bytes[i % HASH_BYTES] ^= 1;
    }
    for (uint32_t i = 0; i < length; i++)
        assert_false(merkle_inclusion_valid(&root, &leaves[index], index, n, path, i));
    path[length] = root;
    assert_false(merkle_inclusion_valid(&root, &leaves[index], index, n, path, length + 1));
    for (uint64_t other = 0; other <= n; other++)
        if (other != index)
            assert_false(merkle_inclusion_valid(&root, &leaves[index], other, n, path, length));
    struct hash leaf = leaves[index];
    leaf.bytes[0] ^= 1;
    assert_false(merkle_inclusion_valid(&root, &leaf, index, n, path, length));
}

static void inclusion_proofs_prove_one_leaf_in_one_place(void **state) {
    (void)state;
    struct hash leaves[SIZE_MAX_TRIED], path[MERKLE_PATH_MAX + 1], expected[MERKLE_PATH_MAX];
    make_leaves(leaves, SIZE_MAX_TRIED);
    for (uint64_t n = 1; n <= SIZE_MAX_TRIED; n++) {
        struct hash root = merkle_root(leaves, n);
        for (uint64_t index = 0; index < n; index++) {
            uint32_t length = merkle_inclusion(leaves, n, index, path);
            assert_int_equal(length, reference_path(leaves, n, index, expected));
            assert_memory_equal(path, expected, length * sizeof *path);
            assert_true(merkle_inclusion_valid(&root, &leaves[index], index, n, path, length));
            refuse_damaged_inclusion(leaves, n, index, path, length);
        }
    }
}

static void refuse_damaged_consistency(const struct hash *leaves, uint64_t n, uint64_t old, struct hash *path,
                                       uint32_t length) {
    struct hash before = merkle_root(leaves, old), after = merkle_root(leaves, n);
    for (uint32_t i = 0; i < length; i++) {
        path[i].bytes[i % HASH_BYTES] ^= 1;
        assert_false(merkle_consistency_valid(&before, old, &after, n, path, length));
        path[i].bytes[i % HASH_BYTES] ^= 1;
        assert_false(merkle_consistency_valid(&before, old, &after, n, path, i));
    }
    path[length] = after;
    assert_false(merkle_consistency_valid(&before, old, &after, n, path, length + 1));
    for (uint64_t other = 0; other <= n + 1; other++) {
        /* Two sizes may share a path only when the old trees are the same. */
        if (other != old)
            assert_false(merkle_consistency_valid(&before, other, &after, n, path, length));
    }
    before.bytes[31] ^= 1;
    assert_false(merkle_consistency_valid(&before, old, &after, n, path, length));
    before.bytes[31] ^= 1;
    after.bytes[31] ^= 1;
    assert_false(merkle_consistency_valid(&before, old, &after, n, path, length));
}

static void consistency_proofs_prove_one_prefix(void **state) {
    (void)state;
    struct hash leaves[SIZE_MAX_TRIED], path[MERKLE_PATH_MAX + 1], expected[MERKLE_PATH_MAX];
    make_leaves(leaves, SIZE_MAX_TRIED);
    for (uint64_t n = 1; n <= SIZE_MAX_TRIED; n++) {
        struct hash after = merkle_root(leaves, n);
        for (uint64_t old = 1; old <= n; old++) {
            struct hash before = merkle_root(leaves, old);
            uint32_t length = merkle_consistency(leaves, n, old, path);
            assert_int_equal(length, reference_subproof(leaves, n, old, true, expected));
            assert_memory_equal(path, expected, length * sizeof *path);
            assert_true(merkle_consistency_valid(&before, old, &after, n, path, length));
            refuse_damaged_consistency(leaves, n, old, path, length);
        }
    }
}

/* Sizes that no tree has: a verifier must end, and refuse. */
static void absurd_sizes_are_refused(void **state) {
    (void)state;
    struct hash path[MERKLE_PATH_MAX], leaf = merkle_leaf("a", 1);
    make_leaves(path, MERKLE_PATH_MAX);
    assert_false(merkle_inclusion_valid(&leaf, &leaf, 0, 0, path, 0));
    assert_false(merkle_inclusion_valid(&leaf, &leaf, UINT64_MAX, UINT64_MAX, path, MERKLE_PATH_MAX));
    assert_false(merkle_inclusion_valid(&leaf, &leaf, UINT64_MAX - 1, UINT64_MAX, path, MERKLE_PATH_MAX));
    assert_false(merkle_consistency_valid(&leaf, UINT64_MAX - 1, &leaf, UINT64_MAX, path, MERKLE_PATH_MAX));
    assert_false(merkle_consistency_valid(&leaf, UINT64_MAX, &leaf, 3, path, 2));
    assert_false(merkle_consistency_valid(&leaf, 0, &leaf, 3, path, 0));
    assert_false(merkle_consistency_valid(&leaf, 3, &leaf, 4, path, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_tree_and_empty_leaf_are_the_published_ones),
        cmocka_unit_test(roots_of_the_eight_test_leaves_are_the_published_ones),
        cmocka_unit_test(the_worked_example_of_section_2_1_3_comes_out),
        cmocka_unit_test(roots_are_those_of_the_recursive_definition),
        cmocka_unit_test(no_two_sizes_share_a_root_when_leaves_are_doubled),
        cmocka_unit_test(inclusion_proofs_prove_one_leaf_in_one_place),
        cmocka_unit_test(consistency_proofs_prove_one_prefix),
        cmocka_unit_test(absurd_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

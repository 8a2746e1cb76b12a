/* Goal: a certificate says who somebody is only when the authority has said so, and keys, certificates and
 * proofs of one seed are the same for ever. Method: certificates made, changed in every byte, signed by
 * others and cut short; vectors of RFC 8032, section 7.1, for the keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <sodium.h>

#include "common/net/identity.h"
#include "tests/lib/key_folder.h"

struct rig {
    struct identity_authority *authority, *stranger;
    struct identity_subject subject;
    uint8_t seed[IDENTITY_KEY_BYTES];
    struct identity_certificate certificate;
};

static struct rig rig;

static int open_rig(void **state) {
    (void)state;
    uint8_t seed[IDENTITY_KEY_BYTES];
    memset(&rig, 0, sizeof rig);
    identity_authority_seed(1, seed);
    assert_int_equal(identity_authority_open(seed, &rig.authority, NULL), STATUS_OK);
    identity_authority_seed(2, seed);
    assert_int_equal(identity_authority_open(seed, &rig.stranger, NULL), STATUS_OK);
    rig.subject = (struct identity_subject){.name = "edge-1", .role = "edge"};
    identity_key_seed(1, 7, rig.seed);
    identity_public_key(rig.seed, rig.subject.key);
    assert_int_equal(identity_issue(rig.authority, &rig.subject, 9, &rig.certificate, NULL), STATUS_OK);
    return 0;
}

static int close_rig(void **state) {
    (void)state;
    identity_authority_close(rig.authority);
    identity_authority_close(rig.stranger);
    return 0;
}

static void public_keys_are_those_of_rfc_8032(void **state) {
    (void)state;
    static const char *const vectors[][2] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"}};
    for (int i = 0; i < 2; i++) {
        uint8_t seed[IDENTITY_KEY_BYTES], expected[IDENTITY_KEY_BYTES], key[IDENTITY_KEY_BYTES];
        assert_int_equal(sodium_hex2bin(seed, sizeof seed, vectors[i][0], 64, NULL, NULL, NULL), 0);
        assert_int_equal(sodium_hex2bin(expected, sizeof expected, vectors[i][1], 64, NULL, NULL, NULL), 0);
        identity_public_key(seed, key);
        assert_memory_equal(key, expected, sizeof key);
    }
}

static void a_sound_certificate_tells_name_role_and_key(void **state) {
    (void)state;
    struct identity_subject read;
    assert_int_equal(identity_check(rig.authority, rig.certificate.data, rig.certificate.bytes, &read),
                     IDENTITY_SOUND);
    assert_string_equal(read.name, "edge-1");
    assert_string_equal(read.role, "edge");
    assert_memory_equal(read.key, rig.subject.key, sizeof read.key);
}

static void one_seed_gives_one_certificate_and_another_seed_another(void **state) {
    (void)state;
    struct identity_certificate again;
    uint8_t seeds[4][IDENTITY_KEY_BYTES];
    assert_int_equal(identity_issue(rig.authority, &rig.subject, 9, &again, NULL), STATUS_OK);
    assert_int_equal(again.bytes, rig.certificate.bytes);
    assert_memory_equal(again.data, rig.certificate.data, again.bytes);
    identity_key_seed(1, 7, seeds[0]);
    identity_key_seed(2, 7, seeds[1]);
    identity_key_seed(1, 8, seeds[2]);
    identity_authority_seed(1, seeds[3]);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(seeds[i], seeds[j], IDENTITY_KEY_BYTES);
}

static void the_key_of_a_node_never_changes(void **state) {
    (void)state;
    char text[2 * IDENTITY_KEY_BYTES + 1];
    uint8_t seed[IDENTITY_KEY_BYTES];
    identity_key_seed(7, 3, seed);
    sodium_bin2hex(text, sizeof text, seed, sizeof seed);
    assert_string_equal(
        text,
        "df5d74bc5be84b8249541b981f608691b34e3573aa9d77cce29f6ac8468af387"); /* pinned when it was first made:
                                                                                directories depend on it */
}

static void a_certificate_of_another_authority_is_foreign(void **state) {
    (void)state;
    struct identity_subject read;
    struct identity_certificate foreign;
    assert_int_equal(identity_issue(rig.stranger, &rig.subject, 9, &foreign, NULL), STATUS_OK);
    assert_int_equal(identity_check(rig.authority, foreign.data, foreign.bytes, &read), IDENTITY_FOREIGN);
}

static void the_certificate_of_an_authority_is_no_node_s(void **state) {
    (void)state;
    struct identity_subject read;
    struct identity_certificate own;
    assert_int_equal(identity_authority_certificate(rig.authority, &own), STATUS_OK);
    assert_int_equal(identity_check(rig.authority, own.data, own.bytes, &read), IDENTITY_MALFORMED);
}

static void no_changed_byte_and_no_shorter_or_longer_text_is_sound(void **state) {
    (void)state;
    struct identity_subject read = {.name = "untouched"};
    uint8_t changed[IDENTITY_CERTIFICATE_BYTES_MAX + 1];
    uint32_t bytes = rig.certificate.bytes;
    for (uint32_t at = 0; at < bytes; at++) {
        memcpy(changed, rig.certificate.data, bytes);
        changed[at] ^= (uint8_t)(1u << at % 8);
        assert_int_not_equal(identity_check(rig.authority, changed, bytes, &read), IDENTITY_SOUND);
    }
    memcpy(changed, rig.certificate.data, bytes);
    changed[bytes] = 0;
    assert_int_equal(identity_check(rig.authority, changed, bytes + 1, &read), IDENTITY_MALFORMED);
    for (uint32_t size = 0; size < bytes; size++)
        assert_int_equal(identity_check(rig.authority, changed, size, &read), IDENTITY_MALFORMED);
    assert_string_equal(read.name, "untouched");
}

static void a_proof_holds_for_its_run_node_rank_and_key_only(void **state) {
    (void)state;
    uint8_t nonce[IDENTITY_NONCE_BYTES] = {1}, other_nonce[IDENTITY_NONCE_BYTES] = {2};
    uint8_t signature[IDENTITY_SIGNATURE_BYTES], other_seed[IDENTITY_KEY_BYTES], other[IDENTITY_KEY_BYTES];
    const struct identity_claim claim = {.nonce = nonce, .node = 7, .rank = 3};
    identity_prove(rig.seed, &claim, signature);
    identity_key_seed(1, 8, other_seed);
    identity_public_key(other_seed, other);
    assert_true(identity_proven(rig.subject.key, &claim, signature));
    assert_false(identity_proven(other, &claim, signature));
    assert_false(identity_proven(rig.subject.key, &(struct identity_claim){other_nonce, 7, 3}, signature));
    assert_false(identity_proven(rig.subject.key, &(struct identity_claim){nonce, 8, 3}, signature));
    assert_false(identity_proven(rig.subject.key, &(struct identity_claim){nonce, 7, 4}, signature));
    signature[63] ^= 1;
    assert_false(identity_proven(rig.subject.key, &claim, signature));
}

static void what_lies_in_a_folder_is_read_back(void **state) {
    (void)state;
    struct key_folder folder;
    struct identity_authority *checker;
    struct identity_certificate read, made;
    uint8_t seed[IDENTITY_KEY_BYTES];
    struct identity_subject subject;
    key_folder_open(&folder, 1);
    key_folder_add(&folder, &(struct key_folder_node){"edge-1", "edge-1", "edge", NULL, 7});
    assert_int_equal(identity_load_authority(folder.path, &checker, NULL), STATUS_OK);
    assert_int_equal(identity_load_key(folder.path, "edge-1", seed, NULL), STATUS_OK);
    assert_memory_equal(seed, rig.seed, sizeof seed);
    assert_int_equal(identity_load_certificate(folder.path, "edge-1", &read, NULL), STATUS_OK);
    assert_int_equal(read.bytes, rig.certificate.bytes);
    assert_memory_equal(read.data, rig.certificate.data, read.bytes);
    assert_int_equal(identity_check(checker, read.data, read.bytes, &subject), IDENTITY_SOUND);
    /* It has the certificate of the authority, not its key: it checks, and issues nothing. */
    assert_int_equal(identity_issue(checker, &rig.subject, 9, &made, NULL), STATUS_FAILED);
    identity_authority_close(checker);
    key_folder_close(&folder);
}

static void files_that_are_not_what_their_names_say_are_refused_with_a_reason(void **state) {
    (void)state;
    struct key_folder folder;
    struct identity_authority *checker;
    struct identity_certificate read;
    uint8_t seed[IDENTITY_KEY_BYTES];
    struct error error = {0};
    key_folder_open(&folder, 1);
    assert_int_equal(identity_load_key(folder.path, "nobody", seed, &error), STATUS_IO);
    assert_non_null(strstr(error.text, "nobody.key"));
    key_folder_write(&folder, "edge-1", "key",
                     "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    assert_int_equal(identity_load_key(folder.path, "edge-1", seed, &error), STATUS_INVALID);
    assert_non_null(strstr(error.text, "edge-1.key"));
    key_folder_write(&folder, "edge-1", "pem", "no certificate at all\n");
    assert_int_equal(identity_load_certificate(folder.path, "edge-1", &read, &error), STATUS_INVALID);
    key_folder_add(&folder,
                   &(struct key_folder_node){"ca", "ca", "edge", NULL, 7}); /* a node's in its place */
    assert_int_equal(identity_load_authority(folder.path, &checker, &error), STATUS_INVALID);
    assert_null(checker);
    key_folder_close(&folder);
}

#define RIG_TEST(test) cmocka_unit_test_setup_teardown(test, open_rig, close_rig)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_keys_are_those_of_rfc_8032),
        cmocka_unit_test(the_key_of_a_node_never_changes),
        RIG_TEST(a_sound_certificate_tells_name_role_and_key),
        RIG_TEST(one_seed_gives_one_certificate_and_another_seed_another),
        RIG_TEST(a_certificate_of_another_authority_is_foreign),
        RIG_TEST(the_certificate_of_an_authority_is_no_node_s),
        RIG_TEST(no_changed_byte_and_no_shorter_or_longer_text_is_sound),
        RIG_TEST(a_proof_holds_for_its_run_node_rank_and_key_only),
        RIG_TEST(what_lies_in_a_folder_is_read_back),
        cmocka_unit_test(files_that_are_not_what_their_names_say_are_refused_with_a_reason)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Goal: what was sealed opens with the same key, frame and bytes and with nothing else, both ends derive the
 * same key, and a counter is new once. Method: the vectors of RFC 7748 and RFC 8439; every byte flipped,
 * every length cut; windows against a naive set over random orders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <sodium.h>

#include "common/base/random.h"
#include "common/net/identity.h"
#include "common/net/seal.h"

static void from_hex(uint8_t *out, size_t size, const char *text) {
    size_t got = 0;
    assert_int_equal(sodium_hex2bin(out, size, text, strlen(text), NULL, &got, NULL), 0);
    assert_int_equal(got, size);
}

static void shared_secrets_are_those_of_rfc_7748(void **state) {
    (void)state; /* section 6.1 */
    uint8_t alice[32], bob[32], public[32], expected[32], shared[32];
    from_hex(alice, 32, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    from_hex(bob, 32, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    from_hex(expected, 32, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    seal_public_of_secret(alice, public);
    assert_memory_equal(public, expected, 32);
    seal_public_of_secret(bob, public);
    assert_true(seal_shared(alice, public, shared));
    from_hex(expected, 32, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    assert_memory_equal(shared, expected, 32);
}

static void a_sealed_text_is_that_of_rfc_8439(void **state) {
    (void)state; /* section 2.8.2: nonce 07000000 4041424344454647 */
    static const char text[] =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for "
        "the future, sunscreen would be it.";
    uint8_t key[32], header[12], expected[114 + SEAL_TAG_BYTES], sealed[114 + SEAL_TAG_BYTES], opened[130];
    for (unsigned i = 0; i < 32; i++)
        key[i] = (uint8_t)(0x80 + i);
    from_hex(header, sizeof header, "50515253c0c1c2c3c4c5c6c7");
    from_hex(
        expected, sizeof expected,
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
        "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
        "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691");
    struct seal_frame frame = {
        .lane = 7, .counter = 0x4746454443424140u, .header = header, .header_bytes = sizeof header};
    seal_make(key, &frame, (const uint8_t *)text, 114, sealed);
    assert_memory_equal(sealed, expected, sizeof sealed);
    assert_true(seal_open(key, &frame, sealed, sizeof sealed, opened));
    assert_memory_equal(opened, text, 114);
}

/* ---- keys ---- */

static void both_ends_derive_one_secret_from_their_signing_keys(void **state) {
    (void)state;
    uint8_t seeds[2][32], keys[2][32], secrets[2][32], publics[2][32], shared[2][32];
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t again[32];
        identity_key_seed(3, i, seeds[i]);
        identity_public_key(seeds[i], keys[i]);
        seal_secret_of(seeds[i], secrets[i]);
        assert_true(seal_public_of(keys[i], publics[i]));
        seal_public_of_secret(secrets[i], again);
        assert_memory_equal(publics[i], again, 32); /* the same from the private key as from the public one */
    }
    assert_true(seal_shared(secrets[0], publics[1], shared[0]));
    assert_true(seal_shared(secrets[1], publics[0], shared[1]));
    assert_memory_equal(shared[0], shared[1], 32);
}

static void keys_that_give_no_secret_are_refused(void **state) {
    (void)state;
    uint8_t zero[32] = {0}, secret[32] = {1}, out[32];
    assert_false(seal_public_of(zero, out));      /* of small order */
    assert_false(seal_shared(secret, zero, out)); /* RFC 7748, section 6.1: all zeros */
}

static void every_part_of_a_direction_changes_its_key(void **state) {
    (void)state;
    uint8_t shared[32] = {1}, other_shared[32] = {2}, nonce[32] = {3}, other_nonce[32] = {4}, keys[6][32];
    seal_key(shared, &(struct seal_direction){nonce, 1, 2, 0}, keys[0]);
    seal_key(shared, &(struct seal_direction){nonce, 2, 1, 0}, keys[1]);
    seal_key(shared, &(struct seal_direction){nonce, 1, 2, 1}, keys[2]);
    seal_key(shared, &(struct seal_direction){other_nonce, 1, 2, 0}, keys[3]);
    seal_key(other_shared, &(struct seal_direction){nonce, 1, 2, 0}, keys[4]);
    seal_key(shared, &(struct seal_direction){nonce, 1, 3, 0}, keys[5]);
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(keys[i], keys[j], 32);
}

/* ---- opening ---- */

#define TEXT_BYTES 48u

static void nothing_but_the_very_bytes_opens(void **state) {
    (void)state;
    uint8_t key[32] = {5}, header[20] = {6}, text[TEXT_BYTES] = {7}, sealed[TEXT_BYTES + SEAL_TAG_BYTES];
    uint8_t opened[sizeof sealed];
    struct seal_frame frame = {.lane = 1, .counter = 9, .header = header, .header_bytes = sizeof header};
    seal_make(key, &frame, text, sizeof text, sealed);
    for (size_t bit = 0; bit < sizeof sealed * 8; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(seal_open(key, &frame, sealed, sizeof sealed, opened));
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t size = 0; size < sizeof sealed; size++)
        assert_false(seal_open(key, &frame, sealed, size, opened));
    for (size_t at = 0; at < sizeof header; at++) {
        header[at] ^= 1;
        assert_false(seal_open(key, &frame, sealed, sizeof sealed, opened));
        header[at] ^= 1;
    }
    struct seal_frame lane = frame, counter = frame;
    lane.lane = 0;
    counter.counter = 10;
    assert_false(seal_open(key, &lane, sealed, sizeof sealed, opened));
    assert_false(seal_open(key, &counter, sealed, sizeof sealed, opened));
    key[0] ^= 1;
    assert_false(seal_open(key, &frame, sealed, sizeof sealed, opened));
    key[0] ^= 1;
    assert_true(seal_open(key, &frame, sealed, sizeof sealed, opened));
    assert_memory_equal(opened, text, sizeof text);
}

/* ---- windows ---- */

static void a_counter_is_fresh_once_and_old_ones_never_again(void **state) {
    (void)state;
    struct seal_window window = {0};
    assert_false(seal_window_fresh(&window, 0));
    assert_true(seal_window_fresh(&window, 1));
    seal_window_mark(&window, 1);
    assert_false(seal_window_fresh(&window, 1));
    seal_window_mark(&window, 1 + SEAL_WINDOW);
    assert_false(seal_window_fresh(&window, 1)); /* just too old */
    assert_true(seal_window_fresh(&window, 2));  /* just not, and never seen */
    seal_window_mark(&window, UINT64_MAX);
    assert_false(seal_window_fresh(&window, 1 + SEAL_WINDOW));
    assert_false(seal_window_fresh(&window, UINT64_MAX));
    assert_true(seal_window_fresh(&window, UINT64_MAX - SEAL_WINDOW + 1));
}

#define COUNTERS 20000u

/* The naive reference: everything ever seen, and the greatest. */
static void windows_agree_with_a_naive_memory_in_any_order(void **state) {
    (void)state;
    static bool seen[COUNTERS + 3 * SEAL_WINDOW];
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct seal_window window = {0};
        struct random_stream stream;
        uint64_t newest = 0, accepted = 0, refused = 0;
        random_init(&stream, seed, 0, RANDOM_TEST);
        memset(seen, 0, sizeof seen);
        for (uint64_t base = 1; base < COUNTERS; base++) {
            uint64_t counter = base + random_below(&stream, seed * SEAL_WINDOW / 2);
            bool fresh = counter > newest || (newest - counter < SEAL_WINDOW && !seen[counter]);
            assert_int_equal(seal_window_fresh(&window, counter), fresh);
            accepted += fresh;
            refused += !fresh;
            if (!fresh)
                continue;
            seal_window_mark(&window, counter);
            seen[counter] = true;
            newest = counter > newest ? counter : newest;
        }
        assert_true(accepted > COUNTERS / 10 && refused > COUNTERS / 10); /* both sides were tried */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shared_secrets_are_those_of_rfc_7748),
                                       cmocka_unit_test(a_sealed_text_is_that_of_rfc_8439),
                                       cmocka_unit_test(both_ends_derive_one_secret_from_their_signing_keys),
                                       cmocka_unit_test(keys_that_give_no_secret_are_refused),
                                       cmocka_unit_test(every_part_of_a_direction_changes_its_key),
                                       cmocka_unit_test(nothing_but_the_very_bytes_opens),
                                       cmocka_unit_test(a_counter_is_fresh_once_and_old_ones_never_again),
                                       cmocka_unit_test(windows_agree_with_a_naive_memory_in_any_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Goal: SHA-256 is that of FIPS 180-4, Ed25519 that of RFC 8032, and a signature holds for exactly its key
 * and bytes. Method: the published examples (FIPS 180-4: one block, two blocks, a million letters; RFC 8032,
 * 7.1: all five), then every byte of a signed message changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/ledger/genesis.h"
#include "common/ledger/signature_cache.h"

static void assert_hash(struct hash hash, const char *expected) {
    char text[HASH_TEXT_BYTES];
    hash_text(&hash, text);
    assert_string_equal(text, expected);
}

static void sha_256_gives_the_examples_of_fips_180_4(void **state) {
    (void)state;
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    assert_hash(hash_of(NULL, "abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_hash(hash_of(NULL, two_blocks, 56),
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    assert_hash(hash_of(NULL, NULL, 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    char *million = malloc(1000000);
    assert_non_null(million);
    memset(million, 'a', 1000000);
    assert_hash(hash_of(NULL, million, 1000000),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

static void a_tag_and_two_pieces_are_hashed_as_one_text(void **state) {
    (void)state;
    struct hash whole = hash_of(NULL, "abcdef", 6);
    struct hash tagged = hash_of("ab", "cdef", 4);
    struct hash two = hash_of_two("a", "bc", 2, "def", 3);
    struct hash empty = hash_of_two("abcdef", NULL, 0, "", 0);
    assert_true(hash_equal(&whole, &tagged) && hash_equal(&whole, &two) && hash_equal(&whole, &empty));
}

static void a_hash_as_text_reads_back_and_nothing_else_does(void **state) {
    (void)state;
    struct hash hash = hash_of(NULL, "abc", 3), back = {0};
    char text[HASH_TEXT_BYTES + 1] = {0};
    hash_text(&hash, text);
    assert_true(hash_parse(text, &back));
    assert_true(hash_equal(&hash, &back));
    assert_true(hash_parse("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", &back));
    assert_true(hash_equal(&hash, &back));
    for (size_t i = 0; i < 64; i++) {
        char wrong[HASH_TEXT_BYTES];
        memcpy(wrong, text, sizeof wrong);
        wrong[i] = "g/:@`"[i % 5];
        assert_false(hash_parse(wrong, &back));
        wrong[i] = '\0';
        assert_false(hash_parse(wrong, &back));
    }
    text[64] = '0';
    assert_false(hash_parse(text, &back));
}

static void only_zero_is_zero(void **state) {
    (void)state;
    struct hash hash = {0};
    assert_true(hash_is_zero(&hash));
    for (size_t i = 0; i < HASH_BYTES; i++) {
        hash.bytes[i] = 1;
        assert_false(hash_is_zero(&hash));
        hash.bytes[i] = 0;
    }
}

struct vector {
    const char *seed, *public, *message, *signature;
};

static const struct vector vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
    {"f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
     "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
     "08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98"
     "fa6e264bf09efe12ee50f8f54e9f77b1e355f6c50544e23fb1433ddf73be84d8"
     "79de7c0046dc4996d9e773f4bc9efe5738829adb26c81b37c93a1b270b20329d"
     "658675fc6ea534e0810a4432826bf58c941efb65d57a338bbd2e26640f89ffbc"
     "1a858efcb8550ee3a5e1998bd177e93a7363c344fe6b199ee5d02e82d522c4fe"
     "ba15452f80288a821a579116ec6dad2b3b310da903401aa62100ab5d1a36553e"
     "06203b33890cc9b832f79ef80560ccb9a39ce767967ed628c6ad573cb116dbef"
     "efd75499da96bd68a8a97b928a8bbc103b6621fcde2beca1231d206be6cd9ec7"
     "aff6f6c94fcd7204ed3455c68c83f4a41da4af2b74ef5c53f1d8ac70bdcb7ed1"
     "85ce81bd84359d44254d95629e9855a94a7c1958d1f8ada5d0532ed8a5aa3fb2"
     "d17ba70eb6248e594e1a2297acbbb39d502f1a8c6eb6f1ce22b3de1a1f40cc24"
     "554119a831a9aad6079cad88425de6bde1a9187ebb6092cf67bf2b13fd65f270"
     "88d78b7e883c8759d2c4f5c65adb7553878ad575f9fad878e80a0c9ba63bcbcc"
     "2732e69485bbc9c90bfbd62481d9089beccf80cfe2df16a2cf65bd92dd597b07"
     "07e0917af48bbb75fed413d238f5555a7a569d80c3414a8d0859dc65a46128ba"
     "b27af87a71314f318c782b23ebfe808b82b0ce26401d2e22f04d83d1255dc51a"
     "ddd3b75a2b1ae0784504df543af8969be3ea7082ff7fc9888c144da2af58429e"
     "c96031dbcad3dad9af0dcbaaaf268cb8fcffead94f3c7ca495e056a9b47acdb7"
     "51fb73e666c6c655ade8297297d07ad1ba5e43f1bca32301651339e22904cc8c"
     "42f58c30c04aafdb038dda0847dd988dcda6f3bfd15c4b4c4525004aa06eeff8"
     "ca61783aacec57fb3d1f92b0fe2fd1a85f6724517b65e614ad6808d6f6ee34df"
     "f7310fdc82aebfd904b01e1dc54b2927094b2db68d6f903b68401adebf5a7e08"
     "d78ff4ef5d63653a65040cf9bfd4aca7984a74d37145986780fc0b16ac451649"
     "de6188a7dbdf191f64b5fc5e2ab47b57f7f7276cd419c17a3ca8e1b939ae49e4"
     "88acba6b965610b5480109c8b17b80e1b7b750dfc7598d5d5011fd2dcc5600a3"
     "2ef5b52a1ecc820e308aa342721aac0943bf6686b64b2579376504ccc493d97e"
     "6aed3fb0f9cd71a43dd497f01f17c0e2cb3797aa2a2f256656168e6c496afc5f"
     "b93246f6b1116398a346f1a641f3b041e989f7914f90cc2c7fff357876e506b5"
     "0d334ba77c225bc307ba537152f3f1610e4eafe595f6d9d90d11faa933a15ef1"
     "369546868a7f3a45a96768d40fd9d03412c091c6315cf4fde7cb68606937380d"
     "b2eaaa707b4c4185c32eddcdd306705e4dc1ffc872eeee475a64dfac86aba41c"
     "0618983f8741c5ef68d3a101e8a3b8cac60c905c15fc910840b94c00a0b9d0",
     "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350"
     "aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e30a6ac00a9704a188a03"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
     "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"},
};

static size_t from_hexadecimal(const char *text, uint8_t *data, size_t capacity) {
    size_t size = strlen(text) / 2;
    assert_true(size <= capacity);
    for (size_t i = 0; i < size; i++) {
        char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
        data[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return size;
}

static void ed25519_gives_the_vectors_of_rfc_8032(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint8_t seed[32], public[PUBLIC_KEY_BYTES], message[1024], expected[SIGNATURE_BYTES];
        from_hexadecimal(vectors[i].seed, seed, sizeof seed);
        from_hexadecimal(vectors[i].public, public, sizeof public);
        from_hexadecimal(vectors[i].signature, expected, sizeof expected);
        size_t size = from_hexadecimal(vectors[i].message, message, sizeof message);
        struct signing_key key;
        signing_key_from_seed(seed, &key);
        assert_memory_equal(key.public.bytes, public, sizeof public);
        struct signature signature = signature_make(&key, message, size);
        assert_memory_equal(signature.bytes, expected, sizeof expected);
        assert_true(signature_valid(&signature, &key.public, message, size));
    }
}

static void a_signature_holds_for_its_own_key_and_bytes_only(void **state) {
    (void)state;
    static const uint8_t seed_a[32] = {1}, seed_b[32] = {2};
    struct signing_key a, b;
    uint8_t message[] = "sixty-four bytes of nothing";
    signing_key_from_seed(seed_a, &a);
    signing_key_from_seed(seed_b, &b);
    struct signature signature = signature_make(&a, message, sizeof message);
    assert_false(signature_valid(&signature, &b.public, message, sizeof message));
    assert_false(signature_valid(&signature, &a.public, message, sizeof message - 1));
    for (size_t i = 0; i < sizeof message; i++) {
        message[i] ^= 1;
        assert_false(signature_valid(&signature, &a.public, message, sizeof message));
        message[i] ^= 1;
    }
    for (size_t i = 0; i < SIGNATURE_BYTES; i++) {
        signature.bytes[i] ^= 1;
        assert_false(signature_valid(&signature, &a.public, message, sizeof message));
        signature.bytes[i] ^= 1;
    }
    assert_true(signature_valid(&signature, &a.public, message, sizeof message));
}

/* S and S + L (the order of the group) satisfy the same equation: only the smaller may pass. */
static void a_signature_has_no_second_form(void **state) {
    (void)state;
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    static const uint8_t seed[32] = {1};
    struct signing_key key;
    signing_key_from_seed(seed, &key);
    struct signature signature = signature_make(&key, "abc", 3);
    assert_true(signature_valid(&signature, &key.public, "abc", 3));
    uint32_t carry = 0;
    for (size_t i = 0; i < 32; i++) {
        carry += (uint32_t)signature.bytes[32 + i] + order[i];
        signature.bytes[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_int_equal(carry, 0);
    assert_false(signature_valid(&signature, &key.public, "abc", 3));
}

static void the_cache_of_signatures_remembers_good_ones_only(void **state) {
    (void)state;
    static const uint8_t seed[32] = {1};
    struct signing_key key;
    struct signature_cache cache;
    signing_key_from_seed(seed, &key);
    assert_int_equal(signature_cache_init(&cache, 64), STATUS_OK);
    struct genesis genesis = {.verified = &cache};
    struct signature signature = signature_make(&key, "abc", 3);
    for (int i = 0; i < 3; i++)
        assert_true(genesis_signature_valid(&genesis, &signature, &key.public, "abc", 3));
    assert_int_equal(cache.misses, 1);
    assert_int_equal(cache.hits, 2);
    for (int i = 0; i < 3; i++)
        assert_false(genesis_signature_valid(&genesis, &signature, &key.public, "abd", 3));
    assert_int_equal(cache.misses, 4);
    signature_cache_close(&cache);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha_256_gives_the_examples_of_fips_180_4),
        cmocka_unit_test(a_tag_and_two_pieces_are_hashed_as_one_text),
        cmocka_unit_test(a_hash_as_text_reads_back_and_nothing_else_does),
        cmocka_unit_test(only_zero_is_zero),
        cmocka_unit_test(ed25519_gives_the_vectors_of_rfc_8032),
        cmocka_unit_test(a_signature_holds_for_its_own_key_and_bytes_only),
        cmocka_unit_test(a_signature_has_no_second_form),
        cmocka_unit_test(the_cache_of_signatures_remembers_good_ones_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Goal: text of unknown origin can be shown safely, and mistyped words find what was meant. Method: hand-made
 * texts with every kind of byte; distances known by hand; symmetry over seeded random words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/base/random.h"
#include "common/base/text.h"

static void quoting_leaves_nothing_harmful(void **state) {
    (void)state;
    char quoted[TEXT_QUOTED_MAX];
    assert_string_equal(text_quote("plain", 5, quoted), "plain");
    assert_string_equal(text_quote("a\x1b[31mb\n", 8, quoted), "a?[31mb?");
    assert_string_equal(text_quote("a\0b", 3, quoted), "a?b");
    assert_string_equal(text_quote("gr\xc3\xbc\xc3\x9f", 6, quoted), "gr\xc3\xbc\xc3\x9f");
    assert_string_equal(text_quote("\xff\xc3", 2, quoted), "??");
    assert_string_equal(text_quote("\xc2\x9b", 2, quoted), "?"); /* a control character of two bytes */
    assert_string_equal(text_quote("", 0, quoted), "");
}

static void long_quotes_end_in_dots_and_never_inside_a_character(void **state) {
    (void)state;
    char text[300], quoted[TEXT_QUOTED_MAX];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 <= sizeof text; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 3);
        text_quote(text, 297, quoted);
        size_t length = strlen(quoted);
        assert_true(length < TEXT_QUOTED_MAX && length > TEXT_QUOTED_MAX - 10);
        assert_string_equal(quoted + length - 3, "...");
        assert_int_equal((length - 3 - shift) % 3, 0);
    }
}

static void utf8_is_strict(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size, length;
        uint32_t code;
    } known[] = {{"a", 1, 1, 'a'},
                 {"\xc3\xbc", 2, 2, 0xfc},
                 {"\xe2\x82\xac", 3, 3, 0x20ac},
                 {"\xf0\x9f\x98\x80", 4, 4, 0x1f600},
                 {"\xc3", 1, 0, 0},             /* cut */
                 {"\xc0\x80", 2, 0, 0},         /* overlong zero */
                 {"\xe0\x80\x80", 3, 0, 0},     /* overlong */
                 {"\xed\xa0\x80", 3, 0, 0},     /* surrogate */
                 {"\xf4\x90\x80\x80", 4, 0, 0}, /* above U+10FFFF */
                 {"\x80", 1, 0, 0},
                 {"\xc3(", 2, 0, 0}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t code = 0;
        assert_int_equal(text_utf8(known[i].bytes, known[i].size, &code), known[i].length);
        assert_int_equal(code, known[i].code);
    }
}

static void distances_count_edits(void **state) {
    (void)state;
    assert_int_equal(text_distance("gateway", "gateway"), 0);
    assert_int_equal(text_distance("gatway", "gateway"), 1);
    assert_int_equal(text_distance("gaetway", "gateway"), 1);
    assert_int_equal(text_distance("GATEWAY", "gateway"), 0);
    assert_int_equal(text_distance("", "abc"), 3);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
    char longer[80];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_true(text_distance(longer, "a") == SIZE_MAX);
}

static void distance_is_symmetric(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 3, 0, RANDOM_TEST);
    for (int i = 0; i < 2000; i++) {
        char a[20] = "", b[20] = "";
        for (size_t k = 0, n = random_below(&stream, 12); k < n; k++)
            a[k] = (char)('a' + random_below(&stream, 4));
        for (size_t k = 0, n = random_below(&stream, 12); k < n; k++)
            b[k] = (char)('a' + random_below(&stream, 4));
        assert_int_equal(text_distance(a, b), text_distance(b, a));
        assert_true((text_distance(a, b) == 0) == (strcmp(a, b) == 0));
    }
}

static void only_close_words_are_suggested(void **state) {
    (void)state;
    static const char *const words[] = {"sensor", "gateway", "edge"};
    static const struct {
        const char *typed, *meant;
    } known[] = {
        {"sensors", "sensor"}, {"getaway", "gateway"}, {"egde", "edge"}, {"banana", NULL}, {"", NULL}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct text_closest search = text_closest_to(known[i].typed);
        for (size_t k = 0; k < 3; k++)
            text_closest_offer(&search, words[k]);
        if (known[i].meant == NULL)
            assert_null(search.best);
        else
            assert_string_equal(search.best, known[i].meant);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quoting_leaves_nothing_harmful),
        cmocka_unit_test(long_quotes_end_in_dots_and_never_inside_a_character),
        cmocka_unit_test(utf8_is_strict),
        cmocka_unit_test(distances_count_edits),
        cmocka_unit_test(distance_is_symmetric),
        cmocka_unit_test(only_close_words_are_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

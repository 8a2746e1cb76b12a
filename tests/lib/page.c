#include "tests/lib/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <ctype.h>

/* Every opened element is closed in order; void elements of HTML and self-closed ones apart. */
void page_check_balanced(const char *page) {
    static const char *const empty[] = {"meta", "!DOCTYPE", "br"};
    char open[64][16];
    size_t depth = 0;
    for (const char *at = strchr(page, '<'); at != NULL; at = strchr(at + 1, '<')) {
        const char *end = strchr(at, '>');
        assert_non_null(end);
        bool closing = at[1] == '/', void_element = end[-1] == '/';
        char name[16];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 1 + closing, " >/\n"), at + 1 + closing);
        for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
            void_element = void_element || strcmp(name, empty[i]) == 0;
        if (void_element)
            continue;
        if (!closing) {
            assert_true(depth < 64);
            snprintf(open[depth++], sizeof open[0], "%s", name);
        } else if (depth == 0 || strcmp(open[--depth], name) != 0) {
            fail_msg("</%s> closes <%s>", name, depth < 64 ? open[depth] : "");
        }
    }
    assert_int_equal(depth, 0);
}

static void expect_self_contained(const char *page) {
    static const char *const forbidden[] = {"http:",   "https:", "<script", "<link",  "<img",
                                            "@import", "url(",   "src=",    "onload", "javascript:"};
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
        if (strstr(page, forbidden[i]) != NULL)
            fail_msg("the page holds %s", forbidden[i]);
}

/* No coordinate and no figure may be "nan" or "inf". */
static void expect_finite(const char *page) {
    for (const char *at = page; (at = strstr(at, "nan")) != NULL; at++)
        assert_true(isalpha((unsigned char)at[-1]) || isalpha((unsigned char)at[3]));
    assert_null(strstr(page, "\"inf"));
    assert_null(strstr(page, "\"n/a"));
    assert_null(strstr(page, "Infinity"));
}

void page_check(const char *page) {
    page_check_balanced(page);
    expect_self_contained(page);
    expect_finite(page);
}

size_t page_count(const char *page, const char *part) {
    size_t count = 0;
    for (const char *at = page; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

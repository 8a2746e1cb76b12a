#include "common/base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DISTANCE_LETTERS_MAX 63

static bool is_continuation(char byte) {
    return ((unsigned char)byte & 0xc0u) == 0x80u;
}

size_t text_utf8(const char *data, size_t size, uint32_t *code) {
    unsigned char lead = (unsigned char)data[0];
    size_t length = lead < 0x80   ? 1
                    : lead < 0xc2 ? 0
                    : lead < 0xe0 ? 2
                    : lead < 0xf0 ? 3
                    : lead < 0xf5 ? 4
                                  : 0;
    if (length == 0 || length > size)
        return 0;
    uint32_t value = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (!is_continuation(data[i]))
            return 0;
        value = value << 6 | ((unsigned char)data[i] & 0x3fu);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    if (code != NULL)
        *code = value;
    return length;
}

const char *text_quote(const char *text, size_t size, char quoted[TEXT_QUOTED_MAX]) {
    size_t room = TEXT_QUOTED_MAX - sizeof "...";
    size_t used = 0;
    for (size_t i = 0; i < size;) {
        uint32_t code = 0;
        size_t length = text_utf8(text + i, size - i, &code);
        bool plain = length > 0 && code >= 0x20 && !(code >= 0x7f && code < 0xa0);
        size_t wanted = plain ? length : 1;
        if (used + wanted > room) {
            memcpy(quoted + used, "...", 3);
            used += 3;
            break;
        }
        if (plain)
            memcpy(quoted + used, text + i, length);
        else
            quoted[used] = '?';
        used += wanted;
        i += length > 0 ? length : 1;
    }
    quoted[used] = '\0';
    return quoted;
}

static size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

static bool same_letter(char a, char b) {
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment, three rows. */
size_t text_distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    if (n > DISTANCE_LETTERS_MAX || m > DISTANCE_LETTERS_MAX)
        return SIZE_MAX;
    size_t rows[3][DISTANCE_LETTERS_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++)
        last[j] = j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t replace = last[j - 1] + (same_letter(a[i - 1], b[j - 1]) ? 0 : 1);
            row[j] = least_of(replace, least_of(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]))
                row[j] = least_of(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[m];
}

void text_closest_offer(struct text_closest *search, const char *candidate) {
    size_t letters = strlen(search->word);
    size_t allowed = letters < 3 ? 1 : (letters + 2) / 3;
    size_t distance = text_distance(search->word, candidate);
    bool same_length = strlen(candidate) == letters; /* a wrong letter is likelier than a missing one */
    if (distance <= allowed &&
        (distance < search->distance || (distance == search->distance && same_length))) {
        search->distance = distance;
        search->best = candidate;
    }
}

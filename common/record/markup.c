#include "common/record/markup.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void markup_init(struct markup *markup) {
    *markup = (struct markup){0};
}

void markup_close(struct markup *markup) {
    free(markup->data);
    *markup = (struct markup){0};
}

static void append(struct markup *markup, const char *text, size_t size) {
    if (markup->failed)
        return;
    if (markup->capacity - markup->used < size + 1) {
        size_t capacity = 2 * markup->capacity + size + 4096;
        char *data = realloc(markup->data, capacity);
        if (data == NULL) {
            markup->failed = true;
            return;
        }
        markup->data = data;
        markup->capacity = capacity;
    }
    memcpy(markup->data + markup->used, text, size);
    markup->used += size;
    markup->data[markup->used] = '\0';
}

void markup_raw(struct markup *markup, const char *text) {
    append(markup, text, strlen(text));
}

static const char *escape_of(char byte) {
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void markup_text(struct markup *markup, const char *text) {
    for (; *text != '\0'; text++) {
        const char *escape = escape_of(*text);
        bool control = (unsigned char)*text < 32 && *text != '\n' && *text != '\t';
        if (escape != NULL)
            markup_raw(markup, escape);
        else if (!control)
            append(markup, text, 1);
    }
}

void markup_format(struct markup *markup, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    assert(length >= 0 && (size_t)length < sizeof text);
    append(markup, text, (size_t)length);
}

/* The decimals are printed as an integer: printf's own point follows the locale. */
static int write_number(char *text, size_t size, double value, int decimals) {
    static const double scales[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    assert(decimals >= 0 && decimals <= 9);
    if (!isfinite(value) || fabs(value) * scales[decimals] > 9e18)
        return snprintf(text, size, "n/a");
    int64_t scaled = llround(value * scales[decimals]), unit = llround(scales[decimals]);
    uint64_t magnitude = scaled < 0 ? (uint64_t)-scaled : (uint64_t)scaled;
    int length = snprintf(text, size, "%s%" PRIu64, scaled < 0 ? "-" : "", magnitude / (uint64_t)unit);
    uint64_t rest = magnitude % (uint64_t)unit;
    if (rest == 0)
        return length;
    length += snprintf(text + length, size - (size_t)length, ".%0*" PRIu64, decimals, rest);
    while (text[length - 1] == '0')
        text[--length] = '\0';
    return length;
}

void markup_number(struct markup *markup, double value, int decimals) {
    char text[64];
    write_number(text, sizeof text, value, decimals);
    markup_raw(markup, text);
}

void markup_quantity(struct markup *markup, double value) {
    double magnitude = fabs(value);
    if (isfinite(value) && magnitude >= 999.5 && magnitude < 1e18) {
        double step = pow(10, floor(log10(magnitude)) - 2);
        markup_raw(markup, value < 0 ? "-" : "");
        markup_count(markup, (uint64_t)llround(round(magnitude / step) * step));
        return;
    }
    int decimals = magnitude >= 99.95 ? 0 : magnitude >= 9.995 ? 1 : magnitude >= 0.9995 ? 2 : 3;
    if (magnitude > 0 && magnitude < 0.1)
        decimals = magnitude < 1e-7 ? 9 : 2 - (int)floor(log10(magnitude));
    markup_number(markup, value, decimals > 9 ? 9 : decimals);
}

void markup_scientific(struct markup *markup, double value, int decimals) {
    double magnitude = fabs(value);
    if (!isfinite(value) || magnitude < 1e-300) {
        markup_number(markup, isfinite(value) ? 0 : value, 0);
        return;
    }
    static const double scales[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    int exponent = (int)floor(log10(magnitude));
    double digits = round(magnitude / pow(10, exponent) * scales[decimals]) / scales[decimals];
    if (digits >= 10) { /* 9.99 rounded up */
        digits = 1;
        exponent++;
    }
    markup_number(markup, value < 0 ? -digits : digits, decimals);
    markup_format(markup, "e%d", exponent);
}

void markup_figure(struct markup *markup, double value, int digits) {
    double magnitude = fabs(value);
    if (isfinite(value) && magnitude > 0 && (magnitude < 1e-4 || magnitude >= 1e6)) {
        markup_scientific(markup, value, digits - 1);
        return;
    }
    int whole =
        magnitude > 0 ? (int)floor(log10(magnitude)) + 1 : 1; /* digits before the point, or 0, -1, ... */
    int decimals = digits - whole;
    markup_number(markup, value, decimals < 0 ? 0 : decimals > 9 ? 9 : decimals);
}

void markup_count(struct markup *markup, uint64_t value) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, value);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            append(markup, ",", 1);
        append(markup, digits + i, 1);
    }
}

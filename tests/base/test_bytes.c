/* Goal: what the writer writes the reader reads, in little-endian whatever the machine, and neither ever
 * leaves its buffer: a failure sticks, writes nothing more and reads zeros. Method: known bytes, every value
 * of a random walk there and back, and every cut of a valid input. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/bytes.h"
#include "common/base/random.h"

static void numbers_are_little_endian(void **state) {
    (void)state;
    uint8_t data[32];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    bytes_put_u8(&writer, 0x01);
    bytes_put_u16(&writer, 0x0302);
    bytes_put_u32(&writer, 0x07060504u);
    bytes_put_u64(&writer, UINT64_C(0x0f0e0d0c0b0a0908));
    bytes_put_i64(&writer, -2);
    assert_false(writer.failed);
    assert_int_equal(writer.used, 23);
    for (uint8_t i = 0; i < 15; i++)
        assert_int_equal(data[i], i + 1);
    assert_int_equal(data[15], 0xfe);
    for (size_t i = 16; i < 23; i++)
        assert_int_equal(data[i], 0xff);
}

static void a_double_travels_as_its_ieee_754_bits(void **state) {
    (void)state;
    static const uint8_t one_and_a_half[] = {0, 0, 0, 0, 0, 0, 0xf8, 0x3f};
    uint8_t data[8];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    bytes_put_f64(&writer, 1.5);
    assert_memory_equal(data, one_and_a_half, sizeof data);
    static const double values[] = {0.0, -0.0, 1e-320, -1e300, INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        writer = bytes_writer_over(data, sizeof data);
        bytes_put_f64(&writer, values[i]);
        struct bytes_reader reader = bytes_reader_over(data, sizeof data);
        double back = bytes_get_f64(&reader);
        assert_memory_equal(&back, &values[i], sizeof back);
        assert_true(bytes_done(&reader));
    }
}

/* One random sequence of fields; writes it, or reads and compares it, from the same stream. */
static void walk(uint64_t seed, struct bytes_writer *writer, struct bytes_reader *reader) {
    struct random_stream stream;
    random_init(&stream, seed, 0, RANDOM_TEST);
    uint64_t fields = random_below(&stream, 40);
    for (uint64_t i = 0; i < fields; i++) {
        uint64_t kind = random_below(&stream, 5);
        uint64_t value = random_next(&stream);
        if (writer != NULL) {
            kind == 0   ? bytes_put_u8(writer, (uint8_t)value)
            : kind == 1 ? bytes_put_u16(writer, (uint16_t)value)
            : kind == 2 ? bytes_put_u32(writer, (uint32_t)value)
            : kind == 3 ? bytes_put_u64(writer, value)
                        : bytes_put_i64(writer, (int64_t)value);
            continue;
        }
        uint64_t expected = kind == 0   ? (uint8_t)value
                            : kind == 1 ? (uint16_t)value
                            : kind == 2 ? (uint32_t)value
                                        : value;
        uint64_t got = kind == 0   ? bytes_get_u8(reader)
                       : kind == 1 ? bytes_get_u16(reader)
                       : kind == 2 ? bytes_get_u32(reader)
                       : kind == 3 ? bytes_get_u64(reader)
                                   : (uint64_t)bytes_get_i64(reader);
        assert_true(got == expected);
    }
}

static void any_sequence_of_fields_comes_back(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 500; seed++) {
        uint8_t data[40 * 8];
        struct bytes_writer writer = bytes_writer_over(data, sizeof data);
        walk(seed, &writer, NULL);
        assert_false(writer.failed);
        struct bytes_reader reader = bytes_reader_over(data, writer.used);
        walk(seed, NULL, &reader);
        assert_true(bytes_done(&reader));
        assert_int_equal(bytes_left(&reader), 0);
    }
}

static void a_full_writer_fails_and_never_writes_again(void **state) {
    (void)state;
    uint8_t data[8];
    memset(data, 0xaa, sizeof data);
    struct bytes_writer writer = bytes_writer_over(data, 6);
    bytes_put_u32(&writer, 0);
    bytes_put_u32(&writer, 0); /* two bytes are left */
    assert_true(writer.failed);
    assert_int_equal(writer.used, 4);
    bytes_put_u8(&writer, 0); /* would fit, but a hole may not appear */
    assert_int_equal(writer.used, 4);
    for (size_t i = 4; i < sizeof data; i++)
        assert_int_equal(data[i], 0xaa);
}

static void sizes_near_the_end_of_the_range_do_not_wrap(void **state) {
    (void)state;
    uint8_t data[4] = {1, 2, 3, 4};
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    bytes_put_u8(&writer, 9);
    bytes_put(&writer, data, SIZE_MAX);
    assert_true(writer.failed);
    struct bytes_reader reader = bytes_reader_over(data, sizeof data);
    assert_int_equal(bytes_get_u8(&reader), 9);
    assert_null(bytes_get(&reader, SIZE_MAX));
    assert_true(reader.failed);
}

static void a_short_reader_fails_gives_zeros_and_stays_failed(void **state) {
    (void)state;
    static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8};
    for (size_t size = 0; size < sizeof data; size++) {
        struct bytes_reader reader = bytes_reader_over(data, size);
        assert_true(bytes_get_u64(&reader) == 0);
        assert_true(reader.failed);
        assert_int_equal(reader.used, 0);
        assert_int_equal(bytes_get_u8(&reader), 0);
        assert_false(bytes_done(&reader));
    }
}

static void nothing_may_follow_what_a_decoder_wanted(void **state) {
    (void)state;
    static const uint8_t data[] = {1, 2, 3};
    struct bytes_reader reader = bytes_reader_over(data, sizeof data);
    assert_int_equal(bytes_get_u16(&reader), 0x0201);
    assert_false(bytes_done(&reader));
    assert_int_equal(bytes_left(&reader), 1);
    assert_int_equal(bytes_get_u8(&reader), 3);
    assert_true(bytes_done(&reader));
}

static void no_bytes_at_all_are_a_valid_input(void **state) {
    (void)state;
    struct bytes_reader reader = bytes_reader_over(NULL, 0);
    assert_true(bytes_done(&reader));
    struct bytes_writer writer = bytes_writer_over(NULL, 0);
    bytes_put(&writer, NULL, 0);
    assert_false(writer.failed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_little_endian),
        cmocka_unit_test(a_double_travels_as_its_ieee_754_bits),
        cmocka_unit_test(any_sequence_of_fields_comes_back),
        cmocka_unit_test(a_full_writer_fails_and_never_writes_again),
        cmocka_unit_test(sizes_near_the_end_of_the_range_do_not_wrap),
        cmocka_unit_test(a_short_reader_fails_gives_zeros_and_stays_failed),
        cmocka_unit_test(nothing_may_follow_what_a_decoder_wanted),
        cmocka_unit_test(no_bytes_at_all_are_a_valid_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

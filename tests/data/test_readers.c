/* The readers of vibration files: each gives back what the test itself wrote, and refuses hostile, cut and
 * unreadable files with a message that names the file, without reading outside its bytes (the suite runs
 * under sanitizers too). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "common/data/vibration.h"
#include "tests/data/files.h"

static void check_samples(const struct vibration *vibration, const float *expected, size_t count) {
    assert_int_equal(vibration->count, count);
    for (size_t i = 0; i < count; i++)
        assert_true(fabsf(vibration->samples[i] - expected[i]) < 1e-6f);
}

static void a_wav_file_of_any_width_gives_its_first_channel(void **state) {
    (void)state;
    /* Method: the values 0.5, -0.25 and the least (-1) as bytes written by hand for each width; the second
     * channel of the stereo files holds 0.125, which must not show. */
    static const float expected[] = {0.5f, -0.25f, -1.0f};
    static const struct {
        struct wav_shape shape;
        uint8_t frames[32];
        size_t size;
    } cases[] = {
        {{1, 1, 8, 8000}, {0xc0, 0x60, 0x00}, 3},
        {{1, 1, 16, 12000}, {0x00, 0x40, 0x00, 0xe0, 0x00, 0x80}, 6},
        {{1, 2, 16, 12000}, {0x00, 0x40, 0x00, 0x10, 0x00, 0xe0, 0x00, 0x10, 0x00, 0x80, 0x00, 0x10}, 12},
        {{1, 1, 24, 48000}, {0, 0, 0x40, 0, 0, 0xe0, 0, 0, 0x80}, 9},
        {{1, 1, 32, 48000}, {0, 0, 0, 0x40, 0, 0, 0, 0xe0, 0, 0, 0, 0x80}, 12},
        {{3, 1, 32, 44100}, {0, 0, 0, 0x3f, 0, 0, 0x80, 0xbe, 0, 0, 0x80, 0xbf}, 12},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint8_t file[128];
        size_t size = wav_make(cases[i].shape, cases[i].frames, cases[i].size, file, sizeof(file));
        struct vibration vibration;
        assert_int_equal(wav_decode(file, size, "case.wav", &vibration, NULL), STATUS_OK);
        check_samples(&vibration, expected, 3);
        assert_true(vibration.full_scale && vibration.sample_rate_hz == cases[i].shape.rate_hz);
        vibration_close(&vibration);
    }
}

static void a_wav_file_cut_anywhere_or_with_a_flipped_byte_never_misleads_the_reader(void **state) {
    (void)state;
    /* Method: every truncation must be refused with a reason; every single changed byte of the header must be
     * refused or give no more samples than the file has room for. */
    const uint8_t frames[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    uint8_t file[128];
    size_t size = wav_make((struct wav_shape){1, 1, 16, 12000}, frames, sizeof(frames), file, sizeof(file));
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = malloc(cut + 1); /* exactly as large, so that a sanitizer sees any overrun */
        memcpy(copy, file, cut);
        struct vibration vibration;
        struct error error = {0};
        assert_int_equal(wav_decode(copy, cut, "cut.wav", &vibration, &error), STATUS_INVALID);
        assert_non_null(strstr(error.text, "cut.wav"));
        free(copy);
    }
    for (size_t at = 0; at < 44; at++)
        for (int bit = 0; bit < 8; bit++) {
            struct vibration vibration = {0};
            file[at] ^= (uint8_t)(1 << bit);
            if (wav_decode(file, size, "flip.wav", &vibration, NULL) == STATUS_OK)
                assert_in_range(vibration.count, 0, 16);
            vibration_close(&vibration);
            file[at] ^= (uint8_t)(1 << bit);
        }
}

static void wav_formats_that_are_not_linear_are_refused_by_name(void **state) {
    (void)state;
    const struct wav_shape shapes[] = {{2, 1, 16, 8000}, {7, 1, 8, 8000},  {1, 1, 12, 8000},
                                       {3, 1, 16, 8000}, {1, 0, 16, 8000}, {1, 1, 16, 0}};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        uint8_t file[64];
        size_t size = wav_make(shapes[i], (const uint8_t *)"\0\0\0\0", 4, file, sizeof(file));
        struct vibration vibration;
        struct error error = {0};
        assert_int_equal(wav_decode(file, size, "odd.wav", &vibration, &error), STATUS_INVALID);
        assert_non_null(strstr(error.text, "odd.wav"));
    }
}

static enum status decode_text(const char *text, struct vibration *vibration, struct error *error) {
    return csv_decode((const uint8_t *)text, strlen(text), "t.csv", vibration, error);
}

static void csv_columns_with_and_without_header_time_and_comments_are_understood(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double rate_hz;
    } cases[] = {
        {"1.5\n-2\n3e0\n", 0},
        {"acceleration_g\n1.5\n-2\n3", 0},
        {"# from the lab\n# sample_rate_hz=12000\r\na,b\r\n1.5,9\r\n-2,9\r\n\r\n3,9\r\n", 12000},
        {"1.5\t9\n-2\t9\n3\t9\n", 0},
        {" 1.5 ; 9\n -2 ; 9\n 3 ; 9\n", 0},
        {"time,x,y\n0,1.5,9\n0.001,-2,9\n0.002,3,9\n", 1000},
        {"\"t\"; x\n0; 1.5\n0.5; -2\n1; 3\n", 2},
    };
    static const float expected[] = {1.5f, -2.0f, 3.0f};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct vibration vibration;
        assert_int_equal(decode_text(cases[i].text, &vibration, NULL), STATUS_OK);
        check_samples(&vibration, expected, 3);
        assert_true(fabs(vibration.sample_rate_hz - cases[i].rate_hz) < 1e-6);
        vibration_close(&vibration);
    }
}

static void csv_content_that_is_not_numbers_is_refused_with_its_line(void **state) {
    (void)state;
    static const struct {
        const char *text, *clue;
    } cases[] = {{"", "t.csv"},
                 {"a\n", "t.csv"},
                 {"1\n2\nx\n", "t.csv:3"},
                 {"a\nb\n", "t.csv:2"},
                 {"1\nnan\n", "t.csv:2"},
                 {"inf\n1\n", "t.csv:1"},
                 {"1\n2 3x\n1x", "t.csv:3"},
                 {"time,x\n1,2\n1,3\n", "time"},
                 {"time,x\n1\n", "t.csv:2"},
                 {"# sample_rate_hz=fast\n1\n", "t.csv:1"},
                 {"1e999\n", "t.csv:1"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct vibration vibration;
        struct error error = {0};
        assert_int_equal(decode_text(cases[i].text, &vibration, &error), STATUS_INVALID);
        assert_non_null(strstr(error.text, cases[i].clue));
    }
}

static void a_mat_file_gives_its_drive_end_vector_or_its_first(void **state) {
    (void)state;
    /* Method: files written through libmatio: a lone vector under any name; the drive-end variable behind
     * another one; whole numbers, plain and compressed, in the levels 5 and 7.3; a matrix, which is no vector
     * and must be refused. */
    struct scratch scratch;
    scratch_open(&scratch);
    double values[] = {0.5, -0.25, 2.0}, other[] = {9, 9, 9, 9};
    static const float expected[] = {0.5f, -0.25f, 2.0f};
    struct vibration vibration;
    struct error error = {0};
    scratch_write_mat(&scratch, "lone.mat", "x", values, 3, 1);
    assert_int_equal(vibration_read(scratch_path(&scratch, "lone.mat"), &vibration, NULL), STATUS_OK);
    check_samples(&vibration, expected, 3);
    vibration_close(&vibration);

    mat_t *file = Mat_CreateVer(scratch_path(&scratch, "two.mat"), NULL, MAT_FT_MAT5);
    size_t dims[2] = {1, 4}, dims_de[2] = {3, 1};
    matvar_t *fan = Mat_VarCreate("X174_FE_time", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, dims, other, 0);
    matvar_t *drive = Mat_VarCreate("X174_DE_time", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, dims_de, values, 0);
    assert_int_equal(Mat_VarWrite(file, fan, MAT_COMPRESSION_NONE), 0);
    assert_int_equal(Mat_VarWrite(file, drive, MAT_COMPRESSION_ZLIB), 0);
    Mat_VarFree(fan);
    Mat_VarFree(drive);
    Mat_Close(file);
    assert_int_equal(vibration_read(scratch_path(&scratch, "two.mat"), &vibration, NULL), STATUS_OK);
    check_samples(&vibration, expected, 3);
    vibration_close(&vibration);

    const enum mat_ft levels[] = {MAT_FT_MAT5, MAT_FT_MAT73};
    for (int i = 0; i < 4; i++) {
        int16_t narrow[] = {3, -2, 32000};
        static const float expected_narrow[] = {3.0f, -2.0f, 32000.0f};
        file = Mat_CreateVer(scratch_path(&scratch, "narrow.mat"), NULL, levels[i / 2]);
        matvar_t *vector = Mat_VarCreate("v", MAT_C_INT16, MAT_T_INT16, 2, dims_de, narrow, 0);
        assert_int_equal(Mat_VarWrite(file, vector, i % 2 ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE), 0);
        Mat_VarFree(vector);
        Mat_Close(file);
        assert_int_equal(vibration_read(scratch_path(&scratch, "narrow.mat"), &vibration, NULL), STATUS_OK);
        check_samples(&vibration, expected_narrow, 3);
        vibration_close(&vibration);
        remove(scratch.path);
    }
    scratch_write_mat(&scratch, "square.mat", "m", other, 2, 2);
    assert_int_equal(vibration_read(scratch_path(&scratch, "square.mat"), &vibration, &error),
                     STATUS_INVALID);
    assert_non_null(strstr(error.text, "square.mat"));
    scratch_close(&scratch);
}

static void a_mat_file_cut_short_or_scrambled_is_refused_and_harms_nothing(void **state) {
    (void)state;
    /* Method: all truncations of a small file in steps, and 300 seeded scramblings; any status but a crash
     * will do for the latter, since a changed sample is still a sample. */
    struct scratch scratch;
    struct random_stream stream;
    struct vibration vibration;
    double values[40];
    uint8_t *data = NULL;
    size_t size = 0;
    scratch_open(&scratch);
    random_init(&stream, 1, 0, RANDOM_TEST);
    for (int i = 0; i < 40; i++)
        values[i] = i;
    scratch_write_mat(&scratch, "whole.mat", "x_DE_time", values, 40, 1);
    assert_int_equal(file_read_all(scratch_path(&scratch, "whole.mat"), 1 << 20, &data, &size, NULL),
                     STATUS_OK);
    for (size_t cut = 0; cut < size; cut += cut < 128 ? 7 : 1) {
        scratch_write(&scratch, "cut.mat", data, cut);
        assert_int_not_equal(vibration_read(scratch_path(&scratch, "cut.mat"), &vibration, NULL), STATUS_OK);
    }
    for (int i = 0; i < 300; i++) {
        uint8_t *copy = malloc(size);
        memcpy(copy, data, size);
        for (int n = 0; n < 3; n++)
            copy[random_below(&stream, size)] = (uint8_t)random_next(&stream);
        scratch_write(&scratch, "odd.mat", copy, size);
        free(copy);
        if (vibration_read(scratch_path(&scratch, "odd.mat"), &vibration, NULL) == STATUS_OK)
            vibration_close(&vibration);
    }
    free(data);
    scratch_close(&scratch);
}

static void files_that_cannot_be_read_are_named_with_the_reason(void **state) {
    (void)state;
    struct scratch scratch;
    struct vibration vibration;
    struct error error = {0};
    scratch_open(&scratch);
    assert_int_equal(vibration_read(scratch_path(&scratch, "none.wav"), &vibration, &error), STATUS_IO);
    assert_non_null(strstr(error.text, "none.wav"));
    assert_int_equal(mkdir(scratch_path(&scratch, "dir.wav"), 0700), 0);
    assert_int_equal(vibration_read(scratch.path, &vibration, &error), STATUS_IO);
    assert_int_equal(mkfifo(scratch_path(&scratch, "fifo.csv"), 0600), 0);
    assert_int_equal(vibration_read(scratch.path, &vibration, &error), STATUS_IO); /* and does not wait */
    assert_int_equal(vibration_read("notes.txt", &vibration, &error), STATUS_INVALID);
    scratch_write_text(&scratch, "shut.csv", "1\n2\n");
    assert_int_equal(chmod(scratch.path, 0), 0);
    if (geteuid() == 0)
        printf("SKIPPED: an unreadable file (root reads everything)\n");
    else
        assert_int_equal(vibration_read(scratch.path, &vibration, &error), STATUS_IO);
    scratch_close(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wav_file_of_any_width_gives_its_first_channel),
        cmocka_unit_test(a_wav_file_cut_anywhere_or_with_a_flipped_byte_never_misleads_the_reader),
        cmocka_unit_test(wav_formats_that_are_not_linear_are_refused_by_name),
        cmocka_unit_test(csv_columns_with_and_without_header_time_and_comments_are_understood),
        cmocka_unit_test(csv_content_that_is_not_numbers_is_refused_with_its_line),
        cmocka_unit_test(a_mat_file_gives_its_drive_end_vector_or_its_first),
        cmocka_unit_test(a_mat_file_cut_short_or_scrambled_is_refused_and_harms_nothing),
        cmocka_unit_test(files_that_cannot_be_read_are_named_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

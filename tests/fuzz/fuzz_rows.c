/* Fuzzes the decoder of rows: a stream of rows as a process ships them. Whatever is accepted must encode to
 * the very same bytes; nothing may read past the end or trip a sanitizer. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/record/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    struct row row;
    while (bytes_left(&reader) > 0) {
        uint8_t again[ROW_BYTES_MAX];
        size_t start = reader.used;
        if (row_decode(&reader, &row) != STATUS_OK)
            break;
        struct bytes_writer writer = bytes_writer_over(again, sizeof again);
        row_encode(&writer, &row);
        if (writer.failed || writer.used != reader.used - start ||
            memcmp(again, data + start, writer.used) != 0)
            abort();
    }
    return 0;
}

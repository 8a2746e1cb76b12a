/* Fuzz target: the readers of text, which are the CSV recordings and the index of a directory. The first byte
 * chooses. */
#include <assert.h>

#include "common/data/recording_index.h"
#include "common/data/vibration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_recording(const uint8_t *data, size_t size) {
    struct vibration vibration = {0};
    struct error error = {0};
    if (csv_decode(data, size, "fuzz.csv", &vibration, &error) != STATUS_OK) {
        assert(error.text[0] != '\0' && vibration.samples == NULL);
        return;
    }
    assert(vibration.count > 0 && vibration.count <= size && vibration.sample_rate_hz >= 0.0);
    vibration_close(&vibration);
}

static void read_index(const uint8_t *data, size_t size) {
    struct recording_index index = {0};
    struct error error = {0};
    if (recording_index_decode(data, size, "index.csv", &index, &error) != STATUS_OK) {
        assert(error.text[0] != '\0' && index.entries == NULL);
        return;
    }
    for (size_t i = 0; i < index.count; i++)
        assert(index.entries[i].class < BEARING_CLASS_COUNT && index.entries[i].file[0] != '/');
    recording_index_close(&index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    (data[0] % 2 == 0 ? read_recording : read_index)(data + 1, size - 1);
    return 0;
}

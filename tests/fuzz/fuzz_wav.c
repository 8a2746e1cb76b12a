/* Fuzz target: the WAV reader. Whatever the bytes, it either refuses them with a reason or gives samples that
 * it read. */
#include <assert.h>

#include "common/data/vibration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct vibration vibration = {0};
    struct error error = {0};
    if (wav_decode(data, size, "fuzz.wav", &vibration, &error) != STATUS_OK) {
        assert(error.text[0] != '\0' && vibration.samples == NULL);
        return 0;
    }
    assert(vibration.count <= size && vibration.sample_rate_hz > 0.0);
    volatile float last = vibration.count > 0 ? vibration.samples[vibration.count - 1] : 0.0f;
    (void)last;
    vibration_close(&vibration);
    return 0;
}

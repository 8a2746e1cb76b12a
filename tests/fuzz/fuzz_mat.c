/* Fuzz target: the reader of MATLAB files of level 5 and 7. */
#include <assert.h>

#include "common/data/vibration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct vibration vibration = {0};
    struct error error = {0};
    if (mat5_decode(data, size, "fuzz.mat", &vibration, &error) == STATUS_OK)
        assert(vibration.count > 1 && vibration.samples != NULL);
    else
        assert(error.text[0] != '\0' && vibration.samples == NULL);
    vibration_close(&vibration);
    return 0;
}

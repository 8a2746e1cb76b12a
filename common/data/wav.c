/* wav: the bounded reader of RIFF/WAVE files (Microsoft's "Multiple Channel Audio Data and WAVE Files" and
 * the RIFF chunk layout: four-byte name, 32-bit little-endian size, content padded to even length). */
#include <stdlib.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/data/vibration.h"

enum wav_format { WAV_PCM = 1, WAV_FLOAT = 3, WAV_EXTENSIBLE = 0xfffe };

struct wav_layout {
    uint32_t format, channels, sample_rate_hz, frame_bytes, sample_bits;
    bool seen;
};

static enum status layout_read(struct bytes_reader *chunk, const char *name, struct wav_layout *layout,
                               struct error *error) {
    layout->format = bytes_get_u16(chunk);
    layout->channels = bytes_get_u16(chunk);
    layout->sample_rate_hz = bytes_get_u32(chunk);
    bytes_get_u32(chunk); /* bytes per second: follows from the rest */
    layout->frame_bytes = bytes_get_u16(chunk);
    layout->sample_bits = bytes_get_u16(chunk);
    if (layout->format == WAV_EXTENSIBLE) {
        bytes_get(chunk, 8); /* size of the extension, valid bits, speaker mask */
        layout->format = bytes_get_u16(chunk);
    }
    if (chunk->failed)
        return error_set(error, STATUS_INVALID, "%s: its fmt chunk is too short; write the file again as PCM",
                         name);
    bool pcm = layout->format == WAV_PCM && (layout->sample_bits == 8 || layout->sample_bits == 16 ||
                                             layout->sample_bits == 24 || layout->sample_bits == 32);
    bool real = layout->format == WAV_FLOAT && layout->sample_bits == 32;
    if (!pcm && !real)
        return error_set(
            error, STATUS_INVALID,
            "%s: expected PCM of 8, 16, 24 or 32 bits or float of 32 bits, got format %u with %u bits; "
            "convert it to PCM 16",
            name, layout->format, layout->sample_bits);
    if (layout->channels == 0 || layout->frame_bytes != layout->channels * (layout->sample_bits / 8) ||
        layout->sample_rate_hz == 0)
        return error_set(
            error, STATUS_INVALID,
            "%s: its fmt chunk contradicts itself (%u channels of %u bits in frames of %u bytes at %u Hz)",
            name, layout->channels, layout->sample_bits, layout->frame_bytes, layout->sample_rate_hz);
    layout->seen = true;
    return STATUS_OK;
}

/* One sample with full scale 1.0. Integers are little-endian two's complement, except that 8 bits are offset
 * binary. */
static float sample_decode(const uint8_t *bytes, const struct wav_layout *layout) {
    uint32_t word = 0;
    uint32_t byte_count = layout->sample_bits / 8;
    for (uint32_t i = 0; i < byte_count; i++)
        word |= (uint32_t)bytes[i] << (8 * (4 - byte_count + i));
    if (layout->format == WAV_FLOAT) {
        float value;
        memcpy(&value, &word, sizeof(value));
        return value;
    }
    if (layout->sample_bits == 8)
        word ^= 0x80000000u;
    int32_t value;
    memcpy(&value, &word, sizeof(value));
    return (float)((double)value * 0x1p-31);
}

static enum status data_read(const uint8_t *bytes, size_t size, const struct wav_layout *layout,
                             struct vibration *vibration, struct error *error) {
    size_t count = size / layout->frame_bytes;
    if (count > VIBRATION_SAMPLES_MAX)
        return error_set(error, STATUS_LIMIT, "a WAV file holds %zu samples, expected at most %zu", count,
                         VIBRATION_SAMPLES_MAX);
    float *samples = malloc((count + 1) * sizeof(*samples));
    if (samples == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for %zu samples", count);
    for (size_t i = 0; i < count; i++)
        samples[i] = sample_decode(bytes + i * layout->frame_bytes, layout);
    *vibration = (struct vibration){
        .samples = samples, .count = count, .sample_rate_hz = layout->sample_rate_hz, .full_scale = true};
    return STATUS_OK;
}

enum status wav_decode(const uint8_t *data, size_t size, const char *name, struct vibration *vibration,
                       struct error *error) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    const uint8_t *riff = bytes_get(&reader, 12);
    if (riff == NULL || memcmp(riff, "RIFF", 4) != 0 || memcmp(riff + 8, "WAVE", 4) != 0)
        return error_set(error, STATUS_INVALID, "%s: does not begin as a WAV file (RIFF ... WAVE)", name);
    struct wav_layout layout = {0};
    while (bytes_left(&reader) >= 8) {
        const uint8_t *tag = bytes_get(&reader, 4);
        uint32_t length = bytes_get_u32(&reader);
        const uint8_t *content = bytes_get(&reader, length);
        if (content == NULL)
            return error_set(error, STATUS_INVALID,
                             "%s: is cut short (chunk %.4s of %u bytes runs past its end); copy it again",
                             name, (const char *)tag, length);
        if (memcmp(tag, "fmt ", 4) == 0) {
            struct bytes_reader chunk = bytes_reader_over(content, length);
            TRY(layout_read(&chunk, name, &layout, error));
        } else if (memcmp(tag, "data", 4) == 0) {
            if (!layout.seen)
                return error_set(error, STATUS_INVALID, "%s: its data comes before its fmt chunk", name);
            return data_read(content, length, &layout, vibration, error);
        }
        if (length % 2 == 1 && bytes_left(&reader) > 0)
            bytes_get(&reader, 1);
    }
    return error_set(error, STATUS_INVALID, "%s: holds no data chunk; it may be cut short", name);
}

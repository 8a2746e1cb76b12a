/* message_codec: what the codecs of messages share. Internal to common/net/message*.c. */
#ifndef TIERBED_NET_MESSAGE_CODEC_H
#define TIERBED_NET_MESSAGE_CODEC_H

#include "common/net/message.h"

/* A time of a task: 0 .. MESSAGE_TIME_MAX_NS (146 years, so that sums of a few differences cannot overflow),
 * or never. */
#define MESSAGE_TIME_MAX_NS (INT64_MAX / 2)

/* Opens a payload of exactly `type`: size within the table and the right version. */
enum status message_open(enum message_type type, const uint8_t *data, size_t size,
                         struct bytes_reader *reader);

/* Everything was read, and the values are `valid`. */
enum status message_accepted(const struct bytes_reader *reader, bool valid);

bool message_time_valid(int64_t time_ns);
bool message_header_valid(const struct task_header *task);
bool message_amount_valid(double value); /* an energy, a rate, a power: finite, not negative */

#endif

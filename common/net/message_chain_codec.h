/* message_chain_codec: what the codecs of the chain's messages share. Internal to
 * common/net/message_chain*.c. */
#ifndef TIERBED_NET_MESSAGE_CHAIN_CODEC_H
#define TIERBED_NET_MESSAGE_CHAIN_CODEC_H

#include "common/net/message_chain.h"

void message_put_hash(struct bytes_writer *writer, const struct hash *hash);
void message_get_hash(struct bytes_reader *reader, struct hash *hash);

/* u8 length, then the hashes. A longer path fails the reader. */
void message_put_path(struct bytes_writer *writer, const struct hash *path, uint32_t length);
void message_get_path(struct bytes_reader *reader, struct hash path[MESSAGE_PATH_MAX], uint32_t *length);

/* Whatever is left, borrowed. */
const uint8_t *message_get_rest(struct bytes_reader *reader, uint32_t *bytes);

#endif

/* join: what a process says to show that the nodes it hosts are who they claim to be, and what it is told.
 *
 *   JOIN    process -> director, before HELLO, in as many messages as it takes: per node its id, certificate
 *           and a signature over (nonce of the run, node, rank)
 *   ADMIT   director -> process, before the first grant: per node of the scenario a verdict and, when it was
 *           admitted, its public key
 *
 * Nothing of it takes emulated time. */
#ifndef TIERBED_NODES_JOIN_H
#define TIERBED_NODES_JOIN_H

#include "common/base/bytes.h"
#include "common/net/identity.h"

struct join_entry {
    uint32_t node;
    const uint8_t *certificate; /* borrowed from what was decoded */
    uint32_t certificate_bytes;
    const uint8_t *signature; /* IDENTITY_SIGNATURE_BYTES, borrowed */
};
#define JOIN_ENTRY_BYTES_MAX (4u + 2u + IDENTITY_CERTIFICATE_BYTES_MAX + IDENTITY_SIGNATURE_BYTES)

void join_put_entry(struct bytes_writer *writer, const struct join_entry *entry);
/* false at the end and when malformed (reader->failed). */
bool join_get_entry(struct bytes_reader *reader, struct join_entry *entry);

#define JOIN_ADMISSION_BYTES (1u + IDENTITY_KEY_BYTES) /* per node, in the order of ids */
void join_put_admission(struct bytes_writer *writer, enum join_verdict verdict,
                        const uint8_t key[IDENTITY_KEY_BYTES]);
/* Fails the reader for a verdict in no table. */
enum join_verdict join_get_admission(struct bytes_reader *reader, uint8_t key[IDENTITY_KEY_BYTES]);

#endif

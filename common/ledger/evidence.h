/* evidence: two messages that one honest validator cannot both have signed (specs/chain.md, 1.9).
 *
 * DUP_VOTE: same validator, chain, height, round and type, different block ids. DUP_PROPOSAL: the same for
 * proposals (different block id or parts). Canonical: the lower block id first; every signature is verified.
 */
#ifndef TIERBED_LEDGER_EVIDENCE_H
#define TIERBED_LEDGER_EVIDENCE_H

#include "common/ledger/vote.h"

enum evidence_kind { EVIDENCE_DUP_VOTE = 1, EVIDENCE_DUP_PROPOSAL = 2 };

struct evidence {
    enum evidence_kind kind;
    union {
        struct vote votes[2];
        struct proposal proposals[2];
    } as;
};
#define EVIDENCE_BYTES_MAX (1u + 2u * PROPOSAL_BYTES)

/* Puts the two into canonical order. */
struct evidence evidence_of_votes(const struct vote *a, const struct vote *b);
struct evidence evidence_of_proposals(const struct proposal *a, const struct proposal *b);
uint16_t evidence_accused(const struct evidence *evidence);
uint64_t evidence_height(const struct evidence *evidence);
/* Same accused, same height, round and type, different content, canonical order, both signatures valid. */
bool evidence_valid(const struct genesis *genesis, const struct evidence *evidence);
void evidence_encode(struct bytes_writer *writer, const struct evidence *evidence);
enum status evidence_decode(const uint8_t *data, size_t size, struct evidence *evidence);
/* What makes two pieces of evidence the same for de-duplication: SHA-256("evd" | accused, kind, height,
 * round, type). One accusation per offence, whichever pair of messages shows it. */
struct hash evidence_key(const struct evidence *evidence);

#endif

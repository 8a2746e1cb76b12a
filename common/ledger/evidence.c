#include "common/ledger/evidence.h"

#include "common/ledger/fields.h"

static int proposal_compare(const struct proposal *a, const struct proposal *b) {
    int order = hash_compare(&a->block_id, &b->block_id);
    struct hash a_parts = proposal_parts_id(a), b_parts = proposal_parts_id(b);
    return order != 0 ? order : hash_compare(&a_parts, &b_parts);
}

struct evidence evidence_of_votes(const struct vote *a, const struct vote *b) {
    bool ordered = hash_compare(&a->block_id, &b->block_id) <= 0;
    return (struct evidence){.kind = EVIDENCE_DUP_VOTE, .as.votes = {ordered ? *a : *b, ordered ? *b : *a}};
}

struct evidence evidence_of_proposals(const struct proposal *a, const struct proposal *b) {
    bool ordered = proposal_compare(a, b) <= 0;
    return (struct evidence){.kind = EVIDENCE_DUP_PROPOSAL,
                             .as.proposals = {ordered ? *a : *b, ordered ? *b : *a}};
}

uint16_t evidence_accused(const struct evidence *evidence) {
    return evidence->kind == EVIDENCE_DUP_VOTE ? evidence->as.votes[0].validator
                                               : evidence->as.proposals[0].proposer;
}

uint64_t evidence_height(const struct evidence *evidence) {
    return evidence->kind == EVIDENCE_DUP_VOTE ? evidence->as.votes[0].height
                                               : evidence->as.proposals[0].height;
}

static bool votes_valid(const struct genesis *genesis, const struct vote votes[2]) {
    return votes[0].validator == votes[1].validator && votes[0].height == votes[1].height &&
           votes[0].round == votes[1].round && votes[0].type == votes[1].type &&
           hash_compare(&votes[0].block_id, &votes[1].block_id) < 0 && vote_valid(genesis, &votes[0]) &&
           vote_valid(genesis, &votes[1]);
}

static bool proposals_valid(const struct genesis *genesis, const struct proposal proposals[2]) {
    return proposals[0].proposer == proposals[1].proposer && proposals[0].height == proposals[1].height &&
           proposals[0].round == proposals[1].round && proposal_compare(&proposals[0], &proposals[1]) < 0 &&
           proposal_valid(genesis, &proposals[0]) && proposal_valid(genesis, &proposals[1]);
}

bool evidence_valid(const struct genesis *genesis, const struct evidence *evidence) {
    switch (evidence->kind) {
    case EVIDENCE_DUP_VOTE:
        return votes_valid(genesis, evidence->as.votes);
    case EVIDENCE_DUP_PROPOSAL:
        return proposals_valid(genesis, evidence->as.proposals);
    }
    return false;
}

void evidence_encode(struct bytes_writer *writer, const struct evidence *evidence) {
    bytes_put_u8(writer, (uint8_t)evidence->kind);
    for (size_t i = 0; i < 2; i++) {
        if (evidence->kind == EVIDENCE_DUP_VOTE)
            vote_encode(writer, &evidence->as.votes[i]);
        else
            proposal_encode(writer, &evidence->as.proposals[i]);
    }
}

enum status evidence_decode(const uint8_t *data, size_t size, struct evidence *evidence) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    *evidence = (struct evidence){.kind = (enum evidence_kind)bytes_get_u8(&reader)};
    if (evidence->kind != EVIDENCE_DUP_VOTE && evidence->kind != EVIDENCE_DUP_PROPOSAL)
        return STATUS_INVALID;
    for (size_t i = 0; i < 2; i++) {
        if (evidence->kind == EVIDENCE_DUP_VOTE)
            TRY(vote_decode(&reader, &evidence->as.votes[i]));
        else
            TRY(proposal_decode(&reader, &evidence->as.proposals[i]));
    }
    return bytes_done(&reader) ? STATUS_OK : STATUS_INVALID;
}

struct hash evidence_key(const struct evidence *evidence) {
    bool votes = evidence->kind == EVIDENCE_DUP_VOTE;
    uint8_t data[2 + 1 + 8 + 4 + 1];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    bytes_put_u16(&writer, evidence_accused(evidence));
    bytes_put_u8(&writer, (uint8_t)evidence->kind);
    bytes_put_u64(&writer, evidence_height(evidence));
    bytes_put_u32(&writer, votes ? evidence->as.votes[0].round : evidence->as.proposals[0].round);
    bytes_put_u8(&writer, (uint8_t)(votes ? evidence->as.votes[0].type : VOTE_PROPOSAL));
    return hash_of("evd", data, writer.used);
}

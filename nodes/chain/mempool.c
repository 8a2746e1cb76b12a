#include "nodes/chain/mempool.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"

enum status mempool_init(struct mempool *pool, const struct mempool_config *config) {
    assert(config->txs_max > 0 && config->verified_max > 0 &&
           (config->verified_max & (config->verified_max - 1)) == 0);
    uint32_t senders = config->genesis->sender_count;
    *pool = (struct mempool){.config = *config};
    pool->sender_weight = calloc(senders, sizeof *pool->sender_weight);
    pool->sender_bytes = calloc(senders, sizeof *pool->sender_bytes);
    pool->verified = calloc(config->verified_max, sizeof *pool->verified);
    bool fine = pool->sender_weight != NULL && pool->sender_bytes != NULL && pool->verified != NULL;
    return fine ? STATUS_OK : STATUS_MEMORY;
}

void mempool_close(struct mempool *pool) {
    for (uint32_t i = 0; i < pool->count; i++)
        free(pool->entries[i]);
    free(pool->entries);
    free(pool->sender_weight);
    free(pool->sender_bytes);
    free(pool->verified);
    *pool = (struct mempool){0};
}

/* ---- verified ids ---- */

static struct hash *verified_place(const struct mempool *pool, const struct hash *id) {
    uint32_t place = (uint32_t)id->bytes[0] | (uint32_t)id->bytes[1] << 8 | (uint32_t)id->bytes[2] << 16 |
                     (uint32_t)id->bytes[3] << 24;
    return &pool->verified[place & (pool->config.verified_max - 1)];
}

bool mempool_verified(void *context, const struct hash *id) {
    const struct mempool *pool = context;
    return hash_equal(verified_place(pool, id), id);
}

void mempool_mark_verified(struct mempool *pool, const struct hash *id) {
    *verified_place(pool, id) = *id;
}

/* ---- the sorted list ---- */

/* The first entry not before (sender, nonce). */
static uint32_t place_of(const struct mempool *pool, uint32_t sender, uint64_t nonce) {
    uint32_t low = 0, high = pool->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct mempool_entry *entry = pool->entries[middle];
        if (entry->sender < sender || (entry->sender == sender && entry->nonce < nonce))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct mempool *pool, uint32_t place, uint32_t sender, uint64_t nonce) {
    return place < pool->count && pool->entries[place]->sender == sender &&
           pool->entries[place]->nonce == nonce;
}

const struct mempool_entry *mempool_find(const struct mempool *pool, uint32_t sender, uint64_t nonce) {
    uint32_t place = place_of(pool, sender, nonce);
    return is_at(pool, place, sender, nonce) ? pool->entries[place] : NULL;
}

/* Takes the entry out of the sums; its place in the list is the caller's business. */
static void release(struct mempool *pool, struct mempool_entry *entry) {
    pool->weight -= entry->weight;
    pool->bytes -= entry->bytes;
    pool->sender_weight[entry->sender] -= entry->weight;
    pool->sender_bytes[entry->sender] -= entry->bytes;
    free(entry);
}

static void remove_at(struct mempool *pool, uint32_t place) {
    release(pool, pool->entries[place]);
    pool->count--;
    memmove(pool->entries + place, pool->entries + place + 1,
            (pool->count - place) * sizeof(struct mempool_entry *));
}

void mempool_drop(struct mempool *pool, uint32_t sender, uint64_t nonce) {
    uint32_t place = place_of(pool, sender, nonce);
    if (is_at(pool, place, sender, nonce))
        remove_at(pool, place);
}

static void insert(struct mempool *pool, struct mempool_entry *entry) {
    uint32_t place = place_of(pool, entry->sender, entry->nonce);
    if (pool->count == pool->capacity) {
        pool->capacity = pool->capacity == 0 ? 64 : 2 * pool->capacity;
        pool->entries = memory_grow(pool->entries, pool->capacity, sizeof(struct mempool_entry *),
                                    "waiting transactions");
    }
    memmove(pool->entries + place + 1, pool->entries + place,
            (pool->count - place) * sizeof(struct mempool_entry *));
    pool->entries[place] = entry;
    pool->count++;
    pool->weight += entry->weight;
    pool->bytes += entry->bytes;
    pool->sender_weight[entry->sender] += entry->weight;
    pool->sender_bytes[entry->sender] += entry->bytes;
}

/* ---- room ---- */

struct newcomer {
    uint32_t sender, weight;
    size_t bytes;
};

static bool fits(const struct mempool *pool, const struct newcomer *newcomer) {
    return pool->weight + newcomer->weight <= pool->config.txs_max &&
           pool->bytes + newcomer->bytes <= pool->config.bytes_max;
}

/* What `others` can give up without holding less than `mine` would. */
static uint64_t could_yield(uint64_t others, uint64_t mine) {
    return others > mine ? others - mine : 0;
}

/* Would there be room if everybody who holds more than the newcomer's sender would, gave up what is above? */
static bool could_fit(const struct mempool *pool, const struct newcomer *newcomer) {
    uint64_t weight = pool->config.txs_max - pool->weight, bytes = pool->config.bytes_max - pool->bytes;
    uint64_t my_weight = pool->sender_weight[newcomer->sender] + (uint64_t)newcomer->weight;
    uint64_t my_bytes = pool->sender_bytes[newcomer->sender] + newcomer->bytes;
    for (uint32_t i = 0; i < pool->config.genesis->sender_count; i++) {
        weight += i == newcomer->sender ? 0 : could_yield(pool->sender_weight[i], my_weight);
        bytes += i == newcomer->sender ? 0 : could_yield(pool->sender_bytes[i], my_bytes);
    }
    return newcomer->weight <= weight && newcomer->bytes <= bytes;
}

/* Who holds most of what there is too little of. */
static uint32_t who_yields(const struct mempool *pool, const struct newcomer *newcomer) {
    uint32_t most = 0;
    bool by_weight = pool->weight + newcomer->weight > pool->config.txs_max;
    for (uint32_t i = 1; i < pool->config.genesis->sender_count; i++)
        if (by_weight ? pool->sender_weight[i] > pool->sender_weight[most]
                      : pool->sender_bytes[i] > pool->sender_bytes[most])
            most = i;
    return most;
}

/* The newcomer could_fit. The last nonces go first. */
static void make_room(struct mempool *pool, const struct newcomer *newcomer) {
    while (!fits(pool, newcomer)) {
        uint32_t place = place_of(pool, who_yields(pool, newcomer), UINT64_MAX);
        assert(place > 0);
        remove_at(pool, place - 1);
    }
}

/* ---- in ---- */

static enum mempool_verdict judge_cheaply(const struct mempool *pool, const struct ledger_state *state,
                                          const struct transaction *tx, const struct hash *id) {
    const struct mempool_entry *here = mempool_find(pool, tx->sender, tx->nonce);
    struct newcomer newcomer = {
        .sender = tx->sender, .weight = transaction_weight(tx), .bytes = transaction_bytes(tx)};
    if (here != NULL)
        return hash_equal(&here->id, id) ? MEMPOOL_KNOWN : MEMPOOL_CONFLICT;
    if (tx->nonce <= state->nonces[tx->sender] || tx->expiry_height <= state->height)
        return MEMPOOL_STALE;
    return fits(pool, &newcomer) || could_fit(pool, &newcomer) ? MEMPOOL_NEW : MEMPOOL_CROWDED;
}

enum mempool_verdict mempool_add(struct mempool *pool, const struct ledger_state *state, const uint8_t *data,
                                 size_t size) {
    const struct genesis *genesis = pool->config.genesis;
    struct transaction tx;
    if (transaction_decode(data, size, &tx) != STATUS_OK || tx.sender >= genesis->sender_count)
        return MEMPOOL_INVALID;
    struct hash id = transaction_id(data, size);
    enum mempool_verdict verdict = judge_cheaply(pool, state, &tx, &id);
    if (verdict != MEMPOOL_NEW)
        return verdict;
    if (!mempool_verified(pool, &id) && transaction_check(genesis, &tx, data, size) != STATUS_OK)
        return MEMPOOL_INVALID;
    struct newcomer newcomer = {.sender = tx.sender, .weight = transaction_weight(&tx), .bytes = size};
    make_room(pool, &newcomer);
    mempool_mark_verified(pool, &id);
    struct mempool_entry *entry = memory_grow(NULL, 1, sizeof *entry + size, "a waiting transaction");
    *entry = (struct mempool_entry){.id = id,
                                    .nonce = tx.nonce,
                                    .expiry_height = tx.expiry_height,
                                    .sender = tx.sender,
                                    .weight = newcomer.weight,
                                    .bytes = (uint32_t)size,
                                    .type = tx.type};
    memcpy(entry->data, data, size);
    insert(pool, entry);
    return MEMPOOL_NEW;
}

void mempool_committed(struct mempool *pool, const struct ledger_state *state) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < pool->count; i++) {
        struct mempool_entry *entry = pool->entries[i];
        if (entry->nonce <= state->nonces[entry->sender] || entry->expiry_height <= state->height)
            release(pool, entry);
        else
            pool->entries[kept++] = entry;
    }
    pool->count = kept;
}

/* ---- out ---- */

/* The transactions of one sender, of which `next` is the next to go into the block. */
struct turn {
    uint32_t next, end;
};

struct picking {
    struct mempool *pool;
    struct ledger_state state; /* with what was picked so far */
    uint64_t height, weight;
    size_t bytes;
    bool *dead; /* owned; by place: can never stand in a block */
    struct mempool_pick *pick;
};

enum verdict { TAKEN, LATER, NEVER };

static enum status consider(struct picking *picking, const struct mempool_entry *entry,
                            enum verdict *verdict) {
    const struct chain_params *params = &picking->pool->config.genesis->params;
    struct mempool_pick *pick = picking->pick;
    struct transaction tx;
    enum status decoded = transaction_decode(entry->data, entry->bytes, &tx);
    assert(decoded == STATUS_OK);
    (void)decoded;
    *verdict = LATER;
    if (pick->count == pick->capacity || picking->weight + entry->weight > params->block_txs_max ||
        picking->bytes + 4 + entry->bytes > params->block_bytes_max)
        return STATUS_OK;
    enum status status = ledger_state_check(&picking->state, &tx, picking->height);
    bool waits = tx.type == TX_MODEL_UPDATE && status == STATUS_FULL;
    if (status != STATUS_OK) {
        *verdict = waits ? LATER : NEVER;
        return STATUS_OK;
    }
    if (tx.type == TX_MODEL_UPDATE && pick->held != NULL && !pick->held(pick->context, &tx))
        return STATUS_OK;
    TRY(ledger_state_apply_tx(&picking->state, &tx, &entry->id, picking->height));
    pick->txs[pick->count++] = (struct block_tx){.data = entry->data, .bytes = entry->bytes};
    picking->weight += entry->weight;
    picking->bytes += 4 + entry->bytes;
    *verdict = TAKEN;
    return STATUS_OK;
}

/* One transaction of this sender if any can go; nonces never overtake each other. */
static enum status take_turn(struct picking *picking, struct turn *turn) {
    while (turn->next < turn->end) {
        enum verdict verdict;
        TRY(consider(picking, picking->pool->entries[turn->next], &verdict));
        if (verdict == LATER) {
            turn->end = turn->next;
            return STATUS_OK;
        }
        picking->dead[turn->next++] = verdict == NEVER;
        if (verdict == TAKEN)
            return STATUS_OK;
    }
    return STATUS_OK;
}

/* One turn for each sender that has something, beginning with the first at or after `begin`. */
static uint32_t list_turns(const struct mempool *pool, uint32_t begin, struct turn *turns) {
    uint32_t count = 0, start = place_of(pool, begin, 0);
    for (uint32_t i = 0; i < pool->count; i++) {
        uint32_t place = (start + i) % pool->count;
        if (count > 0 && place != 0 && pool->entries[place]->sender == pool->entries[place - 1]->sender)
            turns[count - 1].end = place + 1;
        else
            turns[count++] = (struct turn){.next = place, .end = place + 1};
    }
    return count;
}

static enum status take_turns(struct picking *picking, struct turn *turns, uint32_t count) {
    bool any = true;
    while (any) {
        any = false;
        for (uint32_t i = 0; i < count; i++) {
            TRY(take_turn(picking, &turns[i]));
            any = any || turns[i].next < turns[i].end;
        }
    }
    return STATUS_OK;
}

static void bury(struct mempool *pool, const bool *dead) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < pool->count; i++) {
        if (dead[i])
            release(pool, pool->entries[i]);
        else
            pool->entries[kept++] = pool->entries[i];
    }
    pool->count = kept;
}

enum status mempool_pick(struct mempool *pool, const struct ledger_state *state, size_t cert_bytes,
                         struct mempool_pick *pick) {
    struct picking picking = {
        .pool = pool, .height = state->height + 1, .bytes = 4 + 4 + cert_bytes, .pick = pick};
    pick->count = 0;
    if (pool->count == 0)
        return STATUS_OK;
    struct turn *turns = calloc(pool->count, sizeof *turns);
    picking.dead = calloc(pool->count, sizeof *picking.dead);
    enum status status =
        turns == NULL || picking.dead == NULL ? STATUS_MEMORY : ledger_state_copy(&picking.state, state);
    if (status == STATUS_OK) {
        uint32_t begin = (uint32_t)(picking.height % pool->config.genesis->sender_count);
        status = take_turns(&picking, turns, list_turns(pool, begin, turns));
        ledger_state_close(&picking.state);
    }
    if (status == STATUS_OK)
        bury(pool, picking.dead);
    free(picking.dead);
    free(turns);
    return status;
}

bool mempool_pending(const struct mempool *pool) {
    return pool->count > 0;
}

size_t mempool_memory(const struct mempool *pool) {
    return pool->bytes + pool->count * sizeof(struct mempool_entry) +
           pool->capacity * sizeof(struct mempool_entry *) + pool->config.verified_max * sizeof(struct hash) +
           pool->config.genesis->sender_count * (sizeof *pool->sender_weight + sizeof *pool->sender_bytes);
}

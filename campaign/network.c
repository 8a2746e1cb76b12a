/* network: every draw comes from one stream, in the order of sending. */
#include "campaign/network.h"

#include <assert.h>
#include <string.h>

#define SLOW_FACTOR 20

static uint32_t all_of(uint32_t member_count) {
    return member_count >= 32 ? UINT32_MAX : (1u << member_count) - 1u;
}

static void open_all(struct network_links *links, uint32_t member_count) {
    memset(links, 0, sizeof *links);
    for (uint32_t i = 0; i < member_count; i++)
        links->open[i] = all_of(member_count);
}

void network_init(struct network *network, uint32_t member_count, uint64_t seed) {
    assert(member_count <= NETWORK_MEMBERS_MAX);
    *network = (struct network){.member_count = member_count};
    random_init(&network->random, seed, 0, RANDOM_CAMPAIGN | UINT64_C(1) << 32);
    network_heal(network);
}

void network_heal(struct network *network) {
    open_all(&network->links, network->member_count);
    network->phase_count = 0;
    memset(network->slow, 0, sizeof network->slow);
}

void network_partition(struct network_links *links, const uint8_t *sets, uint32_t member_count) {
    memset(links, 0, sizeof *links);
    for (uint32_t i = 0; i < member_count; i++)
        for (uint32_t j = 0; j < member_count; j++)
            if (sets[i] == sets[j])
                links->open[i] |= 1u << j;
}

void network_bridge(struct network_links *links, const uint8_t *sets, uint32_t bridge,
                    uint32_t member_count) {
    network_partition(links, sets, member_count);
    links->open[bridge] = all_of(member_count);
    for (uint32_t i = 0; i < member_count; i++)
        links->open[i] |= 1u << bridge;
}

void network_ring(struct network_links *links, uint32_t ring, uint32_t member_count) {
    open_all(links, member_count);
    for (uint32_t i = 0; i < ring; i++)
        for (uint32_t j = 0; j < ring; j++)
            if (j != i && j != (i + 1) % ring && i != (j + 1) % ring)
                links->open[i] &= ~(1u << j);
}

void network_cut_one_way(struct network_links *links, uint32_t from, uint32_t to) {
    links->open[from] &= ~(1u << to);
}

bool network_open(const struct network *network, const struct network_packet *packet) {
    const struct network_links *links = &network->links;
    if (network->phase_count > 0) {
        uint32_t index = packet->round;
        if (network->by_class)
            index = packet->round * 3 + (packet->class == NETWORK_OTHER ? 0 : (uint32_t)packet->class - 1);
        links = &network->phases[index % network->phase_count];
    }
    return (links->open[packet->from] >> packet->to & 1u) != 0;
}

static void draw_damage(struct network *network, uint32_t bytes, struct network_copy *copy) {
    const struct network_quality *quality = &network->quality;
    bool corrupt = quality->corrupt > 0 && random_chance(&network->random, quality->corrupt);
    bool truncate = quality->truncate > 0 && random_chance(&network->random, quality->truncate);
    if (!corrupt && !truncate)
        return;
    network->damaged++;
    if (corrupt) {
        copy->damage = NETWORK_FLIPPED;
        copy->place = (uint32_t)random_next(&network->random);
    } else if (random_chance(&network->random, 0.25)) {
        copy->damage = NETWORK_GROWN;
        copy->place = 1 + (uint32_t)random_below(&network->random, 64);
    } else {
        copy->damage = NETWORK_CUT;
        copy->place = (uint32_t)random_below(&network->random, bytes > 0 ? bytes : 1);
    }
}

static int64_t draw_delay_ns(struct network *network, const struct network_packet *packet) {
    const struct network_quality *quality = &network->quality;
    int64_t span_ns = quality->delay_most_ns - quality->delay_least_ns;
    int64_t delay_ns = quality->delay_least_ns;
    if (span_ns > 0)
        delay_ns += (int64_t)random_below(&network->random, (uint64_t)span_ns + 1);
    if (quality->reorder > 0 && random_chance(&network->random, quality->reorder))
        delay_ns += (int64_t)random_exponential(&network->random, (double)quality->tail_ns);
    if (network->slow[packet->from] >> packet->to & 1u)
        delay_ns *= SLOW_FACTOR;
    return delay_ns;
}

uint32_t network_send(struct network *network, const struct network_packet *packet,
                      struct network_copy copies[NETWORK_COPIES_MAX]) {
    const struct network_quality *quality = &network->quality;
    network->sent++;
    if (!network_open(network, packet)) {
        network->cut++;
        return 0;
    }
    uint32_t count = 1;
    if (quality->duplicate > 0 && random_chance(&network->random, quality->duplicate)) {
        count++;
        network->duplicated++;
    }
    uint32_t arriving = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (quality->loss > 0 && random_chance(&network->random, quality->loss)) {
            network->lost++;
            continue;
        }
        struct network_copy *copy = &copies[arriving++];
        *copy = (struct network_copy){.delay_ns = draw_delay_ns(network, packet)};
        draw_damage(network, packet->bytes, copy);
    }
    if (quality->replay > 0 && random_chance(&network->random, quality->replay)) {
        copies[arriving++] = (struct network_copy){
            .delay_ns = draw_delay_ns(network, packet),
            .past = 1 + (uint32_t)random_below(&network->random, NETWORK_PAST_MAX),
        };
        network->replayed++;
    }
    return arriving;
}

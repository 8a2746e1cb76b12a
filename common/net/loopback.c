/* loopback: a list, first in first out. */
#include "common/net/loopback.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct loopback_item {
    struct loopback_item *next;
    enum bus_lane lane;
    size_t size;
    _Alignas(16) uint8_t data[];
};

enum status loopback_put(struct loopback *loopback, enum bus_lane lane, const void *data, size_t size) {
    if (loopback->bytes + size > BUS_PENDING_BYTES_MAX)
        return STATUS_FULL;
    struct loopback_item *item = malloc(sizeof *item + size);
    if (item == NULL)
        return STATUS_MEMORY;
    *item = (struct loopback_item){.lane = lane, .size = size};
    if (size > 0)
        memcpy(item->data, data, size);
    if (loopback->last != NULL)
        loopback->last->next = item;
    else
        loopback->first = item;
    loopback->last = item;
    loopback->bytes += size;
    return STATUS_OK;
}

bool loopback_take(struct loopback *loopback, struct bus_message *message) {
    struct loopback_item *item = loopback->first;
    assert(loopback->held == NULL);
    if (item == NULL)
        return false;
    loopback->first = item->next;
    if (loopback->first == NULL)
        loopback->last = NULL;
    loopback->held = item;
    message->lane = item->lane;
    message->data = item->data;
    message->size = item->size;
    return true;
}

void loopback_release(struct loopback *loopback) {
    if (loopback->held != NULL)
        loopback->bytes -= loopback->held->size;
    free(loopback->held);
    loopback->held = NULL;
}

void loopback_close(struct loopback *loopback) {
    loopback_release(loopback);
    for (struct loopback_item *item = loopback->first, *next; item != NULL; item = next) {
        next = item->next;
        free(item);
    }
    *loopback = (struct loopback){0};
}

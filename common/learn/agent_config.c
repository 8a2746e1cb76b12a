/* Settings of agents by name. */
#include "common/learn/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct agent_option *option_find(const struct agent_class *class, const char *name) {
    for (size_t i = 0; i < class->option_count; i++)
        if (strcmp(class->options[i].name, name) == 0)
            return &class->options[i];
    return NULL;
}

/* Reads one number in [min, max] at *text and moves *text behind it. */
static bool number_read(const char **text, double min, double max, double *value) {
    char *end = NULL;
    errno = 0;
    *value = strtod(*text, &end);
    if (end == *text || errno == ERANGE || !(*value >= min && *value <= max))
        return false;
    *text = end;
    return true;
}

/* "64,64": each within [min, max]; "0" or empty: no hidden layer. */
static bool layers_read(const char *text, const struct agent_option *option, struct agent_layers *layers) {
    *layers = (struct agent_layers){0};
    if (*text == '\0' || strcmp(text, "0") == 0)
        return true;
    while (layers->count < AGENT_LAYERS_MAX) {
        double value;
        if (!number_read(&text, option->min, option->max, &value) || value != (double)(uint32_t)value)
            return false;
        layers->sizes[layers->count++] = (uint32_t)value;
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
    return false;
}

static bool option_set(const struct agent_option *option, void *place, const char *text) {
    if (option->kind == AGENT_OPTION_LAYERS)
        return layers_read(text, option, place);
    double value;
    if (!number_read(&text, option->min, option->max, &value) || *text != '\0')
        return false;
    if (option->kind == AGENT_OPTION_NUMBER) {
        memcpy(place, &value, sizeof value);
        return true;
    }
    uint32_t whole = (uint32_t)value;
    if ((double)whole != value)
        return false;
    bool flag = whole != 0;
    if (option->kind == AGENT_OPTION_FLAG)
        memcpy(place, &flag, sizeof flag);
    else
        memcpy(place, &whole, sizeof whole);
    return true;
}

enum status agent_config_set(const struct agent_class *class, void *config, const char *name,
                             const char *text, struct error *error) {
    const struct agent_option *option = option_find(class, name);
    if (option == NULL)
        return error_set(error, STATUS_INVALID, "agents of class %s have no setting \"%s\"", class->name,
                         name);
    if (option_set(option, (char *)config + option->offset, text))
        return STATUS_OK;
    if (option->kind == AGENT_OPTION_LAYERS)
        return error_set(error, STATUS_INVALID,
                         "%s of %s is \"%s\"; it must be up to %d sizes from %g to %g, as in 64,64", name,
                         class->name, text, AGENT_LAYERS_MAX, option->min, option->max);
    return error_set(error, STATUS_INVALID, "%s of %s is \"%s\"; it must be a%s number from %g to %g", name,
                     class->name, text, option->kind == AGENT_OPTION_NUMBER ? "" : " whole", option->min,
                     option->max);
}

/* Counts and flags as numbers; layers are looked at one by one. */
static bool option_holds(const struct agent_option *option, const void *place) {
    double value = 0;
    uint32_t whole = 0;
    struct agent_layers layers;
    switch (option->kind) {
    case AGENT_OPTION_NUMBER:
        memcpy(&value, place, sizeof value);
        return value >= option->min && value <= option->max;
    case AGENT_OPTION_COUNT:
        memcpy(&whole, place, sizeof whole);
        return (double)whole >= option->min && (double)whole <= option->max;
    case AGENT_OPTION_FLAG:
        return true;
    case AGENT_OPTION_LAYERS:
        memcpy(&layers, place, sizeof layers);
        for (uint32_t i = 0; i < layers.count && i < AGENT_LAYERS_MAX; i++)
            if ((double)layers.sizes[i] < option->min || (double)layers.sizes[i] > option->max)
                return false;
        return layers.count <= AGENT_LAYERS_MAX;
    }
    return false;
}

enum status agent_config_check(const struct agent_class *class, const void *config, struct error *error) {
    for (size_t i = 0; i < class->option_count; i++) {
        const struct agent_option *option = &class->options[i];
        if (!option_holds(option, (const char *)config + option->offset))
            return error_set(error, STATUS_INVALID, "%s of %s must be from %g to %g", option->name,
                             class->name, option->min, option->max);
    }
    return STATUS_OK;
}

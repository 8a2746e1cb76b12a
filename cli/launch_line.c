/* launch_line: which words make up the mpirun line, and how they are shown. */
#include "cli/launch_line.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Measured reasons for each: docs/decisions/processes.md and docs/tuning.md. */
static const char *const fixed_words[] = {
    "--mca",
    "pml",
    "ob1", /* what we tune and test; others behave differently when idle */
    "--mca",
    "async_mpi_init",
    "1", /* start-up without a barrier */
    "--mca",
    "mpi_yield_when_idle",
    "1", /* more ranks than cores is the rule */
    "--mca",
    "odls_base_sigkill_timeout",
    "3", /* seconds from a stop to SIGTERM, and again to SIGKILL */
    "--mca",
    "btl_vader_single_copy_mechanism",
    "none", /* containers forbid process_vm_readv */
    "--mca",
    "btl_vader_fbox_max",
    "0", /* one queue to look at instead of one per sender */
    "--bind-to",
    "none",
    "--oversubscribe",
    NULL};

static const char *const root_environment[] = {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                                               NULL};
static const char *const no_environment[] = {NULL};

const char *const *launch_environment(void) {
    return geteuid() == 0 ? root_environment : no_environment;
}

struct words {
    char **items;
    size_t count, capacity;
};

static void add(struct words *words, const char *word) {
    assert(words->count < words->capacity);
    words->items[words->count++] = (char *)(uintptr_t)word; /* execvp wants it so; nobody writes */
}

static size_t count_words(const struct launch_plan *plan) {
    size_t count = sizeof fixed_words / sizeof fixed_words[0] + 16;
    for (const char *const *name = plan->exports; name != NULL && *name != NULL; name++)
        count += 2;
    for (size_t i = 0; i < plan->block_count; i++) {
        count += 4;
        for (const char *const *word = plan->blocks[i].arguments; word != NULL && *word != NULL; word++)
            count++;
    }
    return count;
}

static void add_block(struct words *words, const struct launch_block *block, char *number) {
    snprintf(number, 16, "%u", block->count);
    add(words, "-np");
    add(words, number);
    add(words, block->program);
    for (const char *const *word = block->arguments; word != NULL && *word != NULL; word++)
        add(words, *word);
}

char **launch_words(const struct launch_plan *plan, char **numbers) {
    struct words words = {.capacity = count_words(plan)};
    words.items = calloc(words.capacity, sizeof *words.items);
    char *text = *numbers = calloc(plan->block_count, 16);
    if (words.items == NULL || text == NULL)
        abort();
    add(&words, "mpirun");
    for (size_t i = 0; fixed_words[i] != NULL; i++)
        add(&words, fixed_words[i]);
    add(&words, "--mca");
    add(&words, "btl");
    add(&words, plan->hostfile != NULL ? "vader,self,tcp" : "vader,self");
    if (!plan->abort_on_death)
        add(&words, "--enable-recovery");
    if (plan->hostfile != NULL) {
        add(&words, "--hostfile");
        add(&words, plan->hostfile);
    }
    for (const char *const *name = plan->exports; name != NULL && *name != NULL; name++) {
        add(&words, "-x");
        add(&words, *name);
    }
    for (size_t i = 0; i < plan->block_count; i++) {
        if (i > 0)
            add(&words, ":");
        add_block(&words, &plan->blocks[i], text + 16 * i);
    }
    return words.items;
}

/* Inside single quotes only the single quote itself is special: 'it'\''s'. */
static void print_word(const char *word, FILE *file) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
    if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
        fputs(word, file);
        return;
    }
    fputc('\'', file);
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            fputs("'\\''", file);
        else
            fputc(*word, file);
    }
    fputc('\'', file);
}

void launch_print(const struct launch_plan *plan, FILE *file) {
    char *numbers;
    char **words = launch_words(plan, &numbers);
    for (const char *const *pair = launch_environment(); *pair != NULL; pair++)
        fprintf(file, "%s ", *pair);
    for (const char *const *name = plan->exports; name != NULL && *name != NULL; name++) {
        const char *value = getenv(*name);
        fprintf(file, "%s=", *name);
        print_word(value != NULL ? value : "", file);
        fputc(' ', file);
    }
    for (size_t i = 0; words[i] != NULL; i++) {
        if (i > 0)
            fputc(' ', file);
        print_word(words[i], file);
    }
    fputc('\n', file);
    free(words);
    free(numbers);
}

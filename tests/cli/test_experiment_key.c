/* Goal: the name of a kept run changes with everything its result depends on, and with nothing else; a kept
 * run is whole or absent, and a damaged one does not count. Method: small scenarios and files; programs made
 * by hand; a cache in a folder of its own. */
#include "tests/record/scratch.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "cli/experiment_cache.h"
#include "cli/experiment_key.h"
#include "tests/model/scenario_text.h"

static struct key_base base;
static struct scenario_problems problems;

/* The key of the small scenario with one --set (NULL: none). */
static void key_with(const char *assignment, char key[KEY_TEXT_SIZE]) {
    struct arena arena;
    struct scenario scenario;
    struct error error = {0};
    struct scenario_override override = {assignment};
    arena_init(&arena);
    if (scenario_load_text(scenario_text_small, strlen(scenario_text_small), "small", &override,
                           assignment != NULL ? 1 : 0, &arena, &scenario, &problems) != STATUS_OK)
        fail_msg("%s", problems.items[0].text);
    const char *text = scenario_print(&scenario, &arena, NULL);
    if (key_of_run(&base, &scenario, text, key, &error) != STATUS_OK)
        fail_msg("%s", error.text);
    arena_close(&arena);
}

static void start(void) {
    struct error error = {0};
    if (key_base_init(&base, &error) != STATUS_OK)
        fail_msg("%s", error.text);
}

static void a_key_changes_with_the_scenario_and_its_seed_alone(void **state) {
    (void)state;
    char key[KEY_TEXT_SIZE], again[KEY_TEXT_SIZE];
    start();
    key_with(NULL, key);
    key_with(NULL, again);
    assert_string_equal(key, again);
    assert_int_equal(strlen(key), 64);
    key_with("slots=10", again); /* as it stands in the file */
    assert_string_equal(key, again);
    start();
    key_with(NULL, again);
    assert_string_equal(key, again);
    static const char *const changes[] = {"slots=11", "seed=2", "policy.kind=local",
                                          "nodes.sensor.per_parent=4", "faults.crash.at=3 s"};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        key_with(changes[i], again);
        assert_string_not_equal(key, again);
    }
}

static void write_file(const char *dir, const char *name, const char *text) {
    char path[DURABLE_PATH_MAX];
    struct error error = {0};
    assert_int_equal(durable_path(path, dir, name, NULL), STATUS_OK);
    if (durable_write(path, text, strlen(text), &error) != STATUS_OK)
        fail_msg("%s", error.text);
}

static void a_key_changes_with_the_content_of_what_the_scenario_names(void **state) {
    const struct scratch *scratch = *state;
    char key[KEY_TEXT_SIZE], again[KEY_TEXT_SIZE], assignment[400];
    snprintf(assignment, sizeof assignment, "data.dir=%s", scratch->dir);
    write_file(scratch->dir, "index.csv", "a\n");
    start();
    key_with(assignment, key);
    start();
    key_with(assignment, again);
    assert_string_equal(key, again);
    write_file(scratch->dir, "index.csv", "b\n"); /* as long as before */
    start();
    key_with(assignment, again);
    assert_string_not_equal(key, again);
    write_file(scratch->dir, "index.csv", "a\n");
    write_file(scratch->dir, "record.csv", "");
    start();
    key_with(assignment, again);
    assert_string_not_equal(key, again);
}

static void a_file_that_is_not_there_has_no_key(void **state) {
    (void)state;
    uint8_t hash[32];
    struct error error = {0};
    assert_int_equal(key_hash_path("/nonexistent", hash, &error), STATUS_IO);
}

static void a_key_changes_with_what_chooses_kernels(void **state) {
    (void)state;
    char key[KEY_TEXT_SIZE], again[KEY_TEXT_SIZE];
    unsetenv("OPENBLAS_CORETYPE");
    start();
    key_with(NULL, key);
    setenv("OPENBLAS_CORETYPE", "Haswell", 1);
    start();
    key_with(NULL, again);
    unsetenv("OPENBLAS_CORETYPE");
    assert_string_not_equal(key, again);
}

/* An ELF file with one section of code, one of constants, one of debug information, and a note. */
struct program {
    Elf64_Ehdr header;
    Elf64_Shdr sections[4];
    char code[16], constants[32], debug[16], note[16];
};

static struct program new_program(void) {
    struct program program = {0};
    const struct {
        char *content;
        size_t size;
        uint32_t type;
        uint64_t flags;
    } parts[4] = {{program.code, sizeof program.code, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR},
                  {program.constants, sizeof program.constants, SHT_PROGBITS, SHF_ALLOC},
                  {program.debug, sizeof program.debug, SHT_PROGBITS, 0},
                  {program.note, sizeof program.note, SHT_NOTE, SHF_ALLOC}};
    memcpy(program.header.e_ident, ELFMAG, SELFMAG);
    program.header.e_ident[EI_CLASS] = ELFCLASS64;
    program.header.e_shoff = offsetof(struct program, sections);
    program.header.e_shentsize = sizeof(Elf64_Shdr);
    program.header.e_shnum = 4;
    for (size_t i = 0; i < 4; i++)
        program.sections[i] = (Elf64_Shdr){.sh_type = parts[i].type,
                                           .sh_flags = parts[i].flags,
                                           .sh_offset = (size_t)(parts[i].content - (char *)&program),
                                           .sh_size = parts[i].size};
    memcpy(program.constants, "commit 0123456789ab", 19);
    return program;
}

static void program_hash(const struct program *program, const char *commit, uint8_t hash[32]) {
    assert_int_equal(key_hash_program((const uint8_t *)program, sizeof *program, commit, hash), STATUS_OK);
}

static void a_program_is_its_code_and_constants_not_its_commit_or_debug_information(void **state) {
    (void)state;
    uint8_t hash[32], other[32];
    struct program program = new_program();
    program_hash(&program, "0123456789ab", hash);
    program.debug[3] = 1;
    program.note[3] = 1;
    memcpy(program.constants, "commit ba9876543210", 19);
    program_hash(&program, "ba9876543210", other);
    assert_memory_equal(hash, other, 32);
    program.code[3] = 1;
    program_hash(&program, "ba9876543210", other);
    assert_memory_not_equal(hash, other, 32);
    program.code[3] = 0;
    program.constants[30] = 1;
    program_hash(&program, "ba9876543210", other);
    assert_memory_not_equal(hash, other, 32);
}

static void a_program_that_is_cut_off_is_hashed_without_reading_beyond_it(void **state) {
    (void)state;
    uint8_t hash[32];
    struct program program = new_program();
    for (size_t size = 0; size <= sizeof program; size++) {
        uint8_t *copy = malloc(size + 1); /* its own block, so that the sanitizer sees its end */
        assert_non_null(copy);
        memcpy(copy, &program, size);
        assert_int_equal(key_hash_program(copy, size, "0123456789ab", hash), STATUS_OK);
        free(copy);
    }
}

/* ---- the cache ---- */

#define KEY "ab00000000000000000000000000000000000000000000000000000000000000"
#define DIGEST "0000000000000000000000000000000000000000000000000000000000000001"

/* What a run leaves, as far as the cache looks. */
static void make_run(const struct cache *cache, const char *status) {
    char dir[CACHE_PATH_MAX], log[CACHE_PATH_MAX], manifest[400];
    cache_work(cache, KEY, dir, log);
    assert_int_equal(durable_make_dirs(dir, NULL), STATUS_OK);
    snprintf(manifest, sizeof manifest,
             "{\"format\": \"tierbed-run-1\", \"status\": \"%s\", \"digest\": \"%s\"}", status, DIGEST);
    write_file(dir, "manifest.json", manifest);
    write_file(dir, "scenario.yaml", "name: small\n");
    write_file(dir, "metrics.sqlite", "");
}

static void open_cache(struct cache *cache, const char *root) {
    struct error error = {0};
    if (cache_open(cache, root, &error) != STATUS_OK)
        fail_msg("%s", error.text);
}

static void a_finished_run_is_found_again_by_key_and_scenario(void **state) {
    const struct scratch *scratch = *state;
    struct cache cache;
    char digest[72] = "", work[CACHE_PATH_MAX];
    open_cache(&cache, scratch->run);
    snprintf(work, sizeof work, "%s", cache.work);
    assert_false(cache_find(&cache, KEY, "name: small\n", digest));
    make_run(&cache, "finished");
    assert_int_equal(cache_commit(&cache, KEY, digest, NULL), STATUS_OK);
    assert_string_equal(digest, DIGEST);
    cache_close(&cache);
    assert_int_not_equal(access(work, F_OK), 0);
    open_cache(&cache, scratch->run);
    assert_true(cache_find(&cache, KEY, "name: small\n", digest));
    assert_false(cache_find(&cache, KEY, "name: other\n", digest));
    make_run(&cache, "finished"); /* made again: takes the place of the first */
    assert_int_equal(cache_commit(&cache, KEY, digest, NULL), STATUS_OK);
    assert_true(cache_find(&cache, KEY, "name: small\n", digest));
    cache_close(&cache);
}

static void a_run_that_did_not_finish_is_not_kept(void **state) {
    const struct scratch *scratch = *state;
    struct cache cache;
    char digest[72];
    open_cache(&cache, scratch->run);
    make_run(&cache, "running");
    assert_int_equal(cache_commit(&cache, KEY, digest, NULL), STATUS_FAILED);
    assert_false(cache_find(&cache, KEY, "name: small\n", digest));
    cache_close(&cache);
}

static void a_damaged_run_does_not_count(void **state) {
    const struct scratch *scratch = *state;
    struct cache cache;
    char digest[72], dir[CACHE_PATH_MAX], path[DURABLE_PATH_MAX];
    open_cache(&cache, scratch->run);
    make_run(&cache, "finished");
    assert_int_equal(cache_commit(&cache, KEY, digest, NULL), STATUS_OK);
    cache_entry(&cache, KEY, dir);
    assert_int_equal(durable_path(path, dir, "metrics.sqlite", NULL), STATUS_OK);
    unlink(path);
    assert_false(cache_find(&cache, KEY, "name: small\n", digest));
    write_file(dir, "metrics.sqlite", "");
    assert_true(cache_find(&cache, KEY, "name: small\n", digest));
    write_file(dir, "manifest.json", "{");
    assert_false(cache_find(&cache, KEY, "name: small\n", digest));
    cache_close(&cache);
}

/* The lock of a process that was killed is free; that of one that lives is not. */
static void what_a_killed_process_left_is_removed_and_what_a_living_one_makes_is_not(void **state) {
    const struct scratch *scratch = *state;
    struct cache living, next;
    char left[CACHE_PATH_MAX];
    open_cache(&living, scratch->run);
    snprintf(left, sizeof left, "%s/work-killed", scratch->run);
    assert_int_equal(durable_make_dirs(left, NULL), STATUS_OK);
    write_file(left, "lock", "");
    open_cache(&next, scratch->run);
    assert_int_not_equal(access(left, F_OK), 0);
    assert_int_equal(access(living.work, F_OK), 0);
    cache_close(&next);
    cache_close(&living);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_changes_with_the_scenario_and_its_seed_alone),
        cmocka_unit_test_setup_teardown(a_key_changes_with_the_content_of_what_the_scenario_names,
                                        scratch_setup, scratch_teardown),
        cmocka_unit_test(a_file_that_is_not_there_has_no_key),
        cmocka_unit_test(a_key_changes_with_what_chooses_kernels),
        cmocka_unit_test(a_program_is_its_code_and_constants_not_its_commit_or_debug_information),
        cmocka_unit_test(a_program_that_is_cut_off_is_hashed_without_reading_beyond_it),
        cmocka_unit_test_setup_teardown(a_finished_run_is_found_again_by_key_and_scenario, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(a_run_that_did_not_finish_is_not_kept, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(a_damaged_run_does_not_count, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            what_a_killed_process_left_is_removed_and_what_a_living_one_makes_is_not, scratch_setup,
            scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

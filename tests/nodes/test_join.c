/* Goal: who does not prove to be the node it claims to be is not admitted, for the reason that holds, and
 * nobody else suffers for it; the run goes on, and what the stranger sends is dropped and counted. Method:
 * what a process says is made by hand, changed and cut short; whole runs with a key directory in which one
 * certificate is not what it should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "nodes/director/admission.h"
#include "nodes/join.h"
#include "tests/lib/key_folder.h"
#include "tests/lib/world.h"

#define NODES                                                                                                \
    "name: join\nseed: 1\nslot: 1 s\nslots: 4\ndrain: 2 s\n"                                                 \
    "nodes:\n"                                                                                               \
    "  - {name: edge, role: edge}\n"                                                                         \
    "  - {name: gateway, role: gateway, parent: edge, count: 2}\n"                                           \
    "  - {name: sensor, role: device, parent: gateway, per_parent: 2}\n"                                     \
    "links:\n"                                                                                               \
    "  - {from: sensor, to: gateway, kind: wired, rate: 100 Mbit/s, delay: 10 us}\n"                         \
    "  - {from: gateway, to: sensor, kind: wired, rate: 100 Mbit/s, delay: 10 us}\n"                         \
    "  - {from: gateway, to: edge, kind: wired, rate: 10 Mbit/s, delay: 1 ms}\n"                             \
    "  - {from: edge, to: gateway, kind: wired, rate: 10 Mbit/s, delay: 1 ms}\n"                             \
    "policy: {kind: offload}\n"

enum { EDGE = 0, GATEWAY_1, GATEWAY_2, SENSOR_1_1, SENSOR_1_2, SENSOR_2_1, SENSOR_2_2, NODE_COUNT };
static const char *const names[NODE_COUNT] = {"edge",       "gateway-1",  "gateway-2", "sensor-1-1",
                                              "sensor-1-2", "sensor-2-1", "sensor-2-2"};
static const char *const roles[NODE_COUNT] = {"edge",   "gateway", "gateway", "device",
                                              "device", "device",  "device"};

/* ---- what one process says ---- */

#define RANKS 3u

struct rig {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    uint32_t rank_of_node[NODE_COUNT];
    struct keyring_config config;
    struct admission admission;
};

static struct rig rig;

static int open_rig(void **state) {
    (void)state;
    struct scenario_problems problems;
    memset(&rig, 0, sizeof rig);
    arena_init(&rig.arena);
    assert_int_equal(
        scenario_load_text(NODES, sizeof NODES - 1, "text", NULL, 0, &rig.arena, &rig.scenario, &problems),
        STATUS_OK);
    assert_int_equal(topology_build(&rig.scenario, &rig.arena, &rig.topology, NULL), STATUS_OK);
    for (uint32_t id = 0; id < NODE_COUNT; id++)
        rig.rank_of_node[id] = id % RANKS;
    rig.config = (struct keyring_config){.scenario = &rig.scenario,
                                         .topology = &rig.topology,
                                         .rank_of_node = rig.rank_of_node,
                                         .rank_count = RANKS,
                                         .nonce = {1, 2, 3}};
    assert_int_equal(admission_open(&rig.admission, &rig.config, NULL), STATUS_OK);
    return 0;
}

static int close_rig(void **state) {
    (void)state;
    admission_close(&rig.admission);
    arena_close(&rig.arena);
    return 0;
}

/* How a claim for `node` is made; what is left out is as it should be. */
struct made {
    uint32_t node;
    const char *name, *role;     /* in the certificate */
    uint64_t authority;          /* seed of who signed it */
    uint32_t key, proof;         /* whose key is in it; whose key signs */
    uint32_t claimed_node, rank; /* in what is signed */
    uint8_t nonce;               /* its first byte */
    uint32_t certificate_bytes;  /* fewer: cut short */
};

static struct made sound(uint32_t node) {
    return (struct made){.node = node,
                         .name = names[node],
                         .role = roles[node],
                         .authority = 1,
                         .key = node,
                         .proof = node,
                         .claimed_node = node,
                         .rank = node % RANKS,
                         .nonce = 1,
                         .certificate_bytes = UINT32_MAX};
}

static size_t say(const struct made *made, uint8_t *data, size_t capacity) {
    uint8_t seed[IDENTITY_KEY_BYTES], signature[IDENTITY_SIGNATURE_BYTES],
        nonce[IDENTITY_NONCE_BYTES] = {1, 2, 3};
    struct identity_authority *authority;
    struct identity_certificate certificate;
    struct identity_subject subject;
    struct bytes_writer writer = bytes_writer_over(data, capacity);
    identity_authority_seed(made->authority, seed);
    assert_int_equal(identity_authority_open(seed, &authority, NULL), STATUS_OK);
    snprintf(subject.name, sizeof subject.name, "%s", made->name);
    snprintf(subject.role, sizeof subject.role, "%s", made->role);
    identity_key_seed(1, made->key, seed);
    identity_public_key(seed, subject.key);
    assert_int_equal(identity_issue(authority, &subject, 5, &certificate, NULL), STATUS_OK);
    identity_authority_close(authority);
    nonce[0] = made->nonce;
    identity_key_seed(1, made->proof, seed);
    identity_prove(seed, &(struct identity_claim){nonce, made->claimed_node, made->rank}, signature);
    if (made->certificate_bytes < certificate.bytes)
        certificate.bytes = made->certificate_bytes;
    join_put_entry(&writer, &(struct join_entry){made->node, certificate.data, certificate.bytes, signature});
    assert_false(writer.failed);
    return writer.used;
}

static enum join_verdict claim_from(uint32_t rank, const struct made *made) {
    uint8_t data[JOIN_ENTRY_BYTES_MAX];
    admission_take(&rig.admission, rank, data, say(made, data, sizeof data));
    return (enum join_verdict)rig.admission.nodes[made->node].verdict;
}

static enum join_verdict claim(const struct made *made) {
    return claim_from(made->node % RANKS, made);
}

static void a_node_that_proves_to_be_itself_is_admitted_with_its_key(void **state) {
    (void)state;
    struct made made = sound(GATEWAY_2);
    uint8_t seed[IDENTITY_KEY_BYTES], key[IDENTITY_KEY_BYTES];
    assert_int_equal(rig.admission.nodes[GATEWAY_2].verdict, JOIN_ABSENT); /* before */
    assert_int_equal(claim(&made), JOIN_ADMITTED);
    identity_key_seed(1, GATEWAY_2, seed);
    identity_public_key(seed, key);
    assert_memory_equal(rig.admission.nodes[GATEWAY_2].key, key, sizeof key);
    assert_int_equal(rig.admission.nodes[GATEWAY_1].verdict, JOIN_ABSENT); /* nobody else with it */
}

static void every_way_to_be_somebody_else_has_its_verdict(void **state) {
    (void)state;
    struct made cases[] = {sound(EDGE),       sound(GATEWAY_1),  sound(GATEWAY_2), sound(SENSOR_1_1),
                           sound(SENSOR_1_2), sound(SENSOR_2_1), sound(SENSOR_2_2)};
    static const enum join_verdict verdicts[] = {JOIN_FOREIGN,  JOIN_WRONG_NAME, JOIN_WRONG_ROLE,
                                                 JOIN_UNPROVEN, JOIN_UNPROVEN,   JOIN_UNPROVEN,
                                                 JOIN_UNPROVEN};
    cases[0].authority = 2;
    cases[1].name = "gateway-2";
    cases[2].role = "edge";
    cases[3].proof = SENSOR_1_2;        /* has the certificate, not the key */
    cases[4].nonce = 9;                 /* a proof of another run */
    cases[5].rank = RANKS + 1;          /* a proof of another process */
    cases[6].claimed_node = SENSOR_2_1; /* a proof for another node */
    for (int i = 0; i < NODE_COUNT; i++)
        assert_int_equal(claim(&cases[i]), verdicts[i]);
}

static void a_certificate_cut_short_is_malformed(void **state) {
    (void)state;
    struct made made = sound(EDGE), empty = sound(GATEWAY_1);
    made.certificate_bytes = 100;
    empty.certificate_bytes = 0;
    assert_int_equal(claim(&made), JOIN_MALFORMED);
    assert_int_equal(claim(&empty), JOIN_MALFORMED);
}

static void claims_about_nodes_of_others_and_second_claims_are_not_looked_at(void **state) {
    (void)state;
    struct made stolen = sound(EDGE), later = sound(EDGE);
    stolen.authority = 2;
    assert_int_equal(claim_from(1, &stolen), JOIN_ABSENT); /* the edge server lives on rank 0 */
    assert_int_equal(claim(&later), JOIN_ADMITTED);
    assert_int_equal(claim(&stolen), JOIN_ADMITTED); /* decided already */
    uint8_t data[JOIN_ENTRY_BYTES_MAX];
    struct made nobody = sound(EDGE);
    nobody.node = UINT32_MAX;
    admission_take(&rig.admission, 0, data, say(&nobody, data, sizeof data));
}

static void of_a_part_cut_short_what_was_whole_counts(void **state) {
    (void)state;
    uint8_t data[2 * JOIN_ENTRY_BYTES_MAX];
    struct made first = sound(EDGE), second = sound(SENSOR_1_1); /* both on rank 0 */
    size_t one = say(&first, data, sizeof data), all = one + say(&second, data + one, sizeof data - one);
    for (size_t size = 0; size < all; size++) {
        admission_close(&rig.admission);
        assert_int_equal(admission_open(&rig.admission, &rig.config, NULL), STATUS_OK);
        admission_take(&rig.admission, 0, data, size);
        assert_int_equal(rig.admission.nodes[EDGE].verdict, size < one ? JOIN_ABSENT : JOIN_ADMITTED);
        assert_int_equal(rig.admission.nodes[SENSOR_1_1].verdict, JOIN_ABSENT);
    }
}

static void a_process_believes_only_a_whole_answer(void **state) {
    (void)state;
    struct keyring keyring;
    size_t size;
    struct made made = sound(EDGE);
    assert_int_equal(claim(&made), JOIN_ADMITTED);
    const uint8_t *answer = admission_result(&rig.admission, &size);
    uint8_t *changed = malloc(size + 1);
    assert_non_null(changed);
    memcpy(changed, answer, size);
    assert_int_equal(keyring_open(&keyring, &rig.config, NULL), STATUS_OK);
    assert_false(keyring_admits(&keyring, EDGE));
    assert_int_equal(keyring_take_admission(&keyring, changed, size - 1), STATUS_INVALID);
    assert_int_equal(keyring_take_admission(&keyring, changed, size + 1), STATUS_INVALID);
    changed[JOIN_ADMISSION_BYTES] = JOIN_VERDICT_COUNT; /* of the second node */
    assert_int_equal(keyring_take_admission(&keyring, changed, size), STATUS_INVALID);
    assert_false(keyring_admits(&keyring, EDGE));
    assert_int_equal(keyring_take_admission(&keyring, answer, size), STATUS_OK);
    assert_true(keyring_admits(&keyring, EDGE));
    assert_false(keyring_admits(&keyring, GATEWAY_1));
    free(changed);
    keyring_close(&keyring);
}

static void what_a_process_says_admits_its_nodes_and_both_ends_get_one_session_key(void **state) {
    (void)state;
    struct keyring keyrings[RANKS];
    size_t size;
    const uint8_t *part;
    for (uint32_t rank = 0; rank < RANKS; rank++) {
        struct keyring_config config = rig.config;
        config.rank = rank;
        assert_int_equal(keyring_open(&keyrings[rank], &config, NULL), STATUS_OK);
        while ((part = keyring_next_join(&keyrings[rank], &size)) != NULL)
            admission_take(&rig.admission, rank, part, size);
    }
    part = admission_result(&rig.admission, &size);
    for (uint32_t rank = 0; rank < RANKS; rank++) {
        assert_int_equal(keyring_take_admission(&keyrings[rank], part, size), STATUS_OK);
        for (uint32_t id = 0; id < NODE_COUNT; id++)
            assert_true(keyring_admits(&keyrings[rank], id));
    }
    for (uint32_t link = 0; link < rig.topology.link_count; link++) {
        uint8_t sent[IDENTITY_KEY_BYTES], got[IDENTITY_KEY_BYTES], next[IDENTITY_KEY_BYTES];
        const struct topology_link *info = &rig.topology.links[link];
        assert_true(keyring_session(&keyrings[rig.rank_of_node[info->from]], link, 0, sent));
        assert_true(keyring_session(&keyrings[rig.rank_of_node[info->to]], link, 0, got));
        assert_memory_equal(sent, got, sizeof sent);
        assert_true(keyring_session(&keyrings[rig.rank_of_node[info->to]], link, 1, next));
        assert_memory_not_equal(sent, next, sizeof sent);
    }
    for (uint32_t rank = 0; rank < RANKS; rank++)
        keyring_close(&keyrings[rank]);
}

static void very_many_nodes_without_a_folder_do_not_join_and_still_share_keys(void **state) {
    (void)state;
    char text[sizeof NODES + 16];
    struct scenario_problems problems;
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    arena_init(&arena);
    memcpy(text, NODES, sizeof NODES);
    char *digit = strstr(text, "per_parent: 2") + 12;
    memmove(digit + 3, digit + 1, strlen(digit + 1) + 1);
    memcpy(digit, "500", 3);
    assert_int_equal(scenario_load_text(text, strlen(text), "text", NULL, 0, &arena, &scenario, &problems),
                     STATUS_OK);
    assert_int_equal(topology_build(&scenario, &arena, &topology, NULL), STATUS_OK);
    uint32_t *rank_of_node = arena_alloc_array(&arena, topology.node_count, sizeof *rank_of_node);
    struct keyring_config config = {
        .scenario = &scenario, .topology = &topology, .rank_of_node = rank_of_node, .rank_count = 2};
    struct keyring here, there;
    uint8_t sent[IDENTITY_KEY_BYTES], got[IDENTITY_KEY_BYTES], back[IDENTITY_KEY_BYTES];
    rank_of_node[SENSOR_1_1] = 1;
    assert_false(keyring_must_join(&config));
    assert_true(keyring_must_join(&rig.config));
    uint32_t up = topology_link_between(&topology, SENSOR_1_1, GATEWAY_1);
    uint32_t down = topology_link_between(&topology, GATEWAY_1, SENSOR_1_1);
    assert_int_equal(keyring_open(&here, &config, NULL), STATUS_OK);
    config.rank = 1;
    assert_int_equal(keyring_open(&there, &config, NULL), STATUS_OK);
    assert_true(keyring_session(&there, up, 0, sent));
    assert_true(keyring_session(&here, up, 0, got));
    assert_true(keyring_session(&here, down, 0, back));
    assert_memory_equal(sent, got, sizeof sent);
    assert_memory_not_equal(sent, back, sizeof sent);
    keyring_close(&here);
    keyring_close(&there);
    snprintf(scenario.identity.keys, sizeof scenario.identity.keys, "a-folder");
    assert_true(keyring_must_join(&config));
    arena_close(&arena);
}

/* ---- whole runs ---- */

struct counts {
    uint64_t join_refused, unsealed, replayed, forbidden, answered[NODE_COUNT], unanswered[NODE_COUNT];
    uint8_t verdicts[NODE_COUNT];
};

static void count_row(void *context, const struct row *row) {
    struct counts *counts = context;
    if (row->kind == ROW_TASK) {
        bool lost = row->as.task.drop == DROP_UNANSWERED;
        counts->answered[row->as.task.task.device] += !lost;
        counts->unanswered[row->as.task.task.device] += lost;
    } else if (row->kind == ROW_NODE) {
        counts->verdicts[row->as.node.node] = row->as.node.join;
        counts->join_refused += row->as.node.join_refused;
        counts->unsealed += row->as.node.unsealed;
        counts->replayed += row->as.node.replayed;
        counts->forbidden += row->as.node.forbidden;
    }
}

static struct world_result run(const char *keys, const char *rest, uint32_t processes,
                               struct counts *counts) {
    char text[2048];
    struct world_result result;
    *counts = (struct counts){0};
    snprintf(text, sizeof text, "%sidentity: {%s%s%s}\n", NODES, keys != NULL ? "keys: " : "",
             keys != NULL ? keys : "", rest);
    struct world_config config = {.scenario_text = text,
                                  .processes = processes,
                                  .placement = PLACEMENT_CYCLIC,
                                  .turn_seed = processes,
                                  .row_context = counts,
                                  .on_row = count_row};
    if (world_run(&config, &result) != STATUS_OK)
        fail_msg("%s", result.error.text);
    return result;
}

static void add_all(struct key_folder *folder) {
    key_folder_open(folder, 8);
    for (uint32_t id = 0; id < NODE_COUNT; id++)
        key_folder_add(folder, &(struct key_folder_node){names[id], names[id], roles[id], NULL, id});
}

static void keys_of_a_folder_change_no_result(void **state) {
    (void)state;
    struct key_folder folder;
    struct counts counts;
    struct world_result plain = run(NULL, "seal: true", 1, &counts);
    add_all(&folder);
    for (uint32_t processes = 1; processes <= 3; processes++) {
        struct world_result result = run(folder.path, "", processes, &counts);
        assert_memory_equal(result.digest, plain.digest, sizeof plain.digest);
        assert_int_equal(counts.join_refused + counts.unsealed + counts.replayed + counts.forbidden, 0);
    }
    key_folder_close(&folder);
}

static void sealed_or_not_a_run_has_one_digest(void **state) {
    (void)state;
    struct counts counts;
    struct world_result sealed = run(NULL, "seal: true", 1, &counts);
    for (uint32_t processes = 1; processes <= 4; processes++) {
        struct world_result open = run(NULL, "seal: false", processes, &counts);
        assert_memory_equal(open.digest, sealed.digest, sizeof open.digest);
        sealed = run(NULL, "seal: true", processes, &counts);
        assert_memory_equal(open.digest, sealed.digest, sizeof open.digest);
    }
}

/* One sensor cannot join: only its own tasks go unanswered. */
static void expect_stranger(struct key_folder *folder, enum join_verdict verdict) {
    struct counts counts;
    struct world_result first = {0};
    for (uint32_t variant = 0; variant < 4; variant++) {
        struct world_result result =
            run(folder->path, variant % 2 ? ", seal: false" : "", 1 + variant / 2 * 2, &counts);
        if (variant == 0)
            first = result;
        assert_memory_equal(result.digest, first.digest, sizeof first.digest);
        for (uint32_t id = 0; id < NODE_COUNT; id++)
            assert_int_equal(counts.verdicts[id], id == SENSOR_1_2 ? verdict : JOIN_ADMITTED);
        for (uint32_t id = SENSOR_1_1; id < NODE_COUNT; id++) {
            assert_int_equal(counts.answered[id], id == SENSOR_1_2 ? 0 : 4);
            assert_int_equal(counts.unanswered[id], id == SENSOR_1_2 ? 4 : 0);
        }
        assert_int_equal(counts.join_refused, 4); /* its four windows, at the gateway */
        assert_int_equal(counts.unsealed + counts.replayed + counts.forbidden, 0);
    }
}

static void a_certificate_of_the_wrong_role_costs_its_node_and_no_other(void **state) {
    (void)state;
    struct key_folder folder;
    add_all(&folder);
    key_folder_add(&folder,
                   &(struct key_folder_node){"sensor-1-2", "sensor-1-2", "gateway", NULL, SENSOR_1_2});
    expect_stranger(&folder, JOIN_WRONG_ROLE);
    key_folder_close(&folder);
}

static void a_certificate_of_a_foreign_authority_costs_its_node_and_no_other(void **state) {
    (void)state;
    struct key_folder folder, foreign;
    add_all(&folder);
    key_folder_open(&foreign, 9);
    key_folder_add(&folder, &(struct key_folder_node){"sensor-1-2", "sensor-1-2", "device", foreign.authority,
                                                      SENSOR_1_2});
    expect_stranger(&folder, JOIN_FOREIGN);
    key_folder_close(&foreign);
    key_folder_close(&folder);
}

static void a_node_without_its_private_key_is_absent(void **state) {
    (void)state;
    struct key_folder folder;
    add_all(&folder);
    key_folder_write(&folder, "sensor-1-2", "key", NULL);
    expect_stranger(&folder, JOIN_ABSENT);
    key_folder_close(&folder);
}

static void a_node_with_the_key_of_another_is_unproven(void **state) {
    (void)state;
    struct key_folder folder;
    char text[IDENTITY_PEM_BYTES_MAX];
    uint8_t seed[IDENTITY_KEY_BYTES];
    add_all(&folder);
    identity_key_seed(1, SENSOR_1_1, seed);
    assert_int_equal(identity_key_to_pem(seed, text), STATUS_OK);
    key_folder_write(&folder, "sensor-1-2", "key", text);
    expect_stranger(&folder, JOIN_UNPROVEN);
    key_folder_close(&folder);
}

static void a_folder_without_authority_starts_no_run(void **state) {
    (void)state;
    struct key_folder folder;
    struct scenario_problems problems;
    struct arena arena;
    struct scenario scenario;
    struct admission admission;
    struct error error = {0};
    char text[2048];
    add_all(&folder);
    key_folder_write(&folder, "ca", "pem", NULL);
    arena_init(&arena);
    snprintf(text, sizeof text, "%sidentity: {keys: %s}\n", NODES, folder.path);
    assert_int_equal(scenario_load_text(text, strlen(text), "text", NULL, 0, &arena, &scenario, &problems),
                     STATUS_OK);
    struct keyring_config config = rig.config;
    config.scenario = &scenario;
    assert_int_equal(admission_open(&admission, &config, &error), STATUS_IO);
    assert_non_null(strstr(error.text, "tierbed keys init"));
    admission_close(&admission);
    arena_close(&arena);
    key_folder_close(&folder);
}

#define RIG_TEST(test) cmocka_unit_test_setup_teardown(test, open_rig, close_rig)

int main(void) {
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_node_that_proves_to_be_itself_is_admitted_with_its_key),
        RIG_TEST(every_way_to_be_somebody_else_has_its_verdict),
        RIG_TEST(a_certificate_cut_short_is_malformed),
        RIG_TEST(claims_about_nodes_of_others_and_second_claims_are_not_looked_at),
        RIG_TEST(of_a_part_cut_short_what_was_whole_counts),
        RIG_TEST(a_process_believes_only_a_whole_answer),
        RIG_TEST(what_a_process_says_admits_its_nodes_and_both_ends_get_one_session_key),
        RIG_TEST(very_many_nodes_without_a_folder_do_not_join_and_still_share_keys),
        cmocka_unit_test(keys_of_a_folder_change_no_result),
        cmocka_unit_test(sealed_or_not_a_run_has_one_digest),
        cmocka_unit_test(a_certificate_of_the_wrong_role_costs_its_node_and_no_other),
        cmocka_unit_test(a_certificate_of_a_foreign_authority_costs_its_node_and_no_other),
        cmocka_unit_test(a_node_without_its_private_key_is_absent),
        cmocka_unit_test(a_node_with_the_key_of_another_is_unproven),
        RIG_TEST(a_folder_without_authority_starts_no_run)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

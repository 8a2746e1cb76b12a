/* cmd_keys: `tierbed keys`: an authority for a testbed, and a key and certificate for each of its nodes. */
#include <getopt.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/keys.h"
#include "common/record/manifest.h"

struct request {
    const char *nodes, *scenario, *role;
    uint64_t seed;
    bool has_seed, json;
};

static int take_option(const char *name, const char *argument, void *context) {
    struct request *request = context;
    if (strcmp(name, "nodes") == 0) {
        request->nodes = argument;
    } else if (strcmp(name, "scenario") == 0) {
        request->scenario = argument;
    } else if (strcmp(name, "role") == 0) {
        request->role = argument;
    } else if (strcmp(name, "json") == 0) {
        request->json = true;
    } else {
        request->has_seed = true;
        return command_number(&command_keys, name, argument, (struct command_range){0, UINT64_MAX},
                              &request->seed);
    }
    return 0;
}

static int fail(const struct error *error) {
    fprintf(stderr, "tierbed keys: %s\n", error->text);
    return status_exit_code(error->status);
}

/* ---- init ---- */

static void print_made(const char *dir, uint32_t count) {
    json_t *root = json_pack("{s:o, s:I}", "directory", manifest_json_text(dir), "nodes", (json_int_t)count);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

static int init(const struct request *request, const char *dir) {
    struct keys_plan plan;
    struct error error = {0};
    if ((request->nodes == NULL) == (request->scenario == NULL))
        return command_usage_error(&command_keys, "say for whom: either --nodes or --scenario");
    enum status status = request->nodes != NULL ? keys_plan_list(request->nodes, request->role, &plan, &error)
                                                : keys_plan_scenario(request->scenario, &plan, &error);
    if (status == STATUS_OK)
        status = keys_init(dir, &plan, request->has_seed ? &request->seed : NULL, &error);
    if (status == STATUS_OK && request->json)
        print_made(dir, plan.count);
    else if (status == STATUS_OK)
        printf("an authority and %" PRIu32 " nodes in %s\n", plan.count, dir);
    keys_plan_close(&plan);
    return status == STATUS_OK ? 0 : fail(&error);
}

/* ---- show and check ---- */

static json_t *finding_json(const struct keys_finding *finding) {
    char key[2 * IDENTITY_KEY_BYTES + 1];
    bool known = finding->role[0] != '\0';
    sodium_bin2hex(key, sizeof key, finding->key, sizeof finding->key);
    return json_pack("{s:s, s:s?, s:s?, s:b, s:b, s:s?}", "name", finding->name, "role",
                     known ? finding->role : NULL, "public_key", known ? key : NULL, "certificate",
                     finding->has_certificate, "private_key", finding->has_private_key, "problem",
                     finding->problem[0] != '\0' ? finding->problem : NULL);
}

static void print_json(const struct keys_findings *findings, uint32_t problems) {
    json_t *nodes = json_array();
    for (uint32_t i = 0; i < findings->count; i++)
        json_array_append_new(nodes, finding_json(&findings->items[i]));
    json_t *root = json_pack("{s:I, s:o}", "problems", (json_int_t)problems, "nodes", nodes);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

static void print_text(const struct keys_findings *findings, bool checks) {
    for (uint32_t i = 0; i < findings->count; i++) {
        const struct keys_finding *finding = &findings->items[i];
        char key[2 * IDENTITY_KEY_BYTES + 1];
        sodium_bin2hex(key, sizeof key, finding->key, sizeof finding->key);
        if (checks && finding->problem[0] != '\0')
            printf("%-24s %s\n", finding->name, finding->problem);
        else if (!checks)
            printf("%-24s %-8s %s%s\n", finding->name, finding->role[0] != '\0' ? finding->role : "?",
                   finding->role[0] != '\0' ? key : "no sound certificate",
                   finding->has_private_key ? "" : "  (no private key here)");
    }
}

static int look(const struct request *request, const char *dir, bool checks) {
    struct keys_plan plan = {0};
    struct keys_findings findings = {0};
    struct error error = {0};
    uint32_t problems = 0;
    enum status status = STATUS_OK;
    if (request->scenario != NULL)
        status = keys_plan_scenario(request->scenario, &plan, &error);
    if (status == STATUS_OK)
        status = keys_look(dir, request->scenario != NULL ? &plan : NULL, &findings, &error);
    for (uint32_t i = 0; i < findings.count; i++)
        problems += findings.items[i].problem[0] != '\0';
    if (status == STATUS_OK && request->json)
        print_json(&findings, problems);
    else if (status == STATUS_OK)
        print_text(&findings, checks);
    if (status == STATUS_OK && checks && !request->json)
        printf("%" PRIu32 " nodes, %" PRIu32 " with problems\n", findings.count, problems);
    keys_findings_close(&findings);
    keys_plan_close(&plan);
    if (status != STATUS_OK)
        return fail(&error);
    return checks && problems > 0 ? 1 : 0;
}

static int run(int argc, char **argv) {
    struct request request = {.role = "device"};
    int code = command_parse(&command_keys, argc, argv, take_option, &request);
    if (code != COMMAND_GO)
        return code;
    if (argc - optind != 2)
        return command_usage_error(&command_keys, "say `init DIR`, `show DIR` or `check DIR`");
    const char *verb = argv[optind], *dir = argv[optind + 1];
    if (strcmp(verb, "init") == 0)
        return init(&request, dir);
    if (strcmp(verb, "show") == 0 || strcmp(verb, "check") == 0)
        return look(&request, dir, strcmp(verb, "check") == 0);
    return command_usage_error(&command_keys, "there is no `%s`; there are init, show and check", verb);
}

static const struct command_option options[] = {
    {.name = "nodes", .argument = "LIST", .help = "init: names apart by commas, each NAME or NAME:ROLE"},
    {.name = "scenario",
     .argument = "FILE",
     .help = "init: the nodes of this scenario; check: do they have all they need?"},
    {.name = "role", .argument = "ROLE", .help = "init: of names without one (default device)"},
    {.name = "seed",
     .argument = "N",
     .help = "init: the keys that runs with this seed have without a directory; for tests"},
    {.name = "json", .help = "print JSON"},
    {0}};

const struct command command_keys = {
    .name = "keys",
    .usage = "init DIR --nodes LIST|--scenario FILE | show DIR | check DIR",
    .summary = "Make and check the keys and certificates of a testbed's nodes",
    .details = "`init` makes DIR with an authority (ca.pem, ca.key) and, per node, a private key (NAME.key, "
               "Ed25519) and "
               "a\n"
               "certificate (NAME.pem) that binds it to a name and a role. A scenario uses them with "
               "`identity.keys: "
               "DIR`. The\n"
               "files are PEM: `openssl verify -CAfile DIR/ca.pem DIR/NAME.pem` and `openssl x509 -text` "
               "read them. Nothing "
               "is\n"
               "ever overwritten. Where hosts share no files, each needs ca.pem, all certificates, and the "
               "keys of its own "
               "nodes;\n"
               "none needs ca.key.\n"
               "\n"
               "`show` lists nodes, roles and public keys. `check` looks for what would keep a node from "
               "joining a run.\n"
               "\n"
               "EXIT STATUS\n"
               "  0  done, nothing to complain of\n"
               "  1  check: a node would not be admitted\n"
               "  2  wrong usage, DIR is already there, or the scenario has mistakes\n"
               "  4  a file cannot be read or written\n"
               "\n"
               "EXAMPLES\n"
               "  tierbed keys init keys --scenario experiments/factory/quickstart.yaml\n"
               "  tierbed keys check keys --scenario experiments/factory/quickstart.yaml\n"
               "  tierbed run experiments/factory/quickstart.yaml --set identity.keys=keys\n",
    .options = options,
    .run = run,
};

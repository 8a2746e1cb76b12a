/* cmd_ledger: `tierbed ledger`: what validators agreed on, shown, verified, proven, exported. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/ledger.h"

#define NONE UINT64_MAX

int ledger_fail(const struct error *error) {
    fprintf(stderr, "tierbed ledger: %s\n", error->text);
    return status_exit_code(error->status);
}

static int take_option(const char *name, const char *argument, void *context) {
    struct ledger_request *request = context;
    uint64_t *number = NULL;
    if (strcmp(name, "json") == 0)
        request->json = true;
    else if (strcmp(name, "model") == 0)
        request->model = true;
    else if (strcmp(name, "node") == 0)
        request->node = argument;
    else if (strcmp(name, "check") == 0)
        request->check = argument;
    else if (strcmp(name, "blob") == 0)
        request->blob = argument;
    else if (strcmp(name, "height") == 0)
        number = &request->height;
    else if (strcmp(name, "tx") == 0)
        number = &request->index;
    else
        number = &request->block_count;
    return number == NULL ? 0
                          : command_number(&command_ledger, name, argument,
                                           (struct command_range){0, INT64_MAX}, number);
}

static int run_prove(struct ledger_request *request, int count, char **arguments) {
    bool by_place = request->height != NONE || request->index != NONE;
    if (count == 1)
        request->tx_id = arguments[0];
    if (count > 1 || (request->check != NULL) + by_place + (count == 1) != 1)
        return command_usage_error(&command_ledger, "prove DIR needs one of TX_ID, --height H --tx I, or "
                                                    "--check FILE");
    if (by_place && (request->height == NONE || request->index == NONE))
        return command_usage_error(&command_ledger, "--height and --tx go together");
    if (request->model && request->tx_id == NULL)
        return command_usage_error(&command_ledger, "--model needs the TX_ID of the model");
    if (request->blob != NULL && !request->model && request->check == NULL)
        return command_usage_error(&command_ledger, "--blob goes with --model or --check");
    return ledger_prove(request);
}

static int run_ledger(int argc, char **argv) {
    struct ledger_request request = {.height = NONE, .index = NONE, .block_count = 20};
    int code = command_parse(&command_ledger, argc, argv, take_option, &request);
    if (code != COMMAND_GO)
        return code;
    int count = argc - optind;
    if (count < 2)
        return command_usage_error(&command_ledger, "needs show, verify, prove or export, and a directory");
    const char *action = argv[optind];
    request.dir = argv[optind + 1];
    if (strcmp(action, "prove") == 0)
        return run_prove(&request, count - 2, argv + optind + 2);
    if (count > 2)
        return command_usage_error(&command_ledger, "%s takes one directory, not '%s' too", action,
                                   argv[optind + 2]);
    if (strcmp(action, "show") == 0)
        return ledger_show(&request);
    if (strcmp(action, "verify") == 0)
        return ledger_verify(&request);
    if (strcmp(action, "export") == 0)
        return ledger_export(&request);
    return command_usage_error(&command_ledger, "unknown action '%s': show, verify, prove or export", action);
}

static const struct command_option options[] = {
    {"node", 0, "NAME", "the ledger of this validator (default: all; show, prove, export: the highest)"},
    {"blocks", 0, "N", "show: list the last N blocks (default: 20)"},
    {"height", 0, "H", "prove: the block of this height"},
    {"tx", 0, "I", "prove: the transaction with this number in the block, from 0"},
    {"model", 0, NULL, "prove: the model of TX_ID in the registry, with its status and medians"},
    {"check", 0, "FILE", "prove: check the proof in FILE under genesis alone"},
    {"blob", 0, "FILE", "prove: with --model write the model's bytes there; with --check compare them"},
    {"json", 0, NULL, "print one JSON object instead of text (prove prints JSON in any case, export lines)"},
    {0}};

const struct command command_ledger = {
    .name = "ledger",
    .usage = "show DIR | verify DIR | prove DIR TX_ID | export DIR [options]",
    .summary = "show, verify, prove and export what validators agreed on",
    .details =
        "DIR is a run directory, whose ledgers are nodes/NAME.ledger, or one ledger. Ledgers are opened for\n"
        "reading only: a run that goes on is not disturbed.\n"
        "\n"
        "show prints tip, blocks, models with claimed and median metrics, and evidence, as the ledger says.\n"
        "\n"
        "verify trusts nothing but the file genesis in the ledger: it checks every block, certificate, root\n"
        "and signature, replays the state, and checks the models that are there by their hashes. Several\n"
        "ledgers must have one chain. What is wrong is named with its height and what to do about it.\n"
        "\n"
        "prove prints a light proof: the transaction TX_ID (or number I of block H), or with --model the\n"
        "registry's entry for it under the newest header. --check FILE verifies such a proof as a device\n"
        "does, from genesis alone; with --blob also that a file holds the model.\n"
        "\n"
        "export prints genesis, blocks, transactions, models and the final state, one JSON object a line,\n"
        "each block verified before it is printed.\n"
        "\n"
        "Exit codes: 0 done, and what was checked holds; 1 something does not hold; 2 usage, or a file that\n"
        "is no genesis or no proof; 4 there is no ledger there.\n"
        "\n"
        "EXAMPLES\n"
        "\n"
        "  tierbed ledger verify runs/factory\n"
        "  tierbed ledger prove runs/factory --height 3 --tx 0 > proof.json\n"
        "  tierbed ledger prove runs/factory --check proof.json\n",
    .options = options,
    .run = run_ledger};

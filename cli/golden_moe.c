/* golden_moe: a mixture of one-layer experts behind a noisy top-k gate, with its balance loss. */
#include <string.h>

#include "cli/golden_checks.h"
#include "common/learn/moe.h"

struct mixture_case {
    struct moe moe;
    struct elastic_slice slice;
    struct moe_run run;
    struct golden_tensor x;
    uint32_t batch;
    size_t in, experts, out, gate_weights, logits;
    real *parameters;
};

/* Experts have a weight only: their bias stays 0. */
static void read_parameters(struct golden *golden, struct golden_node node, struct mixture_case *one) {
    size_t weight = one->in * one->out;
    real *gate = one->parameters = golden_room(golden, moe_parameter_count(&one->moe));
    const real *experts = golden_reals(golden, node, "W_expert", one->experts * weight);
    memcpy(gate, golden_reals(golden, node, "W_gate", one->gate_weights), one->gate_weights * sizeof *gate);
    memcpy(gate + one->gate_weights, golden_reals(golden, node, "W_noise", one->gate_weights),
           one->gate_weights * sizeof *gate);
    for (uint32_t expert = 0; expert < one->experts; expert++)
        memcpy(gate + moe_expert_offset(&one->moe, expert), experts + expert * weight, weight * sizeof *gate);
}

static void open_case(struct golden *golden, struct golden_node node, struct mixture_case *one) {
    struct golden_tensor experts = golden_tensor(golden, node, "W_expert");
    *one = (struct mixture_case){.x = golden_tensor(golden, node, "x")};
    if (!golden->failed && (experts.rank != 3 || experts.count == 0 || one->x.rank != 2 ||
                            one->x.count == 0 || one->x.shape[1] != experts.shape[1]))
        golden_refuse(golden, node, "expected x [rows][in] and W_expert [experts][in][out]");
    size_t k = golden_count(golden, node, "k", experts.shape[0]);
    if (!golden->failed && k < 1)
        golden_refuse(golden, golden_get(golden, node, "k"), "expected at least 1");
    if (golden->failed)
        return;
    one->batch = (uint32_t)one->x.shape[0], one->in = one->x.shape[1];
    one->experts = experts.shape[0], one->out = experts.shape[2];
    one->gate_weights = one->in * one->experts, one->logits = one->batch * one->experts;
    one->moe.gate = (struct moe_gate){.in = (uint32_t)one->in,
                                      .experts = (uint32_t)one->experts,
                                      .noise_floor = MOE_NOISE_FLOOR,
                                      .balance = MOE_BALANCE};
    const uint32_t sizes[2] = {(uint32_t)one->in, (uint32_t)one->out};
    one->moe.expert = mlp_of(sizes, 1, ACTIVATION_NONE, ACTIVATION_LEAKY_RELU);
    one->slice = elastic_slice_full(&one->moe.expert);
    read_parameters(golden, node, one);
    one->run = (struct moe_run){&one->moe, one->parameters, (uint32_t)k, &one->slice};
}

static void expect_forward(struct golden *golden, struct golden_node node, const struct mixture_case *one,
                           const struct moe_trace *trace) {
    const struct moe_gate_trace *gate = &trace->gate;
    golden_expect(golden, node, "clean", gate->clean, one->logits);
    golden_expect(golden, node, "stddev", gate->spread, one->logits);
    golden_expect(golden, node, "noisy", gate->noisy, one->logits);
    const size_t shape[2] = {one->batch, one->run.k};
    uint32_t *chosen = arena_alloc_array(&golden->arena, shape[0] * shape[1], sizeof *chosen);
    for (size_t row = 0; row < one->batch; row++)
        memcpy(chosen + row * shape[1], gate->chosen + row * one->experts, shape[1] * sizeof *chosen);
    golden_expect_index_rows(golden, node, "topk_idx", chosen, shape);
    golden_expect(golden, node, "gates", gate->gates, one->logits);
    golden_expect(golden, node, "importance", gate->importance, one->experts);
    golden_expect(golden, node, "load", gate->load, one->experts);
    golden_expect_number(golden, node, "loss_balance", moe_gate_balance_loss(&one->moe.gate, gate));
}

static void expect_backward(struct golden *golden, struct golden_node node, const struct mixture_case *one,
                            struct moe_trace *trace) {
    size_t weight = one->in * one->out;
    real *gradients = golden_room(golden, moe_parameter_count(&one->moe)),
         *dx = golden_room(golden, one->x.count);
    real *experts = golden_room(golden, one->experts * weight);
    struct elastic_backward backward = {golden_reals(golden, node, "dy", one->batch * one->out), gradients,
                                        dx};
    moe_backward(&one->run, one->x.data, trace, &backward);
    golden_expect(golden, node, "dx", dx, one->x.count);
    golden_expect(golden, node, "dW_gate", gradients, one->gate_weights);
    golden_expect(golden, node, "dW_noise", gradients + one->gate_weights, one->gate_weights);
    for (uint32_t expert = 0; expert < one->experts; expert++)
        memcpy(experts + expert * weight, gradients + moe_expert_offset(&one->moe, expert),
               weight * sizeof *experts);
    golden_expect(golden, node, "dW_expert", experts, one->experts * weight);
}

/* Without noise the clean logits decide; the file has the kept gates, largest first. */
static void expect_evaluation(struct golden *golden, struct golden_node node, const struct mixture_case *one,
                              struct moe_trace *trace) {
    real *kept = golden_room(golden, (size_t)one->batch * one->run.k);
    moe_forward(&one->run, one->x.data, NULL, one->batch, trace);
    for (size_t row = 0; row < one->batch; row++)
        for (size_t i = 0; i < one->run.k; i++) {
            uint32_t expert = trace->gate.chosen[row * one->experts + i];
            kept[row * one->run.k + i] = trace->gate.gates[row * one->experts + expert];
        }
    golden_expect(golden, node, "eval_gates_no_noise", kept, (size_t)one->batch * one->run.k);
}

void golden_check_moe(struct golden *golden, struct golden_node root) {
    struct mixture_case one;
    struct moe_trace trace = {0};
    open_case(golden, root, &one);
    if (golden->failed)
        return;
    const real *noise = golden_reals(golden, root, "noise", one.logits);
    if (moe_trace_open(&trace, &one.moe, one.batch, one.run.k) != STATUS_OK)
        golden_refuse(golden, root, "no memory for %u rows", one.batch);
    if (!golden->failed) {
        const real *y = moe_forward(&one.run, one.x.data, noise, one.batch, &trace);
        expect_forward(golden, root, &one, &trace);
        golden_expect(golden, root, "y", y, one.batch * one.out);
        expect_backward(golden, root, &one, &trace);
        expect_evaluation(golden, root, &one, &trace);
    }
    moe_trace_close(&trace);
}

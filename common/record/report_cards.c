/* The top of the page: what was run, and its key figures. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/record/manifest.h"
#include "common/record/names.h"
#include "common/record/report_parts.h"

static void fact(struct markup *out, const char *label, const char *value) {
    markup_raw(out, "<li><span>");
    markup_text(out, label);
    markup_raw(out, "</span> <b>");
    markup_text(out, value);
    markup_raw(out, "</b></li>\n");
}

static void count_fact(struct markup *out, const char *label, uint64_t value) {
    markup_raw(out, "<li><span>");
    markup_text(out, label);
    markup_raw(out, "</span> <b>");
    markup_count(out, value);
    markup_raw(out, "</b></li>\n");
}

void report_header(struct markup *out, const struct report_data *data) {
    const struct summary *summary = &data->summary;
    const char *status = manifest_status_now(data->manifest);
    markup_raw(out, "<header>\n<h1>");
    markup_text(out, summary->scenario);
    markup_raw(out, strcmp(status, "finished") == 0 ? " <span class=\"badge finished\">"
                                                    : " <span class=\"badge\">");
    markup_text(out, status);
    markup_raw(out, "</span></h1>\n");
    if (summary->description[0] != '\0') {
        markup_raw(out, "<p class=\"lead\">");
        markup_text(out, summary->description);
        markup_raw(out, "</p>\n");
    }
    if (summary->message[0] != '\0') {
        markup_raw(out, "<p class=\"message\">");
        markup_text(out, summary->message);
        markup_raw(out, "</p>\n");
    }
    markup_raw(out, "<ul class=\"facts\">\n");
    fact(out, "seed", summary->seed);
    if (summary_has_scheme(summary))
        fact(out, "scheme", summary->scheme);
    else
        fact(out, "policy", summary->policy);
    count_fact(out, "devices", summary->devices);
    if (summary->gateways > 0)
        count_fact(out, "gateways", summary->gateways);
    count_fact(out, "edge servers", summary->edges);
    if (!summary_has_scheme(summary))
        fact(out, "data", summary->data_source);
    fact(out, "transport", summary->transport);
    count_fact(out, "processes", summary->processes);
    fact(out, "started", manifest_text(data->manifest, "started_utc", "unknown"));
    markup_raw(out, "</ul>\n<ul class=\"facts\"><li><span>digest</span> <code>");
    markup_text(out, summary->digest[0] != '\0' ? summary->digest : "none: the run did not finish");
    markup_raw(out, "</code></li></ul>\n</header>\n");
}

static void card_open(struct markup *out, const char *title, const char *extra_class) {
    markup_format(out, "<section class=\"card%s\"><h2>", extra_class);
    markup_text(out, title);
    markup_raw(out, "</h2>");
}

static void big(struct markup *out, double value, const char *unit) {
    markup_raw(out, "<p class=\"big\">");
    if (isfinite(value)) {
        markup_quantity(out, value);
        markup_raw(out, " <small>");
        markup_text(out, unit);
        markup_raw(out, "</small>");
    } else {
        markup_raw(out, "n/a");
    }
    markup_raw(out, "</p><p class=\"small\">");
}

static void card_close(struct markup *out) {
    markup_raw(out, "</p></section>\n");
}

static void figure(struct markup *out, const char *before, double value, const char *after) {
    markup_raw(out, before);
    markup_quantity(out, value);
    markup_raw(out, after);
}

static double percent(uint64_t part, uint64_t whole) {
    return whole > 0 ? 100.0 * (double)part / (double)whole : NAN;
}

static void task_cards(struct markup *out, const struct summary *summary) {
    card_open(out, "Tasks done", "");
    big(out, percent(summary->done, summary->born), "%");
    markup_count(out, summary->done);
    markup_raw(out, " of ");
    markup_count(out, summary->born);
    markup_raw(out, " born");
    if (summary->unreported > 0) {
        markup_raw(out, "; ");
        markup_count(out, summary->unreported);
        markup_raw(out, " without outcome");
    }
    card_close(out);
    card_open(out, "Dropped", "");
    big(out, percent(summary->dropped, summary->born), "%");
    unsigned most = DROP_NONE;
    for (unsigned reason = DROP_NONE + 1; reason < DROP_REASON_COUNT; reason++)
        if (summary->drop[reason] > 0 && (most == DROP_NONE || summary->drop[reason] > summary->drop[most]))
            most = reason;
    markup_count(out, summary->dropped);
    markup_raw(out, summary->dropped == 1 ? " task" : " tasks");
    if (most != DROP_NONE) {
        markup_raw(out, ", most: ");
        markup_text(out, name_of_drop((uint8_t)most));
    }
    card_close(out);
}

static void delay_card(struct markup *out, const struct summary *summary) {
    card_open(out, "Delay, median", "");
    big(out, summary->delay.p50_ms, "ms");
    figure(out, "p99 ", summary->delay.p99_ms, "&#160;ms, ");
    figure(out, "mean ", summary->delay.mean_ms, "&#160;ms");
    card_close(out);
}

static void accuracy_card(struct markup *out, const struct summary *summary) {
    card_open(out, "Accuracy", "");
    big(out, 100 * summary_accuracy(summary), "%");
    markup_count(out, summary->right);
    markup_raw(out, " of ");
    markup_count(out, summary->processed);
    markup_raw(out, " processed");
    card_close(out);
}

static void energy_card(struct markup *out, const struct summary *summary) {
    double total_j = summary->energy_device_j + summary->energy_gateway_j + summary->energy_uplink_j +
                     summary->energy_edge_j;
    card_open(out, "Energy per done task", "");
    big(out, summary->done > 0 ? total_j / (double)summary->done : NAN, "J");
    if (summary->gateways > 0)
        figure(out, "gateway ", summary->energy_gateway_j, "&#160;J, ");
    if (!summary_has_scheme(summary))
        figure(out, "edge ", summary->energy_edge_j, "&#160;J, ");
    figure(out, "uplink ", summary->energy_uplink_j, "&#160;J, ");
    figure(out, "device ", summary->energy_device_j, "&#160;J");
    card_close(out);
}

static void meter(struct markup *out, const char *label, const char *style_class, double share) {
    markup_raw(out, "<div class=\"meter\"><span>");
    markup_text(out, label);
    markup_format(out, "</span><i><b class=\"%s\" style=\"width:", style_class);
    markup_number(out, isfinite(share) ? fmin(100 * share, 100) : 0, 1);
    markup_raw(out, "%\"></b></i><span>");
    markup_number(out, 100 * share, 1);
    markup_raw(out, isfinite(share) ? " %</span></div>" : "</span></div>");
}

static void busy_card(struct markup *out, const struct summary *summary) {
    card_open(out, "Busy, of the virtual time", " wide");
    if (summary->gateways > 0)
        meter(out, "gateway", "b-gateway", summary->busy_gateway);
    meter(out, "uplink", "b-uplink", summary->busy_uplink);
    meter(out, "edge", "b-edge", summary->busy_edge);
    markup_raw(out, "</section>\n");
}

static void speed_card(struct markup *out, const struct summary *summary) {
    card_open(out, "Speed", " wide");
    big(out, summary_speed_up(summary), "times real time");
    figure(out, "", summary->virtual_s, "&#160;s virtual in ");
    figure(out, "", summary->wall_s, "&#160;s; ");
    figure(out, "", summary_events_per_s(summary), "&#160;events/s");
    card_close(out);
}

static void closed_card(struct markup *out, const struct summary *summary) {
    card_open(out, "Agrees with closed form", "");
    big(out, percent(summary->closed_within_1_ns, summary->closed_count), "% to 1 ns");
    if (summary->closed_count == 0) {
        markup_raw(out, "no task has a closed form");
    } else {
        markup_count(out, summary->closed_count);
        markup_raw(out, " tasks; largest gap ");
        markup_quantity(out, summary->closed_max_ns);
        markup_raw(out, "&#160;ns");
    }
    card_close(out);
}

static void chain_cards(struct markup *out, const struct summary *summary) {
    const struct summary_chain *chain = &summary->chain;
    card_open(out, "Chain", "");
    big(out, (double)chain->most_height, chain->most_height == 1 ? "block" : "blocks");
    markup_count(out, chain->transactions);
    markup_raw(out, " transactions, ");
    markup_count(out, chain->models_accepted);
    markup_raw(out, " models accepted");
    card_close(out);
    card_open(out, "Ledgers that agree", "");
    big(out, (double)chain->agree, "");
    markup_raw(out, "of ");
    markup_count(out, chain->read);
    markup_raw(out, chain->agree < chain->read ? " read: <span class=\"warn\">they differ</span>"
                                               : " read, up to height ");
    if (chain->agree == chain->read)
        markup_count(out, chain->least_height);
    card_close(out);
}

static void work_cards(struct markup *out, const struct summary *summary) {
    task_cards(out, summary);
    delay_card(out, summary);
    if (!summary_has_scheme(summary))
        accuracy_card(out, summary);
    energy_card(out, summary);
    closed_card(out, summary);
}

void report_cards(struct markup *out, const struct report_data *data) {
    const struct summary *summary = &data->summary;
    markup_raw(out, "<div class=\"cards\">\n");
    if (summary_has_tiers(summary))
        work_cards(out, summary);
    if (summary->chain.validators > 0)
        chain_cards(out, summary);
    speed_card(out, summary);
    if (summary_has_tiers(summary))
        busy_card(out, summary);
    markup_raw(out, "</div>\n");
}

/* The look of the page. Colours are chosen to stay apart for the colour-blind and to reach 4.5:1 for text,
 * 3:1 for marks, on both backgrounds; curves differ in their dashes as well. */
#include <inttypes.h>
#include <math.h>

#include "common/record/report_parts.h"

const char report_style[] =
    ":root{color-scheme:light "
    "dark;--page:#f4f5f7;--panel:#fff;--edge-line:#dfe3e8;--text:#17202a;--muted:#586473;"
    "--grid:#e6e9ee;--axis:#8a94a3;--wait:#b9c1cc;--uplink:#c77700;--gateway:#0b7a75;--edge:#4653c5;--device:"
    "#9b2f9e;--drop:#"
    "c2263a;"
    "--fault:#c2263a;--right:#0b7a75;--wrong:#c2263a;--ink:#fff;--good:#14713d;--good-back:#e0f3e7;--bad:#"
    "a81d30;"
    "--bad-back:#fbe5e8;--track:#e6e9ee}\n"
    "@media "
    "(prefers-color-scheme:dark){:root{--page:#0f1318;--panel:#181e26;--edge-line:#2a323d;--text:#e8ecf1;"
    "--muted:#9aa7b6;--grid:#262e39;--axis:#66727f;--wait:#4d5968;--uplink:#f0a53a;--gateway:#3ec6b6;--edge:#"
    "93a0ff;--device:#ee9bf2;"
    "--drop:#ff6f7f;--fault:#ff6f7f;--right:#3ec6b6;--wrong:#ff6f7f;--ink:#0f1318;--good:#6fdc9c;--good-back:"
    "#173526;"
    "--bad:#ff9aa5;--bad-back:#43202a;--track:#2a323d}}\n"
    "*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}"
    "body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,-apple-system,\"Segoe "
    "UI\",Roboto,"
    "\"Helvetica Neue\",Arial,sans-serif;font-variant-numeric:tabular-nums}\n"
    "main,header{max-width:1320px;margin:0 auto;padding:0 20px}header{padding-top:28px}"
    "h1{font-size:28px;line-height:1.2;margin:0;overflow-wrap:anywhere}h2{font-size:16px;margin:0 0 2px}"
    ".lead{margin:6px 0 0;color:var(--muted);max-width:75ch}"
    ".badge{display:inline-block;font-size:13px;font-weight:600;padding:2px "
    "10px;border-radius:99px;vertical-align:5px;"
    "margin-left:8px;background:var(--bad-back);color:var(--bad)}"
    ".badge.finished{background:var(--good-back);color:var(--good)}"
    ".facts{display:flex;flex-wrap:wrap;gap:4px 22px;margin:14px 0 0;padding:0;list-style:none}"
    ".facts b{font-weight:600}.facts span,.muted,.caption{color:var(--muted)}"
    "code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,\"Liberation "
    "Mono\",monospace;overflow-wrap:anywhere}"
    ".message{margin:14px 0 0;padding:10px "
    "14px;border-radius:8px;background:var(--bad-back);color:var(--bad);"
    "overflow-wrap:anywhere}\n"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:14px;margin:22px 0 "
    "14px}"
    ".card,.panel{background:var(--panel);border:1px solid var(--edge-line);border-radius:12px}"
    ".card{padding:13px 16px}.card h2{font-size:13px;font-weight:500;color:var(--muted)}"
    ".card p{margin:0}.card .big{font-size:26px;line-height:1.25;font-weight:650}.card .big "
    "small{font-size:15px;"
    "font-weight:500;color:var(--muted)}.card .small{font-size:13px;color:var(--muted)}"
    ".meter{display:grid;grid-template-columns:64px 1fr "
    "48px;gap:8px;align-items:center;font-size:13px;line-height:1.7}"
    ".meter i{display:block;height:7px;border-radius:4px;background:var(--track);overflow:hidden}"
    ".meter i b{display:block;height:100%}.meter span:last-child{text-align:right}"
    ".b-gateway{background:var(--gateway)}.b-uplink{background:var(--uplink)}.b-edge{background:var(--edge)}"
    ".b-device{background:var(--device)}.b-wait{background:var(--wait)}.b-drop{background:var(--drop)}\n"
    ".panels{display:grid;grid-template-columns:minmax(0,1fr);gap:14px;margin-bottom:14px}"
    ".panel{padding:16px 18px;min-width:0;margin-bottom:14px}.panels .panel{margin:0}"
    ".caption{margin:0 0 8px;font-size:13px}"
    "@media "
    "(min-width:1100px){.cards{grid-template-columns:repeat(4,minmax(0,1fr))}.panels{grid-template-columns:"
    "repeat(2,minmax(0,1fr))}}\n"
    ".curves{display:grid;gap:20px "
    "24px;margin-top:10px;grid-template-columns:repeat(auto-fill,minmax(min(100%,"
    "330px),1fr))}.curves.few{grid-template-columns:repeat(auto-fit,minmax(min(100%,480px),1fr))}"
    ".curves.one{grid-template-columns:minmax(0,1fr)}.curves figure{min-width:0}"
    ".curves figure{display:flex;flex-direction:column}.curves figure>svg{margin-top:auto}.curves "
    ".caption{margin:0 0 4px}.curves h3{font-size:14px;margin:0;overflow-wrap:anywhere}"
    ".results table{width:auto;min-width:min(100%,420px)}.results th,.results "
    "td{padding-right:24px}.warn{color:var(--bad)}\n"
    "figure{margin:0}svg{display:block;width:100%;height:auto;font:12px system-ui,-apple-system,\"Segoe "
    "UI\",Roboto,"
    "Arial,sans-serif}.w-s,.w-m,.w-l,.w-ml{display:none}"
    "@media (max-width:599px){.w-s{display:block}}@media (min-width:600px){.w-ml{display:block}}"
    "@media (min-width:600px) and (max-width:1099px){.w-m{display:block}}@media "
    "(min-width:1100px){.w-l{display:block}}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:2px 18px;list-style:none;margin:6px 0 "
    "8px;padding:0;font-size:13px}"
    ".legend li{display:flex;align-items:center;gap:7px}.legend "
    "i{width:14px;height:10px;border-radius:2px;display:block}"
    ".legend .key{width:26px;height:8px;flex:none}.legend .fault-key{background:var(--fault);opacity:.25}\n"
    "text{fill:var(--text)}.mark,.label{fill:var(--muted)}.name{font-weight:600}.value{font-size:15px;font-"
    "weight:600}"
    ".value-small{font-size:12px}.ink{font-size:15px;font-weight:600;fill:var(--ink)}"
    ".ink-small{font-size:12px;fill:var(--ink)}"
    ".start{text-anchor:start}.middle{text-anchor:middle}.end{text-anchor:end}"
    ".grid{stroke:var(--grid);stroke-width:1}.axis{stroke:var(--axis);stroke-width:1}.lane{stroke:var(--grid)"
    ";"
    "stroke-width:1}"
    ".f-wait{fill:var(--wait)}.f-uplink{fill:var(--uplink)}.f-gateway{fill:var(--gateway)}.f-edge{fill:var(--"
    "edge)}"
    ".f-drop{fill:var(--drop)}.s-drop{stroke:var(--drop);stroke-width:1.8;fill:none}"
    ".f-device{fill:var(--device)}.s-device{stroke:var(--device)}.s-gateway{stroke:var(--gateway)}.s-uplink{"
    "stroke:var(--uplink)}.s-edge{stroke:var(--edge)}"
    ".curve{fill:none;stroke-width:2;stroke-linejoin:round}.dash-1{stroke-dasharray:7 "
    "3}.dash-2{stroke-dasharray:2 2.5}.dash-3{stroke-dasharray:9 3 2 3}"
    ".band{stroke:none;fill-opacity:.17}.c-0{stroke:var(--edge);fill:var(--edge)}"
    ".c-1{stroke:var(--uplink);fill:var(--uplink)}.c-2{stroke:var(--gateway);fill:var(--gateway)}"
    ".c-3{stroke:var(--device);fill:var(--device)}.c-0.curve,.c-1.curve,.c-2.curve,.c-3.curve{fill:none;"
    "stroke-width:1.6;stroke-linecap:round}.curve.dot{stroke-width:5}.c-0.band,.c-1.band,.c-2.band,.c-3.band{"
    "stroke:none}"
    ".deadline{stroke-width:2.5}.fault{fill:var(--fault);fill-opacity:.13}.fault-edge{stroke:var(--fault);"
    "stroke-width:1;stroke-dasharray:3 2}"
    ".cell{fill:var(--grid)}.cell-right{fill:var(--right)}.cell-wrong{fill:var(--wrong)}\n"
    ".scroll{overflow-x:auto;margin:0 -18px;padding:0 18px}.scroll:focus-visible{outline:2px solid "
    "var(--edge);"
    "outline-offset:-2px}"
    "table{border-collapse:collapse;width:100%;font-size:13px;margin-top:8px}th,td{padding:6px 10px 6px "
    "0;text-align:right;"
    "white-space:nowrap;border-bottom:1px solid var(--edge-line)}th{font-weight:500;color:var(--muted);"
    "vertical-align:bottom}th.t,td.t{text-align:left}tbody tr:last-child td{border-bottom:0}"
    ".wrap td{white-space:normal;overflow-wrap:anywhere;text-align:left;vertical-align:top}"
    ".wrap td:first-child{width:1%;white-space:nowrap;color:var(--muted);padding-right:20px}"
    "details{margin-top:10px}summary{cursor:pointer;color:var(--edge);font-size:13px}"
    "pre{margin:8px 0 0;padding:12px 14px;background:var(--page);border-radius:8px;white-space:pre-wrap;"
    "overflow-wrap:anywhere}"
    "footer{max-width:1320px;margin:0 auto;padding:6px 20px 36px;font-size:13px;color:var(--muted)}\n"
    "@media (max-width:599px){body{font-size:14px}main,header,footer{padding-left:12px;padding-right:12px}"
    "header{padding-top:18px}h1{font-size:23px}.cards{grid-template-columns:repeat(2,minmax(0,1fr));gap:10px}"
    ".card{padding:10px 12px}.card .big{font-size:21px}.card.wide{grid-column:1/-1}.panel{padding:13px 12px}"
    ".scroll{margin:0 -12px;padding:0 12px}.wrap "
    "td:first-child{white-space:normal;width:34%;padding-right:10px}}\n"
    "@media print{body{background:#fff}.panel,.card{break-inside:avoid}}\n";

struct colour {
    double red, green, blue;
};

/* From the least to the most critical: cold and pale to warm and strong, on each background away from it. */
static const struct colour light_ramp[3] = {{74, 155, 176}, {70, 83, 197}, {110, 14, 78}};
static const struct colour dark_ramp[3] = {{94, 124, 190}, {84, 198, 184}, {255, 211, 122}};

static int channel(double from, double to, double part) {
    return (int)lround(from + (to - from) * part);
}

static void ramp_colour(struct markup *out, const struct colour ramp[3], double part) {
    int half = part > 0.5;
    double within = 2 * part - half;
    const struct colour *from = &ramp[half], *to = &ramp[half + 1];
    markup_format(out, "#%02x%02x%02x", channel(from->red, to->red, within),
                  channel(from->green, to->green, within), channel(from->blue, to->blue, within));
}

static void ramp_rules(struct markup *out, const struct colour ramp[3], uint32_t level_count) {
    for (uint32_t level = 0; level < level_count; level++) {
        markup_format(out, ".level-%" PRIu32 "{stroke:", level);
        ramp_colour(out, ramp, level_count > 1 ? (double)level / (double)(level_count - 1) : 0);
        markup_raw(out, "}");
    }
}

void report_level_colours(struct markup *out, uint32_t level_count) {
    ramp_rules(out, light_ramp, level_count);
    markup_raw(out, "\n@media (prefers-color-scheme:dark){");
    ramp_rules(out, dark_ramp, level_count);
    markup_raw(out, "}\n");
}

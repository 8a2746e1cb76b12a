#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# Goal: the report looks right on a phone (390x844) and on a wide screen (1440x900), light and dark.
# Method: sample runs made by the unit test of the report are loaded in headless Chromium inside a frame of that width;
# a probe in the outer page measures the loaded document and writes what it finds into its own title. Nothing is fetched
# from a network. Skipped, with the reason, where there is no Chromium.

setup_file() {
  browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
  export browser
  export TIERBED_SAMPLE_DIR="$BATS_FILE_TMPDIR/samples"
  mkdir -p "$TIERBED_SAMPLE_DIR"
  program="${TIERBED_BIN:-$BATS_TEST_DIRNAME/../../build/bin}/../tests/record/test_report"
  "$program" > "$BATS_FILE_TMPDIR/samples.log" 2>&1
}

setup() {
  [ -n "$browser" ] || skip "no Chromium here: install chromium to test the report in a browser"
}

# in_browser PAGE ARGUMENTS...: Chromium without network habits and with a profile of its own.
in_browser() {
  local profile page=$1
  shift
  profile=$(mktemp -d "$BATS_TEST_TMPDIR/profile.XXXXXX")
  timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars \
    --allow-file-access-from-files --user-data-dir="$profile" "$@" "file://$page" 2> "$BATS_TEST_TMPDIR/browser.log"
}

# measure RUN WIDTH HEIGHT: prints one line of JSON about the report of this sample run.
measure() {
  cat > "$BATS_TEST_TMPDIR/probe.html" <<HTML
<!DOCTYPE html><title>not measured</title>
<iframe src="$TIERBED_SAMPLE_DIR/$1/report.html" style="width:$2px;height:$3px;border:0"></iframe>
<script>
onload = () => {
  const page = document.querySelector("iframe").contentDocument, root = page.documentElement;
  const shown = element => element.getClientRects().length > 0;
  const charts = [...page.querySelectorAll("svg[role=img]")].filter(shown);
  const inside = [...page.querySelectorAll("h1,h2,.card,.panel,svg,.legend li,pre,p")].filter(shown)
    .filter(element => !element.closest(".scroll"));
  const out = inside.filter(element => element.getBoundingClientRect().right > root.clientWidth + 0.5);
  let overlaps = 0, leaving = 0, smallest = 1000;
  for (const chart of charts) {
    const frame = chart.getBoundingClientRect();
    const boxes = [...chart.querySelectorAll("text")].map(text => [text, text.getBoundingClientRect()]);
    for (const [text, box] of boxes) {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1) leaving++;
      smallest = Math.min(smallest, parseFloat(getComputedStyle(text).fontSize) * frame.width / chart.viewBox.baseVal.width);
    }
    boxes.forEach(([, a], i) => boxes.slice(i + 1).forEach(([, b]) => {
      if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3) overlaps++;
    }));
  }
  document.title = JSON.stringify({width: root.clientWidth, scroll: root.scrollWidth, charts: charts.length,
    out: out.length, overlaps, leaving, smallest_px: Math.round(smallest * 10) / 10,
    titles: charts.filter(chart => chart.querySelector("title").textContent.length > 3).length});
};
</script>
HTML
  in_browser "$BATS_TEST_TMPDIR/probe.html" --window-size=1600,1200 --virtual-time-budget=10000 --dump-dom |
    sed -n 's|.*<title>\({.*}\)</title>.*|\1|p' | head -n 1
}

# check RUN WIDTH HEIGHT [CURVES]: nothing leaves the page, no labels overlap, and every label is large enough to read;
# besides the six charts of any run there are as many as it has curves.
check() {
  local found charts=$((6 + ${4:-0}))
  found=$(measure "$@")
  echo "$1 at $2 px: ${found:-nothing measured}"
  jq --exit-status --argjson width "$2" --argjson charts "$charts" '.width == $width and .scroll <= .width and
    .charts == $charts and .titles == $charts and .out == 0 and .overlaps == 0 and .leaving == 0 and
    .smallest_px >= 10' <<< "$found"
}

@test "the sample runs and their reports were made" {
  cat "$BATS_FILE_TMPDIR/samples.log"
  for run in small long single learning direct; do
    [ -s "$TIERBED_SAMPLE_DIR/$run/report.html" ]
  done
}

@test "on a phone nothing overflows, overlaps or shrinks beyond reading" {
  for run in small long single; do
    check "$run" 390 844
  done
}

@test "curves and runs without gateways look right on a phone, a tablet and a wide screen" {
  for size in "390 844" "820 1180" "1440 900"; do
    check learning ${size% *} ${size#* } 8
    check direct ${size% *} ${size#* }
  done
}

@test "on a narrow phone of 320 px nothing overflows" {
  found=$(measure small 320 640)
  echo "$found"
  jq --exit-status '.width == 320 and .scroll <= .width and .out == 0 and .overlaps == 0' <<< "$found"
}

@test "on a tablet nothing overflows, overlaps or shrinks beyond reading" {
  check small 820 1180
}

@test "on a wide screen nothing overflows, overlaps or shrinks beyond reading" {
  for run in small long single; do
    check "$run" 1440 900
  done
}

@test "a phone and a wide screen are painted, light and dark" {
  for size in 390,844 1440,900; do
    in_browser "$TIERBED_SAMPLE_DIR/small/report.html" --window-size="$size" --screenshot="$BATS_TEST_TMPDIR/light.png"
    in_browser "$TIERBED_SAMPLE_DIR/small/report.html" --window-size="$size" --screenshot="$BATS_TEST_TMPDIR/dark.png" \
      --blink-settings=preferredColorScheme=0
    file "$BATS_TEST_TMPDIR/light.png" | grep -F "PNG image data, ${size/,/ x }"
    ! cmp -s "$BATS_TEST_TMPDIR/light.png" "$BATS_TEST_TMPDIR/dark.png"
    [ "$(stat -c %s "$BATS_TEST_TMPDIR/light.png")" -gt 15000 ] # a blank page packs into far less
  done
}

/** Indicators, points of the chart, rows of the watch-list, tiles of the pipeline. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BarSeries } from "../../../../connectors/delivery/page/js/model/bars.js";
import { deliveryTiles, jobTiles, Trend } from "../../../../connectors/delivery/page/js/model/figures.js";
import {
  chosen,
  decimalsOfValues,
  explainNull,
  linesOf,
  paneOf,
  placesOf,
  valueOf,
} from "../../../../connectors/delivery/page/js/model/indicators.js";
import { decimalsForSize } from "../../../../connectors/delivery/page/js/model/numbers.js";
import { candleOf, pointOf, volumeOf } from "../../../../connectors/delivery/page/js/model/points.js";
import { polyline, restText, rowsInSight, sparkline, WatchRow } from "../../../../connectors/delivery/page/js/model/watch_rows.js";

const RSI = { label: "RSI", spec: "rsi(14)", outputs: [], pane: "own", levels: [30, 70], bars_needed: 15 };
const MACD = { label: "MACD", spec: "macd(12,26,9)", outputs: ["macd", "signal", "histogram"], pane: "own", levels: [0], bars_needed: 34 };
const EMA = { label: "EMA", spec: "ema(20)", outputs: [], pane: "price", levels: [], bars_needed: 20 };
const COLOURS = { "up-soft": "green", "down-soft": "red", "up-volume": "pale green", "down-volume": "pale red" };
const bar = (minute, rest = {}) => ({
  start_ms: minute * 60_000,
  status: "final",
  run: 1,
  revision: 0,
  open: 1,
  high: 3,
  low: 1,
  close: 2,
  volume: 10,
  results: { RSI: null },
  ...rest,
});

function seriesOf(bars) {
  const series = new BarSeries("A", "1min");
  series.replace(bars);
  return series;
}

test("a value that is not there yet is explained by the bars still needed", () => {
  const series = seriesOf([...Array(6).keys()].map((minute) => bar(minute)));
  assert.equal(explainNull(RSI, series, 5), "RSI needs 9 more bars");
  assert.equal(explainNull(RSI, series, 0), "RSI needs 14 more bars");
  const almost = seriesOf([...Array(14).keys()].map((minute) => bar(minute)));
  assert.equal(explainNull(RSI, almost, 13), "RSI needs 1 more bar");
});

test("bars without prices do not count, nor those before an indicator was added", () => {
  const gap = seriesOf([...Array(6).keys()].map((minute) => bar(minute, minute === 2 ? { close: null } : {})));
  assert.equal(explainNull(RSI, gap, 5), "RSI needs 10 more bars");
  assert.equal(explainNull(RSI, gap, 2), "RSI: this bar has no prices");
  const added = seriesOf([...Array(6).keys()].map((minute) => bar(minute, { since: { RSI: 4 * 60_000 } })));
  assert.equal(explainNull(RSI, added, 5), "RSI needs 13 more bars");
});

test("a value needs no explanation, a missing one among enough bars has another", () => {
  const ready = seriesOf([bar(0, { results: { RSI: 0 } })]);
  assert.equal(explainNull(RSI, ready, 0), null);
  const enough = seriesOf([...Array(20).keys()].map((minute) => bar(minute)));
  assert.match(explainNull(RSI, enough, 19), /no value here/);
  assert.match(explainNull(EMA, enough, 19), /not computed/);
});

test("lines, panes and values follow the catalogue", () => {
  assert.deepEqual(
    linesOf(MACD).map(({ name, style }) => [name, style]),
    [
      ["MACD.macd", "line"],
      ["MACD.signal", "line"],
      ["MACD.histogram", "histogram"],
    ],
  );
  assert.deepEqual(
    [...placesOf([EMA, RSI, MACD])],
    [
      ["EMA", 0],
      ["RSI", 0],
      ["MACD", 1],
    ],
  );
  assert.deepEqual(
    [...paneOf([EMA, RSI, MACD])],
    [
      ["EMA", 0],
      ["RSI", 1],
      ["MACD", 2],
    ],
  );
  assert.deepEqual(
    chosen([EMA, RSI, MACD], ["MACD", "EMA", "Nobody"]).map(({ label }) => label),
    ["EMA", "MACD"],
  );
  const valued = bar(0, { results: { RSI: 0, MACD: { macd: 1, signal: 2, histogram: -1 } } });
  assert.deepEqual([valueOf(valued, "RSI", null), valueOf(valued, "MACD", "signal"), valueOf(valued, "EMA", null)], [0, 2, null]);
});

test("points for the chart: gaps where there are no prices or values, colours by direction and sign", () => {
  assert.deepEqual(candleOf(bar(1, { close: null }), COLOURS), { time: 60 });
  assert.deepEqual(candleOf(bar(1), COLOURS), { time: 60, open: 1, high: 3, low: 1, close: 2 });
  assert.equal(candleOf(bar(1, { status: "forming", close: 0.5 }), COLOURS).color, "red");
  assert.equal(volumeOf(bar(1, { close: 0.5 }), COLOURS).color, "pale red");
  const [line, , columns] = linesOf(MACD);
  const valued = bar(1, { results: { MACD: { macd: 1, signal: 2, histogram: -1 } } });
  assert.deepEqual(pointOf(valued, "MACD", line, COLOURS), { time: 60, value: 1 });
  assert.deepEqual(pointOf(valued, "MACD", columns, COLOURS), { time: 60, value: -1, color: "red" });
  assert.deepEqual(pointOf(bar(1), "MACD", columns, COLOURS), { time: 60 });
});

test("a row of the watch-list moves with the newest record only", () => {
  const row = new WatchRow("A", 2, 900_000);
  assert.equal(row.take(bar(5, { close: 4 })), true);
  assert.equal(row.take(bar(4, { close: 9 })), false);
  assert.equal(row.take(bar(5, { close: 4, revision: 1 })), false);
  assert.equal(row.take(bar(6, { status: "forming", as_of_ms: 1, close: 4.125 })), true);
  assert.deepEqual([row.price, row.decimals, row.change], [4.125, 3, null]);
});

test("its line is made of history and goes on with what comes live", () => {
  const row = new WatchRow("A", 2, 900_000);
  row.take(bar(31, { close: 7 }));
  row.fill([bar(0, { close: 1 }), bar(15, { close: 2 }), bar(30, { close: 3 })]);
  const closes = () => row.points.map(({ close }) => close);
  assert.deepEqual(closes(), [1, 2, 3]);
  row.take(bar(32, { close: 8 }));
  row.take(bar(46, { close: 9 }));
  assert.deepEqual(closes(), [1, 2, 8, 9]);
});

test("its change is counted from where the line begins, a day ago at most", () => {
  const row = new WatchRow("A", 2, 900_000);
  row.fill([bar(0, { close: 1 }), bar(15, { close: 4 })]);
  row.take(bar(30, { close: 5 }));
  assert.equal(row.change.percent, 400);
  row.take(bar(15 + 24 * 60, { close: 6 }));
  assert.deepEqual([row.points[0].close, row.change.percent], [4, 50]);
});

test("only rows in sight are made", () => {
  assert.deepEqual(rowsInSight(0, 480, 48, 200), [0, 14]);
  assert.deepEqual(rowsInSight(4800, 480, 48, 200), [96, 114]);
  assert.deepEqual(rowsInSight(9500, 480, 48, 200), [193, 200]);
  assert.deepEqual(rowsInSight(0, 480, 48, 3), [0, 3]);
});

test("a trend fills its box from zero on, nothing but zeros run through the middle", () => {
  assert.equal(polyline([0, 4, 2], 10, 12, 1), "0.0,11.0 5.0,1.0 10.0,6.0");
  assert.equal(polyline([2, 2], 10, 12), "0.0,1.0 10.0,1.0");
  assert.equal(polyline([0, 0], 10, 12), "0.0,6.0 10.0,6.0");
});

test("a young symbol has a short line on the right, one of a single price none", () => {
  const points = [
    { start_ms: 80, close: 1 },
    { start_ms: 100, close: 2 },
  ];
  assert.equal(sparkline(points, 100, 40, 10, 12, 1), "5.0,11.0 10.0,1.0");
  assert.equal(sparkline(points, 100, 200, 10, 12, 1), "0.0,11.0 10.0,1.0");
  assert.equal(sparkline(points, 130, 40, 10, 12, 1), "");
  assert.equal(sparkline([], 100, 40, 10, 12), "");
});

test("values of a pane are written with as many decimals as the largest of them asks for", () => {
  const macd = (value) => bar(0, { results: { MACD: { macd: value, signal: null, histogram: -2 * value } } });
  assert.equal(decimalsOfValues(MACD, [macd(0.0512345), macd(0.01)]), 4);
  assert.equal(decimalsOfValues(MACD, [macd(5), macd(70)]), 0);
  assert.deepEqual([55, 0.1, 4.2, 1200, 0, 2e-8].map(decimalsForSize), [2, 4, 3, 2, 2, 11]);
});

test("tiles say the figures of delivery and job, and what is wrong in their tone", () => {
  const status = {
    results_per_s: 12.34,
    live_per_s: 800,
    lag_ms: 7_000,
    newest_end_ms: 1_000,
    now_ms: 6_000,
    kafka: "unreachable",
    trouble: "no broker",
    caught_up: false,
    behind_records: 1_200,
    connections: 2,
    symbols: 200,
    bars: 5,
  };
  const tiles = Object.fromEntries(deliveryTiles(status).map((tile) => [tile.key, tile]));
  assert.deepEqual(
    [tiles.results_per_s.value, tiles.lag_ms.value, tiles.lag_ms.tone, tiles.kafka.tone, tiles.caught_up.note],
    ["12", "7.0 s", "warn", "bad", "1,200 records behind"],
  );
  assert.equal(tiles.newest_end_ms.value, "5 s ago");
  const behind = deliveryTiles({ ...status, caught_up: true, behind_records: 449_000 }).find((tile) => tile.key === "caught_up");
  assert.deepEqual([behind.value, behind.tone], ["behind", "warn"]);
  const [full] = deliveryTiles({ ...status, kafka: "ok", trouble: "store_failed" }).filter((tile) => tile.key === "kafka");
  assert.deepEqual([full.value, full.note, full.tone], ["reachable", "store failed", "bad"]);
  const job = {
    state: "RUNNING",
    uptime_ms: 61_000,
    restarts: 1,
    checkpoints: { completed: 60, failed: 0, last_ms: 5_000, last_size: 2048, last_duration_ms: 40 },
    watermark_lag_ms: null,
    pending_records: 0,
    ticks_per_s: 200,
  };
  const figures = Object.fromEntries(jobTiles(job, 6_000).map((tile) => [tile.key, tile]));
  assert.deepEqual(
    [figures.job_state.value, figures.job_state.note, figures.checkpoint_age.note, figures.watermark_lag_ms.value],
    ["running", "restarted once", "2.0 KiB, took 40 ms", "–"],
  );
  assert.deepEqual(jobTiles(null, 0), []);
});

test("checkpoints that failed are a warning while none has succeeded lately, and no longer", () => {
  const job = { state: "RUNNING", restarts: 0, uptime_ms: 6_000, parallelism: 1 };
  const tone = (failed, last_ms, now_ms) => {
    const tiles = jobTiles({ ...job, checkpoints: { completed: 1, failed, last_ms } }, now_ms);
    return tiles.find(({ key }) => key === "checkpoints").tone;
  };
  assert.deepEqual([tone(4, 5_000, 6_000), tone(0, null, 6_000), tone(0, 5_000, 500_000)], [null, null, null]);
  assert.deepEqual([tone(4, null, 6_000), tone(1, 5_000, 500_000)], ["warn", "warn"]);
});

test("a trend keeps the newest values and passes over missing ones", () => {
  const trend = new Trend(2);
  [1, null, 2, 3].forEach((value) => trend.take(value));
  assert.deepEqual(trend.values, [2, 3]);
});

test("a watch-list that holds not every symbol says so, and how to get at the others", () => {
  assert.equal(restText(20, 20), "");
  assert.match(restText(1_000, 5_000), /^The first 1,000 of 5,000 symbols\./);
  assert.match(restText(1_000, 5_000), /search/);
});

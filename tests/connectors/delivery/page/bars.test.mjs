/** Which record of a bar is its newest, and what becomes of records that come in any order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BarSeries, Change, countMarks, decimalsOfBars, isNewer } from "../../../../connectors/delivery/page/js/model/bars.js";

const bar = (start_ms, rest = {}) => ({ start_ms, status: "final", run: 1, revision: 0, open: 1, high: 2, low: 1, close: 2, ...rest });
const forming = (start_ms, as_of_ms, rest = {}) => bar(start_ms, { status: "forming", as_of_ms, ...rest });

test("a forming record never takes the place of a final one, not even of an older run", () => {
  assert.equal(isNewer(forming(0, 99, { run: 7 }), bar(0)), false);
  assert.equal(isNewer(bar(0), forming(0, 99, { run: 7 })), true);
});

test("among finals the higher run wins over the higher revision, and an equal one that comes later stays", () => {
  assert.equal(isNewer(bar(0, { run: 2, revision: 0 }), bar(0, { run: 1, revision: 9 })), true);
  assert.equal(isNewer(bar(0, { revision: 1 }), bar(0, { revision: 2 })), false);
  assert.equal(isNewer(bar(0, { revision: 2 }), bar(0, { revision: 2 })), true);
});

test("a forming record with an older clock of the same run is dropped", () => {
  assert.equal(isNewer(forming(0, 10), forming(0, 11)), false);
  assert.equal(isNewer(forming(0, 11), forming(0, 11)), true);
  assert.equal(isNewer(forming(0, 1, { run: 2 }), forming(0, 11)), true);
});

test("a series says what became of each record", () => {
  const series = new BarSeries("A", "1min");
  series.replace([bar(60), bar(0), bar(120)]);
  assert.deepEqual(
    series.bars.map(({ start_ms }) => start_ms),
    [0, 60, 120],
  );
  assert.deepEqual(series.take(forming(180, 1)), { kind: Change.APPENDED, index: 3, repainted: false });
  assert.deepEqual(series.take(forming(180, 2, { close: 3 })), { kind: Change.CHANGED, index: 3, repainted: false });
  assert.deepEqual(series.take(bar(180)), { kind: Change.CHANGED, index: 3, repainted: false });
  assert.equal(series.take(forming(180, 3)).kind, Change.IGNORED);
  assert.deepEqual(series.take(bar(60, { status: "revised", revision: 1, close: 5 })), { kind: Change.CHANGED, index: 1, repainted: true });
  assert.equal(series.at(1).close, 5);
});

test("a bar that late ticks made where none was is put in its place; a forming one there is dropped", () => {
  const series = new BarSeries("A", "1min");
  series.replace([bar(0), bar(120)]);
  assert.equal(series.take(forming(60, 1)).kind, Change.IGNORED);
  assert.deepEqual(series.take(bar(60)), { kind: Change.INSERTED, index: 1, repainted: false });
  assert.deepEqual(
    series.bars.map(({ start_ms }) => start_ms),
    [0, 60, 120],
  );
});

test("history goes before what is held and never replaces a newer record", () => {
  const series = new BarSeries("A", "1min");
  series.replace([bar(120, { revision: 3, close: 9 }), bar(180)]);
  assert.equal(series.takeOlder([bar(120, { revision: 2 }), bar(60), bar(0)]), 2);
  assert.deepEqual(
    series.bars.map(({ start_ms, close }) => [start_ms, close]),
    [
      [0, 2],
      [60, 2],
      [120, 9],
      [180, 2],
    ],
  );
});

test("marks are counted, decimals are those of the newest prices", () => {
  const bars = [
    bar(0, { complete: false, close: 1.1234 }),
    bar(60, { complete: true, revision: 2 }),
    bar(120, { complete: true, close: 1.25 }),
  ];
  assert.deepEqual(countMarks(bars), { revised: 1, incomplete: 1 });
  assert.deepEqual([decimalsOfBars(bars), decimalsOfBars(bars, 2)], [4, 2]);
});

test("whatever the order records come in, the newest of each bar remains", () => {
  const records = [0, 60, 120].flatMap((start) => [
    bar(start),
    bar(start, { revision: 1, close: 3 }),
    bar(start, { run: 2, close: 4 }),
    forming(start, 5),
  ]);
  for (let turn = 0; turn < 200; turn += 1) {
    const series = new BarSeries("A", "1min");
    for (const record of shuffled(records, turn)) series.take(record);
    for (const held of series.bars) assert.equal(held.close, 4);
  }
});

function shuffled(list, seed) {
  let state = seed + 1;
  const next = () => (state = (state * 48271) % 2147483647) / 2147483647;
  return list
    .map((item) => [next(), item])
    .sort(([one], [other]) => one - other)
    .map(([, item]) => item);
}

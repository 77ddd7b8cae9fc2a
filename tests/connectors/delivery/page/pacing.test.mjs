/** Calls that wait: of one kind there is one at most, and a row of wishes is granted at its begin and its end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Later, Settled } from "../../../../connectors/delivery/page/js/pacing.js";

const QUIET_MS = 250;

/** When `act` was called, in ms after the begin; `pass(ms)` lets time pass. */
function begin(t) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const done = [];
  let now = 0;
  const pass = (ms) => {
    for (const end = now + ms; now < end;) {
      now += 1;
      t.mock.timers.tick(1);
    }
  };
  return { done, pass, act: () => done.push(now) };
}

test("a call that waits gives way to the next one", (t) => {
  const { done, pass, act } = begin(t);
  const later = new Later();
  for (let times = 0; times < 20; times += 1) later.in(3_000, act);
  pass(60_000);
  assert.deepEqual(done, [3_000]);
});

test("a call that waits can be called off, and asked for again", (t) => {
  const { done, pass, act } = begin(t);
  const later = new Later();
  later.in(10, act);
  later.forget();
  pass(100);
  assert.deepEqual(done, []);
  later.in(10, act);
  pass(100);
  assert.deepEqual(done, [110]);
});

test("a single wish is granted at once, and once", (t) => {
  const { done, pass, act } = begin(t);
  new Settled(act, QUIET_MS).wish();
  pass(10_000);
  assert.deepEqual(done, [0]);
});

test("of a key held down the first stroke counts at once, and the last when it is let go", (t) => {
  const { done, pass, act } = begin(t);
  const settled = new Settled(act, QUIET_MS);
  for (let stroke = 0; stroke < 60; stroke += 1) {
    settled.wish();
    pass(30);
  }
  assert.deepEqual(done, [0]);
  pass(10_000);
  assert.deepEqual(done, [0, 59 * 30 + QUIET_MS]);
});

test("however wishes come, two are never granted within the quiet time", (t) => {
  const { done, pass, act } = begin(t);
  const settled = new Settled(act, QUIET_MS);
  for (const pause of [0, 10, 240, 1, 249, 250, 251, 0, 400, 20, 251]) {
    pass(pause);
    settled.wish();
  }
  pass(1_000);
  const pauses = done.slice(1).map((moment, place) => moment - done[place]);
  assert.ok(done.length > 3);
  assert.ok(
    pauses.every((pause) => pause >= QUIET_MS),
    String(done),
  );
});

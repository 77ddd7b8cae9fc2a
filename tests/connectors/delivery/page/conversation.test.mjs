/** The page's side of the WebSocket: snapshots and updates joined, numbers followed, cuts survived. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation } from "../../../../connectors/delivery/page/js/model/conversation.js";
import { planChannels, wantsOf } from "../../../../connectors/delivery/page/js/model/wants.js";

const CHART = { symbol: "A", timeFrame: "5min", indicators: ["RSI"], snapshot: 300, nonce: 0 };
const WATCH = { symbols: ["A", "B"], timeFrame: "1min" };
const welcome = (conn) => ({ T: "welcome", v: 1, conn, heartbeat_ms: 1000, limits: {} });
const bar = (msg_seq, close, stock_id = "A", time_frame = "5min") => ({
  T: "bar",
  msg_seq,
  stock_id,
  time_frame,
  start_ms: 0,
  status: "final",
  close,
});
const snapshot = (msg_seq, bars, done = true) => ({
  T: "snapshot",
  msg_seq,
  channel: "bars",
  stock_id: "A",
  time_frame: "5min",
  bars,
  done,
});

/** A conversation, and `hear(...messages)` that gives the texts to send as objects and the events. */
function begin(wants = wantsOf(CHART, null)) {
  const conversation = new Conversation();
  conversation.want(wants);
  const hear = (...messages) => {
    const { send, events } = conversation.receive(JSON.stringify(messages));
    return { send: send.map((text) => JSON.parse(text)), events };
  };
  return { conversation, hear };
}

test("after the welcome everything wanted is subscribed, the chart with its snapshot", () => {
  const { hear } = begin(wantsOf(CHART, WATCH));
  const { send, events } = hear(welcome("d1-1"));
  assert.deepEqual(
    send.map(({ op }) => op),
    ["subscribe"],
  );
  const [watch, chart] = send[0].channels;
  assert.deepEqual([watch.symbols, watch.mode, watch.indicators], [["A", "B"], "latest", []]);
  assert.deepEqual(
    [chart.symbols, chart.time_frames, chart.mode, chart.snapshot, chart.indicators],
    [["A"], ["5min"], "live", 300, ["RSI"]],
  );
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["welcome", "opened"],
  );
});

test("a snapshot in pieces is one event once it is done, and bars follow it", () => {
  const { hear } = begin();
  hear(welcome("d1-1"), { T: "ack", id: 1, subscribed: [], rejected: [] });
  assert.deepEqual(hear(snapshot(1, [{ start_ms: 0 }], false)).events, []);
  const { events } = hear(snapshot(2, [{ start_ms: 1 }]), bar(3, 7));
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["snapshot", "bar"],
  );
  assert.equal(events[0].bars.length, 2);
  assert.equal(events[1].early, false);
});

test("a bar that overtakes the snapshot of its series is marked as early", () => {
  const { hear } = begin();
  hear(welcome("d1-1"));
  assert.equal(hear(bar(1, 7)).events[0].early, true);
});

test("a missing number ends the conversation, and the next one begins anew without resume", () => {
  const { conversation, hear } = begin();
  hear(welcome("d1-1"), snapshot(1, []));
  const { events } = hear(bar(3, 7), bar(4, 8));
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["gap"],
  );
  conversation.cut();
  const { send, events: later } = hear(welcome("d1-2"));
  assert.deepEqual(
    send.map(({ op }) => op),
    ["subscribe"],
  );
  assert.equal(later.at(-1).kind, "renewed");
});

test("a heartbeat with another number than the last one is a gap too", () => {
  const { hear } = begin();
  hear(welcome("d1-1"), snapshot(1, []));
  assert.equal(hear({ T: "hb", msg_seq: 1, now_ms: 5, newest_end_ms: 3, lag_ms: 2 }).events[0].kind, "beat");
  assert.equal(hear({ T: "hb", msg_seq: 2, now_ms: 5, newest_end_ms: 3, lag_ms: 2 }).events[0].kind, "gap");
});

test("after a cut it resumes by the first connection's name and the last number, and goes on counting", () => {
  const { conversation, hear } = begin();
  hear(welcome("d1-1"), { T: "ack", id: 1 }, snapshot(1, []), bar(2, 7));
  conversation.cut();
  const { send } = hear(welcome("d1-2"));
  assert.deepEqual(send, [{ op: "resume", id: send[0].id, conn: "d1-1", msg_seq: 2 }]);
  const { send: more, events } = hear({ T: "ack", id: send[0].id }, bar(3, 8));
  assert.deepEqual(more, []);
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["resumed", "bar"],
  );
  conversation.cut();
  const again = hear(welcome("d1-3")).send[0];
  assert.deepEqual([again.conn, again.msg_seq], ["d1-1", 3]);
});

test("a refused resume subscribes everything anew, with numbers from 1", () => {
  const { conversation, hear } = begin();
  hear(welcome("d1-1"), { T: "ack", id: 1 }, snapshot(1, []), bar(2, 7));
  conversation.cut();
  const { send } = hear(welcome("d1-2"));
  const { send: anew, events } = hear({ T: "error", id: send[0].id, status: 410, code: "resume_refused", detail: "" });
  assert.deepEqual(
    anew.map(({ op }) => op),
    ["subscribe"],
  );
  assert.equal(events[0].kind, "renewed");
  assert.equal(hear(snapshot(1, [{ start_ms: 0 }])).events[0].kind, "snapshot");
});

test("what was asked for and not answered before a cut is asked for again after the resume", () => {
  const { conversation, hear } = begin(wantsOf(null, WATCH));
  hear(
    welcome("d1-1"),
    { T: "ack", id: 1 },
    { ...snapshot(1, []), stock_id: "A", time_frame: "1min" },
    { ...snapshot(2, []), stock_id: "B", time_frame: "1min" },
  );
  const asked = conversation.want(wantsOf(CHART, WATCH)).send.map((text) => JSON.parse(text));
  assert.equal(asked.length, 1);
  conversation.cut();
  const resume = hear(welcome("d1-2")).send[0];
  const { send } = hear({ T: "ack", id: resume.id });
  assert.deepEqual(
    send.map(({ op, channels }) => [op, channels[0].symbols]),
    [["subscribe", ["A"]]],
  );
});

test("only what changed is subscribed or unsubscribed", () => {
  const { conversation, hear } = begin(wantsOf(CHART, WATCH));
  hear(welcome("d1-1"));
  const next = wantsOf({ ...CHART, symbol: "C" }, { ...WATCH, symbols: ["B"] });
  const sent = conversation.want(next).send.map((text) => JSON.parse(text));
  assert.deepEqual(
    sent.map(({ op }) => op),
    ["unsubscribe", "subscribe"],
  );
  assert.deepEqual(
    sent[0].channels.map(({ symbols, time_frames }) => [symbols, time_frames]),
    [
      [["A"], ["1min"]],
      [["A"], ["5min"]],
    ],
  );
  assert.deepEqual(
    sent[1].channels.map(({ symbols }) => symbols),
    [["C"]],
  );
  assert.deepEqual(conversation.want(next).send, []);
});

test("bars that have come since are no reason to ask for a series anew, other indicators are", () => {
  const { conversation, hear } = begin();
  hear(welcome("d1-1"), { T: "ack", id: 1 }, snapshot(1, []));
  assert.deepEqual(conversation.want(wantsOf({ ...CHART, snapshot: 301 }, null)).send, []);
  const [text] = conversation.want(wantsOf({ ...CHART, snapshot: 302, indicators: [] }, null)).send;
  assert.equal(JSON.parse(text).channels[0].snapshot, 302);
});

test("a series that was left and opened again is asked for again, its nonce says so", () => {
  const { conversation, hear } = begin();
  hear(welcome("d1-1"), { T: "ack", id: 1 }, snapshot(1, []));
  assert.equal(conversation.want(wantsOf({ ...CHART, nonce: 1 }, null)).send.length, 1);
});

test("where chart and watch-list want the same series, the chart's wish counts, and the watch-list's again when it leaves", () => {
  const same = wantsOf({ ...CHART, timeFrame: "1min" }, WATCH);
  assert.deepEqual(
    [...same.values()].map(({ symbol, mode }) => [symbol, mode]),
    [
      ["A", "live"],
      ["B", "latest"],
    ],
  );
  const { subscribe, unsubscribe } = planChannels(same, wantsOf(CHART, WATCH));
  assert.deepEqual(unsubscribe, []);
  assert.deepEqual(
    subscribe.map(({ symbols, mode }) => [symbols, mode]),
    [
      [["A"], "latest"],
      [["A"], "live"],
    ],
  );
});

test("refused symbols, states, farewells and missing keys are told", () => {
  const { hear } = begin();
  hear(welcome("d1-1"));
  const { events } = hear(
    { T: "ack", id: 1, subscribed: [], rejected: [{ stock_id: "A", code: "symbol_limit", status: 405 }] },
    { T: "status", state: "degraded", reason: "kafka_unreachable" },
    { T: "bye", code: "shutdown", retry_ms: 800 },
    { T: "error", status: 401, code: "not_authenticated", id: null, detail: "" },
  );
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["refused", "status", "bye", "unauthorized"],
  );
  assert.equal(events[2].retryMs, 800);
});

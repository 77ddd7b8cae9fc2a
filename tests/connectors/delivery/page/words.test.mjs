/** Addresses, numbers, times, waits, and what is remembered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { waitMs } from "../../../../connectors/delivery/page/js/model/backoff.js";
import { badgeFigure, badgeWord, failureTexts, noticeText } from "../../../../connectors/delivery/page/js/model/connection.js";
import { formatLink, parseLink } from "../../../../connectors/delivery/page/js/model/deep_link.js";
import { completed, FRESH, readLayout, writeLayout } from "../../../../connectors/delivery/page/js/model/layout.js";
import {
  bytes,
  changeOf,
  coarse,
  compact,
  decimalsOf,
  duration,
  fixed,
  percent,
  reading,
  signed,
} from "../../../../connectors/delivery/page/js/model/numbers.js";
import { Progress } from "../../../../connectors/delivery/page/js/model/progress.js";
import { isZone, ZoneClock, zoneOfBars } from "../../../../connectors/delivery/page/js/model/times.js";

test("an address names symbol, time frame and indicators", () => {
  assert.deepEqual(parseLink("#AAPL/5min?i=RSI,MACD"), { tab: "chart", symbol: "AAPL", timeFrame: "5min", indicators: ["RSI", "MACD"] });
  assert.deepEqual(parseLink("#AAPL"), { tab: "chart", symbol: "AAPL", timeFrame: null, indicators: null });
  assert.equal(parseLink("#pipeline").tab, "pipeline");
  assert.deepEqual(parseLink("#"), { tab: "chart", symbol: null, timeFrame: null, indicators: null });
  assert.deepEqual(parseLink("#AAPL/1min?i=").indicators, []);
});

test("an address that cannot be meant names nothing", () => {
  assert.equal(parseLink("#<script>/1min").symbol, null);
  assert.equal(parseLink("#%E0%A4%A/1min").symbol, null);
  assert.deepEqual(parseLink("#A/1min?i=RSI,<b>").indicators, ["RSI"]);
});

test("a symbol keeps its slashes, and what follows the last one is a time frame only if there is such a one", () => {
  const frames = ["1min", "5min"];
  assert.deepEqual([parseLink("#EUR/USD/5min", frames).symbol, parseLink("#EUR/USD/5min", frames).timeFrame], ["EUR/USD", "5min"]);
  assert.deepEqual([parseLink("#EUR/USD", frames).symbol, parseLink("#EUR/USD", frames).timeFrame], ["EUR/USD", null]);
});

test("every symbol comes back from its address", () => {
  for (const symbol of ["AAPL", "BRK.B", "EUR/USD", "^GSPC", "ES=F", "A+B-C_1:x"]) {
    const shown = { symbol, timeFrame: "15min", indicators: ["RSI", "My.Own-1"] };
    const { symbol: found, timeFrame, indicators } = parseLink(formatLink(shown), ["15min"]);
    assert.deepEqual({ symbol: found, timeFrame, indicators }, shown);
  }
});

test("decimals are those the prices need", () => {
  assert.equal(decimalsOf([184.05, 184.1, 184]), 2);
  assert.equal(decimalsOf([5]), 0);
  assert.equal(decimalsOf([null, 1.23456789012]), 8);
  assert.equal(decimalsOf([1e-7]), 7);
  assert.equal(decimalsOf([]), 0);
});

test("numbers read as people write them", () => {
  assert.equal(fixed(1234.5, 2), "1,234.50");
  assert.equal(fixed(null, 2), "–");
  assert.equal(fixed(-0.5, 1), "\u22120.5");
  assert.deepEqual([12, 98765, 1240000, -3.2e9, 123456].map(compact), ["12", "98,765", "1.24M", "\u22123.2B", "123K"]);
  assert.deepEqual(
    [55.234, 0.01234, null, 1234567].map((value) => reading(value, 3)),
    ["55.234", "0.012", "–", "1.23M"],
  );
  assert.deepEqual([signed(0.35, 2), signed(-0.35, 2), signed(0.001, 2)], ["+0.35", "\u22120.35", "0.00"]);
  assert.equal(percent(changeOf(200, 201)), "+0.50%");
  assert.equal(percent(changeOf(null, 201)), "–");
  assert.deepEqual([180, 1234, 65000, 7200000, 187200000].map(duration), ["180 ms", "1.2 s", "1 min 5 s", "2 h", "2 d 4 h"]);
  assert.deepEqual([900, 59_000, 1_109_000].map(coarse), ["900 ms", "59 s", "18 min"]);
  assert.deepEqual([512, 35021].map(bytes), ["512 B", "34.2 KiB"]);
});

test("a zone's clock knows summer time, and half hours", () => {
  const winter = Date.UTC(2026, 0, 15, 14, 30);
  const summer = Date.UTC(2026, 6, 15, 13, 30);
  const newYork = new ZoneClock("America/New_York");
  assert.deepEqual([newYork.time(winter), newYork.time(summer)], ["09:30", "09:30"]);
  assert.equal(newYork.offsetName(winter), "UTC\u22125");
  assert.equal(new ZoneClock("Asia/Kolkata").offsetName(winter), "UTC+5:30");
  assert.equal(new ZoneClock("Asia/Tokyo").moment(Date.UTC(2026, 0, 15, 20, 0)), "Fri 16 Jan 05:00");
  const before = Date.UTC(2026, 9, 25, 0, 30); // Berlin sets its clock back at 01:00 UTC
  assert.deepEqual(
    [0, 3_600_000, 7_200_000].map((later) => new ZoneClock("Europe/Berlin").time(before + later)),
    ["02:30", "02:30", "03:30"],
  );
});

test("daily bars are days of UTC in every zone", () => {
  assert.equal(zoneOfBars("Asia/Tokyo", 86_400_000), "UTC");
  assert.equal(zoneOfBars("Asia/Tokyo", 3_600_000), "Asia/Tokyo");
  assert.deepEqual(["UTC", "local", "Europe/London", "Mars/Base", "", null].map(isZone), [true, true, true, false, false, false]);
});

test("waits double up to fifteen seconds, are spread, and heed the server", () => {
  assert.deepEqual(
    [0, 1, 2].map((attempt) => waitMs(attempt, 1)),
    [400, 800, 1600],
  );
  assert.equal(waitMs(0, 0), 200);
  assert.equal(waitMs(99, 1), 15_000);
  assert.equal(waitMs(0, 0, 800), 800);
});

test("a layout comes back as it was stored, and nothing comes in that does not fit", () => {
  const layout = { ...FRESH, symbol: "A", watch: ["A", "B"], zone: "Asia/Tokyo", log: true, theme: "dark" };
  assert.deepEqual(readLayout(writeLayout(layout)), layout);
  assert.deepEqual(readLayout(null), { ...FRESH });
  assert.deepEqual(readLayout("{broken"), { ...FRESH });
  assert.deepEqual(readLayout('{"theme":"pink","watch":[1],"log":"yes","symbol":"B"}'), { ...FRESH, symbol: "B" });
});

test("what is opened is what is wished, then what is shown, then what was left, of what is there", () => {
  const offered = { symbol: "A", timeFrames: ["1min", "5min"], indicators: ["RSI", "MACD"] };
  assert.deepEqual(completed({}, {}, FRESH, offered), { symbol: "A", timeFrame: "1min", indicators: ["RSI"] });
  const shown = { symbol: "B", timeFrame: "5min", indicators: ["MACD"] };
  assert.deepEqual(completed({ timeFrame: "2min", indicators: null }, shown, FRESH, offered), shown);
  assert.deepEqual(completed({ symbol: "C", timeFrame: "1min", indicators: [] }, shown, FRESH, offered), {
    symbol: "C",
    timeFrame: "1min",
    indicators: [],
  });
  assert.equal(completed({}, {}, FRESH, { ...offered, symbol: undefined }).symbol, null);
});

test("the badge names the state, and beside it the lag when it is live", () => {
  const badge = (state, lagMs) => [badgeWord(state, lagMs), badgeFigure(state, lagMs)];
  assert.deepEqual(badge("live", 180), ["Live", "180 ms"]);
  assert.deepEqual(badge("live", 52_000), ["Late", "52 s"]);
  assert.deepEqual(badge("live", null), ["Live", ""]);
  assert.deepEqual(badge("reconnecting", 180), ["Reconnecting…", ""]);
});

test("while a history goes by the badge says so, and how far it is from now", () => {
  const badge = (state) => [badgeWord(state, 9_000, 23 * 86_400_000), badgeFigure(state, 9_000, 23 * 86_400_000)];
  assert.deepEqual(badge("live"), ["Catching up", "23 d"]);
  assert.deepEqual(badge("reconnecting"), ["Reconnecting…", ""]);
});

test("bars that come faster than time goes by are a history's, until they have come to now", () => {
  const progress = new Progress();
  const [begin, hour] = [1_800_000_000_000, 3_600_000];
  const take = (second, behind) => progress.take({ nowMs: begin + 1_000 * second, newestEndMs: begin + 1_000 * second - behind });
  assert.equal(progress.take({ nowMs: begin, newestEndMs: null }), null);
  assert.equal(take(1, 40 * hour), null); // nobody knows yet whether it moves
  assert.equal(take(2, 30 * hour), 30 * hour);
  assert.equal(take(3, 2 * hour), 2 * hour);
  assert.equal(take(4, 60_000), null);
});

test("a market that is delayed, one that has closed and one that opens again are not behind", () => {
  const minute = 60_000;
  const begin = 30_000_000 * minute;
  for (const behindMinutes of [0, 15, 4_000]) {
    const progress = new Progress();
    for (let nowMs = begin; nowMs < begin + 5 * minute; nowMs += 1_000) {
      const newestEndMs = Math.floor(nowMs / minute - behindMinutes) * minute;
      assert.equal(progress.take({ nowMs, newestEndMs }), null);
    }
  }
  const opening = new Progress();
  assert.equal(opening.take({ nowMs: begin, newestEndMs: begin - 4_000 * minute }), null);
  assert.equal(opening.take({ nowMs: begin + 1_000, newestEndMs: begin }), null);
});

test("the word of the badge stays while only the lag changes, so that nobody is told each second", () => {
  assert.equal(new Set([0, 40, 900, 4_999].map((lagMs) => badgeWord("live", lagMs))).size, 1);
});

test("what is wrong is said in a sentence, nothing when all is well", () => {
  assert.deepEqual([noticeText("live", null), noticeText("connecting", null)], [null, null]);
  assert.match(noticeText("degraded", "kafka_unreachable"), /Kafka does not answer/);
  assert.match(noticeText("degraded", "some_new_reason"), /some_new_reason/);
  assert.deepEqual(
    [0, 503, 500].map((status) => failureTexts(status, "x")[0].split(" ").slice(3).join(" ")),
    ["does not answer", "is busy", "cannot say what there is"],
  );
});

/** What the tab Pipeline says in figures: from the answer of `/v1/status` to tiles `{key, label, value, note, tone, trend}`. */

import { bytes, coarse, compact, duration, NONE } from "./numbers.js";

const LATE_MS = 5_000;
const STUCK_MS = 60_000;
/** Records: more than a busy minute's end brings at once. */
const BEHIND = 5_000;

/** Tiles on the delivery itself. */
export function deliveryTiles(status) {
  return [
    { key: "results_per_s", label: "Results a second", value: rate(status.results_per_s), trend: status.results_per_s },
    { key: "live_per_s", label: "Forming a second", value: rate(status.live_per_s), trend: status.live_per_s },
    {
      key: "lag_ms",
      label: "Lag from the job",
      value: status.lag_ms === null ? NONE : duration(Math.max(0, status.lag_ms)),
      trend: status.lag_ms,
      note: status.lag_ms === null ? "no record just now" : "slowest of the last second",
      tone: tone(status.lag_ms, LATE_MS, STUCK_MS),
    },
    {
      key: "newest_end_ms",
      label: "Newest closed bar",
      value: status.newest_end_ms === null ? NONE : `${age(status.newest_end_ms, status.now_ms)} ago`,
    },
    {
      key: "kafka",
      label: "Kafka",
      value: status.kafka === "ok" ? "reachable" : "unreachable",
      word: true,
      note: (status.trouble ?? "").replaceAll("_", " "),
      tone: status.kafka === "ok" && !status.trouble ? null : "bad",
    },
    {
      key: "caught_up",
      label: "Results read",
      value: !status.caught_up ? "catching up" : status.behind_records > BEHIND ? "behind" : "caught up",
      word: true,
      note: status.behind_records ? `${compact(status.behind_records)} records behind` : "",
      tone: status.caught_up && !(status.behind_records > BEHIND) ? null : "warn",
    },
    { key: "connections", label: "Connections", value: compact(status.connections) },
    {
      key: "symbols",
      label: "Symbols",
      value: compact(status.symbols),
      note: status.bars === undefined ? "" : `${compact(status.bars)} bars kept`,
    },
  ];
}

/** Tiles on the job; none when there is no word of it. */
export function jobTiles(job, nowMs) {
  if (job === null || job === undefined) return [];
  const { checkpoints } = job;
  return [
    {
      key: "job_state",
      label: "State",
      value: job.state.toLowerCase(),
      word: true,
      note: restarts(job.restarts),
      tone: job.state === "RUNNING" ? null : "bad",
    },
    { key: "uptime_ms", label: "Up for", value: duration(job.uptime_ms) },
    { key: "parallelism", label: "Parallelism", value: compact(job.parallelism), note: "slots" },
    { key: "ticks_per_s", label: "Ticks a second", value: rate(job.ticks_per_s), trend: job.ticks_per_s },
    {
      key: "watermark_lag_ms",
      label: "Watermark behind",
      value: duration(job.watermark_lag_ms),
      trend: job.watermark_lag_ms,
      tone: tone(job.watermark_lag_ms, STUCK_MS, 10 * STUCK_MS),
    },
    {
      key: "pending_records",
      label: "Ticks waiting",
      value: compact(job.pending_records),
      trend: job.pending_records,
      note: "not fetched yet",
    },
    {
      key: "checkpoints",
      label: "Checkpoints",
      value: compact(checkpoints.completed),
      note: checkpoints.failed ? `${compact(checkpoints.failed)} failed` : "none failed",
      tone: checkpoints.failed && nowMs - (checkpoints.last_ms ?? -Infinity) >= STUCK_MS ? "warn" : null, // some fail before all has started
    },
    {
      key: "checkpoint_age",
      label: "Newest checkpoint",
      value: checkpoints.last_ms === null ? NONE : `${age(checkpoints.last_ms, nowMs)} ago`,
      note: checkpointNote(checkpoints),
    },
  ];
}

/** What a tile's value was, the newest last; for the line under it. */
export class Trend {
  #values = [];

  constructor(most = 90) {
    this.most = most;
  }

  get values() {
    return this.#values;
  }

  take(value) {
    if (value === null || value === undefined) return;
    this.#values.push(value);
    if (this.#values.length > this.most) this.#values.shift();
  }
}

function rate(value) {
  if (value === null || value === undefined) return NONE;
  return value < 10 ? String(Math.round(10 * value) / 10) : compact(Math.round(value));
}

function age(thenMs, nowMs) {
  const seconds = Math.max(0, Math.round((nowMs - thenMs) / 1000));
  return seconds === 0 ? "0 s" : coarse(1000 * seconds);
}

function tone(value, warn, bad) {
  if (value === null || value === undefined || value < warn) return null;
  return value < bad ? "warn" : "bad";
}

function restarts(count) {
  if (count === null || count === undefined) return "";
  return count === 0 ? "never restarted" : `restarted ${count === 1 ? "once" : `${count} times`}`;
}

function checkpointNote({ last_size: size, last_duration_ms: took }) {
  const parts = [];
  if (size !== null && size !== undefined) parts.push(bytes(size));
  if (took !== null && took !== undefined) parts.push(`took ${duration(took)}`);
  return parts.join(", ");
}

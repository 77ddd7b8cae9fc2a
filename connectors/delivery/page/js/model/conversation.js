/** One page's conversation with `/v1/ws`: messages in, events and answers out. No socket, no clock. */

import { planChannels, seriesKey } from "./wants.js";

const RESUME_REFUSED = 410;
const UNAUTHORIZED = new Set([401, 402, 404]);

/**
 * Keeps what is wanted over cuts: numbers each message, goes on by `resume` where the server still can, asks for everything anew where it
 * cannot or where a number is missing. A bar that comes while the snapshot of its series is out is `early`: the snapshot will hold it.
 *
 * Every method gives `{send, events}`: texts for the socket, and what happened (`kind` is one of snapshot, bar, beat, status, refused,
 * resumed, opened, renewed, gap, welcome, unauthorized, bye, error).
 */
export class Conversation {
  #wanted = new Map();
  /** What the server was asked for on this connection. */
  #asked = new Map();
  /** id of a subscribe -> keys whose ack is still out. */
  #unacked = new Map();
  /** Keys whose snapshot is still out -> its bars so far. */
  #snapshots = new Map();
  #nextId = 1;
  #conn = null;
  #newConn = null;
  #seq = 0;
  #resumeId = null;
  #online = false;
  #opened = false;

  /** The number of the last message in order. */
  get seq() {
    return this.#seq;
  }

  /** Want these series from now on (see wants.js). */
  want(wants) {
    this.#wanted = wants;
    return this.#online ? { send: this.#catchUp(), events: [] } : NOTHING;
  }

  /** The socket is gone: what was under way must be asked for again. */
  cut() {
    this.#online = false;
    for (const keys of this.#unacked.values()) keys.forEach((key) => this.#asked.delete(key));
    for (const key of this.#snapshots.keys()) this.#asked.delete(key);
    this.#unacked.clear();
    this.#snapshots.clear();
  }

  /** Take one text frame: an array of messages. */
  receive(text) {
    const out = { send: [], events: [] };
    for (const message of JSON.parse(text)) this.#take(message, out);
    return out;
  }

  #take(message, out) {
    if (message.T === "bar") this.#numbered(message, out, () => this.#bar(message, out));
    else if (message.T === "snapshot") this.#numbered(message, out, () => this.#snapshot(message, out));
    else if (message.T === "hb") this.#beat(message, out);
    else if (message.T === "welcome") this.#welcome(message, out);
    else if (message.T === "ack") this.#ack(message, out);
    else if (message.T === "error") this.#error(message, out);
    else if (message.T === "status") out.events.push({ kind: "status", state: message.state, reason: message.reason ?? null });
    else if (message.T === "bye") out.events.push({ kind: "bye", code: message.code, retryMs: message.retry_ms ?? 0 });
  }

  #welcome(message, out) {
    this.#newConn = message.conn;
    out.events.push({ kind: "welcome", heartbeatMs: message.heartbeat_ms, limits: message.limits ?? {} });
    if (this.#conn !== null && this.#asked.size > 0) {
      this.#resumeId = this.#nextId++;
      out.send.push(JSON.stringify({ op: "resume", id: this.#resumeId, conn: this.#conn, msg_seq: this.#seq }));
    } else {
      this.#renew(out);
    }
  }

  /** Everything from the beginning, on this connection. */
  #renew(out) {
    const kind = this.#opened ? "renewed" : "opened";
    this.#opened = true;
    this.#conn = this.#newConn;
    this.#seq = 0;
    this.#resumeId = null;
    this.#asked = new Map();
    this.#unacked.clear();
    this.#snapshots.clear();
    this.#online = true;
    out.events.push({ kind });
    out.send.push(...this.#catchUp());
  }

  #ack(message, out) {
    if (message.id === this.#resumeId) {
      this.#resumeId = null;
      this.#online = true;
      out.events.push({ kind: "resumed" });
      out.send.push(...this.#catchUp());
      return;
    }
    this.#unacked.delete(message.id);
    for (const refused of message.rejected ?? []) {
      out.events.push({
        kind: "refused",
        symbol: refused.stock_id,
        timeFrame: refused.time_frame ?? null,
        code: refused.code,
        status: refused.status,
      });
    }
  }

  #error(message, out) {
    if (message.status === RESUME_REFUSED && message.id === this.#resumeId && this.#resumeId !== null) {
      this.#renew(out);
    } else if (UNAUTHORIZED.has(message.status)) {
      out.events.push({ kind: "unauthorized", code: message.code });
    } else {
      out.events.push({ kind: "error", code: message.code, status: message.status, detail: message.detail ?? "" });
    }
  }

  #beat(message, out) {
    if (this.#online && message.msg_seq !== undefined && message.msg_seq !== this.#seq) this.#missed(out);
    out.events.push({ kind: "beat", nowMs: message.now_ms, newestEndMs: message.newest_end_ms ?? null, lagMs: message.lag_ms ?? null });
  }

  /** Carry on only with the number that follows; another one means that something is missing. */
  #numbered(message, out, carryOn) {
    if (!this.#online) return;
    if (message.msg_seq !== this.#seq + 1) {
      this.#missed(out);
      return;
    }
    this.#seq = message.msg_seq;
    carryOn();
  }

  /** A number is missing: the connection is of no use any more, and nothing of it can be resumed. */
  #missed(out) {
    this.#online = false;
    this.#conn = null;
    out.events.push({ kind: "gap" });
  }

  #bar(message, out) {
    const early = this.#snapshots.has(seriesKey(message.stock_id, message.time_frame));
    out.events.push({ kind: "bar", record: message, early });
  }

  #snapshot(message, out) {
    const key = seriesKey(message.stock_id, message.time_frame);
    const bars = this.#snapshots.get(key) ?? [];
    bars.push(...message.bars);
    if (message.done === false) {
      this.#snapshots.set(key, bars);
      return;
    }
    this.#snapshots.delete(key);
    out.events.push({ kind: "snapshot", symbol: message.stock_id, timeFrame: message.time_frame, bars });
  }

  #catchUp() {
    const { subscribe, unsubscribe } = planChannels(this.#asked, this.#wanted);
    const texts = [];
    if (unsubscribe.length) texts.push(JSON.stringify({ op: "unsubscribe", id: this.#nextId++, channels: unsubscribe }));
    if (subscribe.length) texts.push(this.#subscribe(subscribe));
    this.#asked = new Map(this.#wanted);
    for (const key of this.#snapshots.keys()) if (!this.#wanted.has(key)) this.#snapshots.delete(key);
    return texts;
  }

  #subscribe(channels) {
    const id = this.#nextId++;
    const keys = channels.flatMap(({ symbols, time_frames: [frame] }) => symbols.map((symbol) => seriesKey(symbol, frame)));
    this.#unacked.set(id, keys);
    for (const {
      symbols,
      time_frames: [frame],
      snapshot,
    } of channels) {
      if (snapshot > 0) symbols.forEach((symbol) => this.#snapshots.set(seriesKey(symbol, frame), []));
    }
    return JSON.stringify({ op: "subscribe", id, channels });
  }
}

const NOTHING = Object.freeze({ send: [], events: [] });

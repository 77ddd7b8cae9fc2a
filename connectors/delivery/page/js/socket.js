/** The WebSocket itself: opens, notices silence, comes back after a cut. What is said on it is the Conversation's. */

import { waitMs } from "./model/backoff.js";
import { State } from "./model/connection.js";
import { Conversation } from "./model/conversation.js";

const SILENT_BEATS = 4;
const LEAST_SILENCE_MS = 8_000;

/** Calls `onEvents(events)` with what the conversation says and `onState(state, reason)` whenever the connection's state changes. */
export class LiveSocket {
  #conversation = new Conversation();
  #socket = null;
  #attempt = 0;
  #askedMs = 0;
  #retry = 0;
  #watchdog = 0;
  #silenceMs = LEAST_SILENCE_MS;
  #stopped = true;
  #state = null;
  /** Whether the conversation goes on, on this socket. */
  #there = false;
  /** Why the server does not get what it should. */
  #trouble = null;

  constructor({ onEvents, onState }) {
    this.onEvents = onEvents;
    this.onState = onState;
    addEventListener("online", () => this.#networkIs(true));
    addEventListener("offline", () => this.#networkIs(false));
  }

  /** Connect, and stay connected; who is connected already does so anew. */
  start() {
    this.stop();
    this.#stopped = false;
    this.#say(State.CONNECTING);
    this.#open();
  }

  /** Leave, until the next start. */
  stop() {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#drop();
  }

  /** Do not wait for the next attempt. */
  tryNow() {
    if (this.#stopped || this.#socket !== null) return;
    clearTimeout(this.#retry);
    this.#open();
  }

  /** Want these series from now on (model/wants.js). */
  want(wants) {
    this.#carryOut(this.#conversation.want(wants));
  }

  #open() {
    const url = new URL("v1/ws", document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      this.#listen();
      this.#carryOut(this.#conversation.receive(data));
    };
    socket.onclose = () => this.#lost(socket);
    this.#listen();
  }

  /** Begin to count silence anew. */
  #listen() {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#drop(), this.#silenceMs);
  }

  #drop() {
    const socket = this.#socket;
    if (socket === null) return;
    this.#lost(socket);
    socket.close();
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearTimeout(this.#watchdog);
    this.#conversation.cut();
    this.#there = false;
    this.#trouble = null;
    if (this.#stopped) return;
    this.#say(navigator.onLine === false ? State.OFFLINE : State.RECONNECTING);
    this.#retry = setTimeout(() => this.#open(), waitMs(this.#attempt, Math.random(), this.#askedMs));
    this.#attempt += 1;
    this.#askedMs = 0;
  }

  #carryOut({ send, events }) {
    for (const text of send) this.#socket?.send(text);
    for (const event of events) this.#notice(event);
    if (events.length) this.onEvents(events);
  }

  #notice(event) {
    if (event.kind === "welcome") this.#silenceMs = Math.max(LEAST_SILENCE_MS, SILENT_BEATS * (event.heartbeatMs ?? 0));
    else if (event.kind === "opened" || event.kind === "resumed" || event.kind === "renewed") this.#arrived();
    else if (event.kind === "status") this.#hear(event);
    else if (event.kind === "bye") this.#askedMs = event.retryMs;
    else if (event.kind === "beat" && this.#there) this.#judge();
    else if (event.kind === "gap") this.#drop();
  }

  /** The browser's word on the network. A socket may live through it, one to this very machine always does. */
  #networkIs(there) {
    if (this.#stopped) return;
    if (!there) this.#say(State.OFFLINE);
    else if (this.#there) this.#judge();
    else {
      this.#say(State.RECONNECTING);
      this.tryNow();
    }
  }

  #arrived() {
    this.#attempt = 0;
    this.#there = true;
    this.#judge();
  }

  #hear({ state, reason }) {
    this.#trouble = state === "ok" ? null : (reason ?? state);
    if (this.#there) this.#judge();
  }

  #judge() {
    this.#say(this.#trouble === null ? State.LIVE : State.DEGRADED, this.#trouble);
  }

  #say(state, reason = null) {
    if (state === this.#state?.state && reason === this.#state.reason) return;
    this.#state = { state, reason };
    this.onState(state, reason);
  }
}

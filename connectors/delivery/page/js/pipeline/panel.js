/** The tab Pipeline: asks while it is open, and shows figures, services and dead letters. */

import { getJson } from "../api.js";
import { byId, make } from "../elements.js";
import { deliveryTiles, jobTiles } from "../model/figures.js";
import { clearState, showState } from "../states.js";
import { DeadLetters } from "./dead_letters.js";
import { Services } from "./services.js";
import { Tiles } from "./tiles.js";

const EVERY_MS = 2_000;
const LETTERS = 100;

/** Calls `onUnauthorized()` when the service wants a key. */
export class PipelinePanel {
  #node = byId("pipeline");
  #state = make("div", { class: "state" });
  #delivery = new Tiles();
  #job = new Tiles();
  #jobBox = make("div");
  #services = new Services();
  #letters = new DeadLetters(() => this.#ask());
  #timer = 0;
  #asked = null;

  constructor({ onUnauthorized }) {
    this.onUnauthorized = onUnauthorized;
    const title = (text) => make("h2", {}, text);
    this.#node.append(
      title("Delivery"),
      this.#delivery.node,
      title("Job"),
      this.#jobBox,
      title("Services"),
      this.#services.node,
      title("Dead letters"),
      this.#letters.node,
      this.#state,
    );
    showState(this.#state, { title: "Asking how the pipeline is", busy: true });
  }

  start() {
    if (this.#timer !== 0) return;
    this.#timer = setInterval(() => this.#askAgain(), EVERY_MS);
    this.#ask();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#asked?.abort();
  }

  #askAgain() {
    if (!document.hidden && this.#asked === null) this.#ask();
  }

  async #ask() {
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    try {
      const letters = this.#askLetters(asked);
      const [status, services] = await Promise.all([getJson("v1/status", {}, asked), getJson("v1/services", {}, asked)]);
      this.#show(status, services.services);
      await letters;
    } catch (error) {
      if (error.name !== "AbortError") this.#fail(error);
    } finally {
      if (this.#asked === asked) this.#asked = null;
    }
  }

  /** Dead letters are for keys of the scope admin; without it the rest is shown all the same. */
  async #askLetters(asked) {
    try {
      this.#letters.show(await getJson("v1/dead-letters", { reason: this.#letters.reason, limit: LETTERS }, asked));
    } catch (error) {
      if (error.status === 403)
        this.#letters.explain(
          "Dead letters need a key with the scope admin",
          "They hold what clients sent, so a key that may only read does not see them. Log out, and in again with an admin key.",
        );
      else if (error.name !== "AbortError" && error.status !== 0 && error.status !== 401)
        this.#letters.explain("Dead letters cannot be read now", error.message);
    }
  }

  #show(status, services) {
    this.#node.dataset.state = "ready";
    clearState(this.#state);
    this.#delivery.show(deliveryTiles(status));
    if (status.job) {
      this.#job.show(jobTiles(status.job, status.now_ms));
      if (!this.#jobBox.contains(this.#job.node)) this.#jobBox.replaceChildren(this.#job.node);
    } else this.#jobBox.replaceChildren(noJob());
    this.#services.show(services, status.now_ms);
  }

  #fail(error) {
    if (error.status === 401) {
      this.onUnauthorized();
      return;
    }
    this.#node.dataset.state = "error";
    const text = "What was shown is old by now. The page asks again every two seconds.";
    showState(this.#state, { title: error.message, text, button: { label: "Try again", act: () => this.#ask() } });
  }
}

function noJob() {
  const text = make(
    "p",
    {},
    "Flink's REST API is not configured here, or does not answer: set ",
    make("code", {}, "job.flink_rest"),
    " to see state, checkpoints and watermark.",
  );
  const box = make("div", { class: "message", "data-state-message": "No word from the job" }, make("h3", {}, "No word from the job"), text);
  return make("div", { class: "panel" }, box);
}

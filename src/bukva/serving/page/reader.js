/** Asks the service what is on the sheet, as often as it changes and no more often than it helps. */

import { recognise } from "./service.js";

/** Wait this long after a stroke: the next one often follows at once. */
const PAUSE_MS = 150;

/**
 * Keeps the `answer` to the latest sheet with the `picture` that was sent and its `source`, or the
 * `problem`, null while there is none; tells `change`. Tells `ask` where the sheet is another: until the next `change`,
 * `isAsking`, and the answer is one to an earlier sheet.
 */
export class Reader extends EventTarget {
  /** What is meant: `letter`, `digit`, or nothing where it may be either. */
  expected = "";
  answer = null;
  problem = null;
  picture = null;
  source = "";
  isAsking = false;
  #timer = 0;
  #request = new AbortController();

  /**
   * Ask for the picture that `render` makes; an earlier question is dropped, whatever becomes of it.
   *
   * @param {() => Blob | Promise<Blob>} render Called when the pause is over.
   * @param {"" | "drawing" | "photo"} source Where it comes from, if that is known.
   * @param {number} pauseMs
   */
  read(render, source, pauseMs = PAUSE_MS) {
    this.#drop();
    const { signal } = this.#request;
    this.#timer = setTimeout(() => this.#ask(render, source, signal), pauseMs);
    this.isAsking = true;
    this.dispatchEvent(new Event("ask"));
  }

  /** Drop the question and its answer. */
  forget() {
    this.#drop();
    this.#set(null, null);
  }

  /** Say that there is nothing to ask for. */
  fail(problem) {
    this.#drop();
    this.#set(null, problem);
  }

  #drop() {
    clearTimeout(this.#timer);
    this.#request.abort();
    this.#request = new AbortController();
  }

  async #ask(render, source, signal) {
    try {
      const picture = await render();
      const answer = await recognise(picture, source, this.expected, signal);
      if (!signal.aborted) this.#set(answer, null, picture, source);
    } catch (problem) {
      if (signal.aborted) return;
      this.#set(null, problem);
      if (problem.isPassing) this.read(render, source, problem.retryAfterMs || PAUSE_MS);
    }
  }

  #set(answer, problem, picture = null, source = "") {
    Object.assign(this, { answer, problem, picture, source, isAsking: false });
    this.dispatchEvent(new Event("change"));
  }
}

/** Asks the service what is on the sheet, as often as it changes and no more often than it helps. */

import { recognise } from "./service.js";

/** Wait this long after a stroke: the next one often follows at once. */
const PAUSE_MS = 150;

/**
 * Keeps the `answer` to the latest sheet with the `png` that was sent, or the `problem`, null while
 * there is none; tells `change`. Tells `ask` where the sheet is another: until the next `change`,
 * `isAsking`, and the answer is one to an earlier sheet.
 */
export class Reader extends EventTarget {
  /** What is meant: `letter`, `digit`, or nothing where it may be either. */
  expected = "";
  answer = null;
  problem = null;
  png = null;
  isAsking = false;
  #timer = 0;
  #request = new AbortController();

  /**
   * Ask for the picture that `render` makes; an earlier question is dropped, whatever becomes of it.
   *
   * @param {() => Blob | Promise<Blob>} render Called when the pause is over.
   * @param {number} pauseMs
   */
  read(render, pauseMs = PAUSE_MS) {
    this.#drop();
    const { signal } = this.#request;
    this.#timer = setTimeout(() => this.#ask(render, signal), pauseMs);
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

  async #ask(render, signal) {
    try {
      const png = await render();
      const answer = await recognise(png, this.expected, signal);
      if (!signal.aborted) this.#set(answer, null, png);
    } catch (problem) {
      if (signal.aborted) return;
      this.#set(null, problem);
      if (problem.isPassing) this.read(render, problem.retryAfterMs || PAUSE_MS);
    }
  }

  #set(answer, problem, png = null) {
    Object.assign(this, { answer, problem, png, isAsking: false });
    this.dispatchEvent(new Event("change"));
  }
}

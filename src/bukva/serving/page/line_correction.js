/** What people say that a line says: kept if they allow it, deleted if they wish. */

import { Consent } from "./consent.js";
import { deleteLine, giveLine, randomKey } from "./service.js";
import { describeProblem } from "./texts.js";

export class LineCorrection {
  #at;
  #texts;
  #consent;
  #answer = null;
  #picture = null;
  #key = "";
  #receipt = null;
  #said = () => "";

  /**
   * @param {Record<string, HTMLElement>} at Elements of the page by id.
   * @param {() => object} texts Of the language now.
   */
  constructor(at, texts) {
    this.#at = at;
    this.#texts = texts;
    this.#consent = new Consent(at, "bukva.consent.lines");
    at.correction.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#give(at.said.value);
    });
    at.forget.addEventListener("click", () => this.#forget());
  }

  /**
   * Ask about an answer, or about none.
   *
   * @param {object | null} answer
   * @param {Blob | null} picture What was sent, if it can be kept.
   */
  take(answer, picture) {
    this.#answer = answer;
    this.#picture = picture;
    this.#key = randomKey();
    this.#receipt = null;
    this.#at.said.value = answer?.text ?? "";
    this.#say(() => "");
  }

  /** Show it in the language now. */
  show() {
    const said = this.#said(this.#texts());
    this.#at.correction.hidden = !this.#answer || !this.#picture || Boolean(this.#receipt);
    this.#at.receipt.hidden = !said;
    this.#at["receipt-text"].textContent = said;
    this.#at.forget.hidden = !this.#receipt;
  }

  #say(sentence) {
    this.#said = sentence;
    this.show();
  }

  async #give(text) {
    const [answer, picture] = [this.#answer, this.#picture];
    const isAllowed = await this.#consent.ask();
    if (answer !== this.#answer) return;
    if (!isAllowed) {
      this.#say((texts) => texts.notKept);
      return;
    }
    try {
      const receipt = await giveLine(this.#key, picture, text.trim(), answer.text);
      if (answer !== this.#answer) return;
      this.#receipt = receipt;
      this.#say((texts) => texts.kept);
      this.#at.forget.focus();
    } catch (problem) {
      if (answer === this.#answer) this.#say((texts) => describeProblem(problem, texts));
    }
  }

  async #forget() {
    try {
      await deleteLine(this.#receipt.id);
      this.#receipt = null;
      // What is said now is another correction.
      this.#key = randomKey();
      this.#say((texts) => texts.forgotten);
      this.#at.said.focus();
    } catch (problem) {
      this.#say((texts) => describeProblem(problem, texts));
    }
  }
}

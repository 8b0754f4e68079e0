/** "Is this right?": what people say about an answer, kept if they allow it, deleted if they wish. */

import { Consent } from "./consent.js";
import { deleteFeedback, giveFeedback, randomKey } from "./service.js";
import { describeProblem } from "./texts.js";

const LETTERS = "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя";
const DIGITS = "0123456789";

export class Corrections {
  #at;
  #reader;
  #texts;
  #consent;
  #answer = null;
  #key = "";
  #receipt = null;
  #isDone = false;
  #said = () => "";

  /**
   * @param {Record<string, HTMLElement>} at Elements of the page by id.
   * @param {Reader} reader Has the answer that is asked about.
   * @param {() => object} texts Of the language now.
   */
  constructor(at, reader, texts) {
    this.#at = at;
    this.#reader = reader;
    this.#texts = texts;
    this.#consent = new Consent(at, "bukva.consent");
    reader.addEventListener("ask", () => this.#wait());
    at.right.addEventListener("click", () => this.#give(this.#answer.symbol));
    at.wrong.addEventListener("click", () => this.#choose());
    at.capitals.addEventListener("click", () => this.#fillKeyboard(true));
    at.smalls.addEventListener("click", () => this.#fillKeyboard(false));
    at.forget.addEventListener("click", () => this.#forget());
  }

  /** Ask about the reader's answer; a new one is asked about anew. */
  show() {
    const { answer } = this.#reader;
    if (answer !== this.#answer) {
      this.#answer = answer;
      this.#key = randomKey();
      this.#receipt = null;
      this.#isDone = false;
      this.#said = () => "";
    }
    const said = this.#said(this.#texts());
    this.#at.question.hidden = !answer || this.#isDone;
    this.#at.right.hidden = !answer?.is_symbol;
    this.#at.receipt.hidden = !said;
    this.#at["receipt-text"].textContent = said;
    this.#at.forget.hidden = !this.#receipt;
    this.#wait();
  }

  /** Nobody can say yes to half a drawing: while a newer sheet is read, the buttons wait. */
  #wait() {
    this.#at.right.disabled = this.#at.wrong.disabled = this.#reader.isAsking;
  }

  #say(sentence, isDone = true) {
    this.#said = sentence;
    this.#isDone = isDone;
    this.show();
  }

  #choose() {
    this.#fillKeyboard(this.#answer.case === "upper");
    this.#at.chooser.showModal();
  }

  #fillKeyboard(isUpper) {
    const { capitals, smalls, symbols, chooser } = this.#at;
    capitals.ariaPressed = String(isUpper);
    smalls.ariaPressed = String(!isUpper);
    const shown = (isUpper ? LETTERS.toUpperCase() : LETTERS) + DIGITS;
    symbols.replaceChildren(
      ...[...shown].map((symbol) => {
        const button = Object.assign(document.createElement("button"), { type: "button" });
        button.textContent = symbol;
        button.addEventListener("click", () => {
          chooser.close();
          this.#give(symbol);
        });
        return button;
      }),
    );
  }

  async #give(symbol) {
    const [answer, { picture, source }] = [this.#answer, this.#reader];
    const isAllowed = await this.#consent.ask();
    if (answer !== this.#answer) return;
    if (!isAllowed) {
      this.#say((texts) => texts.notKept);
      return;
    }
    try {
      const receipt = await giveFeedback(this.#key, picture, source, symbol, answer.symbol);
      if (answer !== this.#answer) return;
      this.#receipt = receipt;
      this.#say((texts) => texts.kept(symbol));
    } catch (problem) {
      this.#say((texts) => describeProblem(problem, texts), false);
    }
  }

  async #forget() {
    try {
      await deleteFeedback(this.#receipt.id);
      this.#receipt = null;
      this.#say((texts) => texts.forgotten);
    } catch (problem) {
      this.#say((texts) => describeProblem(problem, texts));
    }
  }
}

/** What was read, character by character: doubtful ones are buttons, which offer what else it may be. */

import { make } from "./elements.js";

/** Below this a character is doubtful. */
const SURE_FROM = 0.9;
/** Others that are less likely are not offered. */
const LEAST_LIKELY = 0.005;

/** Tells `choose` when another text was chosen, and `point` with the character that is looked at. */
export class LineText extends EventTarget {
  #at;
  #texts;
  /** One a character or space; what was chosen for it stands in `text`. */
  #pieces = [];
  #opened = null;
  #isLocked = false;

  /**
   * @param {Record<string, HTMLElement>} at Has the elements `text` and `others`.
   * @param {() => object} texts Of the language now.
   */
  constructor(at, texts) {
    super();
    this.#at = at;
    this.#texts = texts;
    at.others.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#open(null);
    });
  }

  /** The text with what was chosen. */
  get text() {
    return this.#pieces.map(({ text }) => text).join("");
  }

  /** How many of its characters are doubtful, whatever was chosen. */
  get doubtful() {
    return this.#pieces.filter(isDoubtful).length;
  }

  /** Take an answer of the service, or null. */
  take(answer) {
    this.#pieces = (answer?.words ?? []).flatMap((word, place) => [
      ...(place ? [{ text: " " }] : []),
      ...word.characters.map((character) => ({ text: character.text, character, word })),
    ]);
    this.#isLocked = false;
    this.#open(null);
  }

  /** From now on nothing is chosen here: somebody writes the text by hand. */
  lock() {
    this.#isLocked = true;
    this.#open(null);
  }

  /** Show it in the language now. */
  show() {
    this.#at.text.replaceChildren(...this.#pieces.map((piece) => this.#toElement(piece)));
    this.#showOthers();
  }

  #toElement(piece) {
    if (piece.isChosen) return make("span", { className: "chosen" }, piece.text);
    const { character } = piece;
    if (this.#isLocked || !isDoubtful(piece)) return piece.text;
    const button = make("button", { type: "button", className: "doubtful" }, piece.text);
    button.ariaExpanded = String(piece === this.#opened);
    button.title = this.#texts().doubtful(character.text);
    button.addEventListener("click", () => this.#open(piece === this.#opened ? null : piece));
    button.addEventListener("focus", () => this.#point(character));
    button.addEventListener("blur", () => this.#point(this.#opened?.character));
    return button;
  }

  #open(piece) {
    const former = this.#opened;
    this.#opened = piece;
    this.show();
    this.#point(piece?.character);
    this.#buttonOf(piece ?? former)?.focus();
  }

  #buttonOf(piece) {
    const doubtful = this.#pieces.filter((each) => !each.isChosen && isDoubtful(each));
    return this.#at.text.querySelectorAll("button")[doubtful.indexOf(piece)];
  }

  #showOthers() {
    const piece = this.#opened;
    this.#at.others.hidden = !piece;
    if (!piece) return;
    const { character, word } = piece;
    const likely = ({ confidence }) => confidence >= LEAST_LIKELY;
    const spelt = word.characters.map(({ text }) => text);
    const changed = (text) => spelt.with(word.characters.indexOf(character), text).join("");
    const others = character.alternatives.filter(likely).map(({ text }) => text);
    const words = word.alternatives.filter(likely).map(({ text }) => text);
    const offered = new Set(others.map(changed));
    const isUntouched = this.#piecesOf(word).every(({ isChosen }) => !isChosen);
    this.#at.others.replaceChildren(
      make("span", {}, this.#texts().instead(character.text)),
      ...others.map((text) => this.#offer(text, () => this.#choose(piece, text))),
      ...words
        .filter((text) => isUntouched && !offered.has(text))
        .map((text) => this.#offer(text, () => this.#chooseWord(word, text))),
    );
  }

  #offer(text, choose) {
    const button = make("button", { type: "button" }, text === " " ? this.#texts().space : text);
    button.addEventListener("click", choose);
    return button;
  }

  #choose(piece, text) {
    Object.assign(piece, { text, isChosen: true });
    this.#finish();
  }

  #chooseWord(word, text) {
    for (const [place, piece] of this.#piecesOf(word).entries()) {
      Object.assign(piece, { text: place ? "" : text, isChosen: true });
    }
    this.#finish();
  }

  #finish() {
    this.#opened = null;
    this.show();
    this.#point(null);
    this.dispatchEvent(new Event("choose"));
  }

  #piecesOf(word) {
    return this.#pieces.filter((piece) => piece.word === word);
  }

  #point(character) {
    this.dispatchEvent(new CustomEvent("point", { detail: character?.box ?? null }));
  }
}

function isDoubtful({ character }) {
  return character?.confidence < SURE_FROM;
}

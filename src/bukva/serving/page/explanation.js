/** "Why?": the parts of the drawing that the answer rests on, coloured, and what the network saw. */

import { explain } from "./service.js";

/** Every model can be asked this way. */
const USUAL = "occlusion";

export class Explanation {
  #at;
  #reader;
  #method = USUAL;

  /**
   * @param {Record<string, HTMLElement>} at Elements of the page by id.
   * @param {Reader} reader Has the picture that was answered; a new one takes the colours away.
   */
  constructor(at, reader) {
    this.#at = at;
    this.#reader = reader;
    reader.addEventListener("change", () => this.hide());
    for (const button of at.methods.children) {
      button.addEventListener("click", () => this.#ask(button.dataset.method));
    }
    this.hide();
  }

  hide() {
    const { why, reasons, view } = this.#at;
    why.ariaPressed = "false";
    reasons.hidden = view.hidden = true;
    this.#dropFrame();
  }

  /** Show why, or show it no more. */
  toggle() {
    if (this.#at.reasons.hidden) this.#ask(this.#method);
    else this.hide();
  }

  async #ask(method) {
    const { picture, source } = this.#reader;
    this.#method = method;
    try {
      const explanation = await explain(picture, source, method);
      const { width, height } = await createImageBitmap(picture);
      if (picture !== this.#reader.picture || method !== this.#method) return;
      this.#at.why.ariaPressed = "true";
      this.#paint(explanation, width, height);
      this.#showMethods(explanation);
      this.#showFrame(explanation.frame);
    } catch (problem) {
      this.#method = USUAL;
      if (picture === this.#reader.picture) this.#reader.fail(problem);
    }
  }

  #paint({ box, importance }, width, height) {
    const canvas = this.#at.reasons;
    canvas.hidden = false;
    canvas.width = canvas.height = Math.round(canvas.clientWidth * devicePixelRatio);
    // A picture that is not square stands in the middle of the sheet.
    const scale = canvas.width / Math.max(width, height);
    const [left, top] = [width, height].map((side) => (canvas.width - side * scale) / 2);
    const context = canvas.getContext("2d");
    context.fillStyle = getComputedStyle(canvas).color;
    const [cellX, cellY] = [box.width / importance[0].length, box.height / importance.length];
    // Relative to the most important cell: of a sure answer no single patch takes much away.
    const most = Math.max(...importance.flat(), 0.001);
    importance.forEach((row, y) =>
      row.forEach((share, x) => {
        context.globalAlpha = 0.75 * (share / most);
        context.fillRect(
          left + (box.left + x * cellX) * width * scale,
          top + (box.top + y * cellY) * height * scale,
          cellX * width * scale,
          cellY * height * scale,
        );
      }),
    );
  }

  /** Offer what this model can be asked, where there is a choice. */
  #showMethods({ method, methods }) {
    this.#at.methods.hidden = methods.length < 2;
    for (const button of this.#at.methods.children) {
      button.hidden = !methods.includes(button.dataset.method);
      button.ariaPressed = String(button.dataset.method === method);
    }
  }

  #showFrame(base64) {
    this.#dropFrame();
    const { view, frame } = this.#at;
    // A model that does not tell what its network sees has no picture here.
    frame.hidden = !base64;
    view.hidden = frame.hidden && this.#at.methods.hidden;
    if (frame.hidden) return;
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    frame.src = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  }

  #dropFrame() {
    const { frame } = this.#at;
    if (!frame.src) return;
    URL.revokeObjectURL(frame.src);
    frame.removeAttribute("src");
  }
}

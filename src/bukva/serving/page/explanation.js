/** "Why?": the parts of the drawing that the answer rests on, coloured, and what the network saw. */

import { explain } from "./service.js";

export class Explanation {
  #at;
  #reader;

  /**
   * @param {Record<string, HTMLElement>} at Elements of the page by id.
   * @param {Reader} reader Has the picture that was answered; a new one takes the colours away.
   */
  constructor(at, reader) {
    this.#at = at;
    this.#reader = reader;
    reader.addEventListener("change", () => this.hide());
    this.hide();
  }

  hide() {
    const { why, reasons, view, frame } = this.#at;
    why.ariaPressed = "false";
    reasons.hidden = view.hidden = true;
    if (!frame.src) return;
    URL.revokeObjectURL(frame.src);
    frame.removeAttribute("src");
  }

  /** Show why, or show it no more; rejects with a Problem. */
  async toggle() {
    if (!this.#at.reasons.hidden) {
      this.hide();
      return;
    }
    const { png } = this.#reader;
    const explanation = await explain(png);
    if (png !== this.#reader.png) return;
    const { width, height } = await createImageBitmap(png);
    this.hide(); // who asked twice at once is answered once
    this.#at.why.ariaPressed = "true";
    this.#paint(explanation, width, height);
    this.#showFrame(explanation.frame);
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

  #showFrame(base64) {
    if (!base64) return; // a model that does not tell what its network sees
    const { view, frame } = this.#at;
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    frame.src = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
    view.hidden = false;
  }
}

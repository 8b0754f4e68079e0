/** "Why?": the parts of the drawing that the answer rests on, coloured. */

import { explain } from "./service.js";

export class Explanation {
  #canvas;
  #reader;

  /**
   * @param {HTMLCanvasElement} canvas Lies on the sheet.
   * @param {Reader} reader Has the picture that was answered; a new one takes the colours away.
   */
  constructor(canvas, reader) {
    this.#canvas = canvas;
    this.#reader = reader;
    reader.addEventListener("change", () => this.hide());
  }

  hide() {
    this.#canvas.hidden = true;
  }

  /** Colour the sheet, or take the colours away; rejects with a Problem. */
  async toggle() {
    if (!this.#canvas.hidden) {
      this.hide();
      return;
    }
    const { png } = this.#reader;
    const explanation = await explain(png);
    if (png === this.#reader.png) await this.#paint(explanation, png);
  }

  async #paint({ box, importance }, png) {
    const { width, height } = await createImageBitmap(png);
    const canvas = this.#canvas;
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
}

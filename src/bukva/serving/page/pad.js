/** The sheet that is drawn on: pointer events become strokes, strokes become pixels. */

import { lastMoment, paintStrokes, paintTail } from "./drawing.js";

/** A hand that rests on the sheet touches it: touches are ignored this long after a pen wrote. */
const PALM_MS = 2000;
/** A replay does not wait as long between two strokes as the writer did. */
const PAUSE_MS = 150;

export class Pad {
  #canvas;
  #drawing;
  #penWidth;
  #active = null;
  #startedMs = 0;
  #lastPenMs = -Infinity;
  #replaying = 0;

  /**
   * @param {HTMLCanvasElement} canvas Square on the screen.
   * @param {Drawing} drawing What is drawn goes here.
   * @param {() => number} penWidth Width of the next stroke, as a share of the side.
   */
  constructor(canvas, drawing, penWidth) {
    this.#canvas = canvas;
    this.#drawing = drawing;
    this.#penWidth = penWidth;
    canvas.addEventListener("pointerdown", (event) => this.#onDown(event));
    canvas.addEventListener("pointermove", (event) => this.#onMove(event));
    canvas.addEventListener("pointercancel", (event) => this.#onCancel(event));
    for (const type of ["pointerup", "lostpointercapture"]) {
      canvas.addEventListener(type, (event) => this.#onUp(event));
    }
    drawing.addEventListener("change", () => this.#stopReplay());
    // A stroke is over when the pen is lifted, and also when it is undone while it is drawn. What
    // was painted piece by piece has corners that the whole stroke rounds.
    drawing.addEventListener("done", () => {
      this.#active = null;
      this.paint();
    });
    new ResizeObserver(() => this.paint()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  /** Show the drawing, or what of it was there at a moment. */
  paint(untilMs = Infinity) {
    const side = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    this.#canvas.width = this.#canvas.height = side;
    const context = this.#canvas.getContext("2d");
    context.strokeStyle = getComputedStyle(this.#canvas).color;
    paintStrokes(context, this.#drawing.strokes, side, untilMs);
  }

  /** Draw the drawing once more, as it was drawn. */
  replay() {
    const startedMs = performance.now();
    const endMs = lastMoment(this.#drawing.strokes);
    cancelAnimationFrame(this.#replaying);
    const step = (nowMs) => {
      const momentMs = nowMs - startedMs;
      this.paint(momentMs);
      this.#replaying = momentMs < endMs ? requestAnimationFrame(step) : 0;
    };
    this.#replaying = requestAnimationFrame(step);
  }

  #stopReplay() {
    cancelAnimationFrame(this.#replaying);
    this.paint();
  }

  #onDown(event) {
    if (event.pointerType === "pen") {
      this.#lastPenMs = event.timeStamp;
      this.#dropTouch(); // the hand came down before the pen
    }
    if (this.#active || event.button !== 0 || this.#isPalm(event)) return;
    event.preventDefault();
    this.#canvas.setPointerCapture(event.pointerId);
    this.#active = event;
    const { isEmpty, strokes } = this.#drawing;
    this.#startedMs = event.timeStamp - (isEmpty ? 0 : lastMoment(strokes) + PAUSE_MS);
    this.#drawing.begin(this.#pointOf(event), this.#penWidth());
  }

  #onMove(event) {
    if (event.pointerId !== this.#active?.pointerId) return;
    if (event.pointerType === "pen") this.#lastPenMs = event.timeStamp;
    // A pen reports more often than the screen is painted.
    const events = event.getCoalescedEvents?.() ?? [];
    const points = (events.length ? events : [event]).map((each) => this.#pointOf(each));
    this.#drawing.extend(points);
    // Not all of it anew: the longer the drawing, the longer that takes.
    const { width } = this.#canvas;
    paintTail(this.#canvas.getContext("2d"), this.#drawing.strokes.at(-1), points.length, width);
  }

  #onUp(event) {
    if (event.pointerId === this.#active?.pointerId) this.#drawing.end();
  }

  #onCancel(event) {
    if (event.pointerId !== this.#active?.pointerId) return;
    // A device that knows a hand from a finger takes its touch back.
    if (event.pointerType === "touch") this.#dropTouch();
    else this.#drawing.end();
  }

  #dropTouch() {
    if (this.#active?.pointerType !== "touch") return;
    this.#active = null;
    this.#drawing.abandon();
  }

  #isPalm(event) {
    return event.pointerType === "touch" && event.timeStamp - this.#lastPenMs < PALM_MS;
  }

  #pointOf(event) {
    const box = this.#canvas.getBoundingClientRect();
    return {
      x: (event.clientX - box.left) / box.width,
      y: (event.clientY - box.top) / box.height,
      ms: event.timeStamp - this.#startedMs,
    };
  }
}

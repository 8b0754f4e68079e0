/**
 * A drawing as strokes: it can be undone, redone, replayed, and painted at any size. It tells
 * `extend` when the last stroke got longer, `change` of all else, and `done` when it may be read.
 *
 * Points are {x, y, ms}: x and y are shares of the sheet's side, ms is the time since the sheet was
 * empty. A stroke is {points, width}, the width a share of the side too.
 */
export class Drawing extends EventTarget {
  #strokes = [];
  #past = [];
  #future = [];

  get strokes() {
    return this.#strokes;
  }

  get isEmpty() {
    return this.#strokes.length === 0;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  /** Begin a stroke with its first point. */
  begin(point, width) {
    this.#change([...this.#strokes, { points: [point], width }]);
  }

  /** Lengthen the stroke that was begun last. */
  extend(points) {
    this.#strokes.at(-1).points.push(...points);
    this.#tell("extend");
  }

  /** Take back the stroke that was begun last, as though it had never been. */
  abandon() {
    this.#strokes = this.#past.pop();
    this.#tell("change");
  }

  /** The pen is lifted: what is drawn now is worth looking at. */
  end() {
    this.#tell("done");
  }

  undo() {
    this.#move(this.#past, this.#future);
  }

  redo() {
    this.#move(this.#future, this.#past);
  }

  /** Empty the sheet; this can be undone. */
  clear() {
    if (this.isEmpty) return;
    this.#change([]);
    this.end();
  }

  #change(strokes) {
    this.#past.push(this.#strokes);
    this.#future = [];
    this.#strokes = strokes;
    this.#tell("change");
  }

  #move(from, to) {
    if (!from.length) return;
    to.push(this.#strokes);
    this.#strokes = from.pop();
    this.#tell("change");
    this.end();
  }

  #tell(type) {
    this.dispatchEvent(new Event(type));
  }
}

/** The latest time of any point. */
export function lastMoment(strokes) {
  return Math.max(0, ...strokes.map((stroke) => stroke.points.at(-1).ms));
}

/**
 * Paint strokes on a canvas of `side` pixels, in the context's present colour.
 *
 * Points that come after the moment `untilMs` are left out. Between two points the line bends
 * through their middle, so that few points still make a smooth line.
 */
export function paintStrokes(context, strokes, side, untilMs = Infinity) {
  context.lineCap = context.lineJoin = "round";
  for (const { points, width } of strokes) {
    const shown = points.filter((point) => point.ms <= untilMs);
    if (!shown.length) continue;
    context.lineWidth = width * side;
    context.stroke(pathThrough(shown, side));
  }
}

/** Paint what the last `count` points add to a stroke that is painted already. */
export function paintTail(context, { points }, count, side) {
  const start = Math.max(0, points.length - count - 1);
  const tail = points.slice(start);
  if (start > 0) tail.unshift(middleOf(points[start - 1], points[start]));
  context.stroke(pathThrough(tail, side));
}

function middleOf(one, other) {
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}

function pathThrough(points, side) {
  const path = new Path2D();
  const [first] = points;
  path.moveTo(first.x * side, first.y * side);
  for (let i = 1; i < points.length - 1; i += 1) {
    const [here, middle] = [points[i], middleOf(points[i], points[i + 1])];
    path.quadraticCurveTo(here.x * side, here.y * side, middle.x * side, middle.y * side);
  }
  const last = points.at(-1);
  // A line to where it already is: a tap leaves a dot.
  path.lineTo(last.x * side, last.y * side);
  return path;
}

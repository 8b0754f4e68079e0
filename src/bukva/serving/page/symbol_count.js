/** How many symbols stand side by side on the sheet, as far as their strokes tell. */

/** Shares of the drawing's height. Parts of one letter that just fail to touch are nearer. */
const GAP = 0.1;
/** ы, К or Ю with a loose stem are one letter, so that beside a stem more space is needed. */
const STEM_GAP = 0.4;
const STEM_WIDTH = 0.25;
/** What is lower is a mark (a dot, a comma), not a symbol. */
const SYMBOL_HEIGHT = 0.4;

/** Return the number of groups of strokes that a clear gap parts from their neighbours. */
export function countSymbols(strokes) {
  const boxes = strokes.map(boxOf).sort((one, other) => one.left - other.left);
  if (!boxes.length) return 0;
  const { height } = boxes.reduce(join);
  const parts = gather(boxes, () => GAP * height).filter(
    (part) => part.height >= SYMBOL_HEIGHT * height,
  );
  const isStem = (part) => part.width < STEM_WIDTH * height;
  const gap = (one, other) => (isStem(one) || isStem(other) ? STEM_GAP : GAP) * height;
  return gather(parts, gap).length;
}

/** Return boxes, sorted by their left sides, with those joined that are nearer than `gapOf` them. */
function gather(boxes, gapOf) {
  const groups = [];
  for (const box of boxes) {
    const last = groups.at(-1);
    if (last && box.left - last.right < gapOf(last, box)) groups.push(join(groups.pop(), box));
    else groups.push(box);
  }
  return groups;
}

function boxOf({ points, width }) {
  const [xs, ys] = [points.map((point) => point.x), points.map((point) => point.y)];
  const pen = width / 2;
  return makeBox(
    Math.min(...xs) - pen,
    Math.max(...xs) + pen,
    Math.min(...ys) - pen,
    Math.max(...ys) + pen,
  );
}

function join(one, other) {
  return makeBox(
    Math.min(one.left, other.left),
    Math.max(one.right, other.right),
    Math.min(one.top, other.top),
    Math.max(one.bottom, other.bottom),
  );
}

function makeBox(left, right, top, bottom) {
  return { left, right, top, bottom, width: right - left, height: bottom - top };
}

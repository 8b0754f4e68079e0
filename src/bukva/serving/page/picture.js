/** Pictures for the recogniser, small files: which ground belongs under them, it decides. */

import { paintStrokes } from "./drawing.js";

/** Side of what is sent of a drawing: the network sees far less, and decoding is what takes time. */
const DRAWING_PX = 200;
/** Longest side of what is sent as PNG: no picture of this size is larger than a megabyte. */
const PNG_PX = 560;
/** Longest side of what is sent of a photo: a letter that fills a tenth of it can be read. */
const PHOTO_PX = 2048;
const PHOTO_QUALITY = 0.9;
/** What is larger is made anew, of a file with 16 bits a value too. */
const MAX_BYTES = 1 << 20;
const MAX_PIXELS = 4e6;
/** What of a PNG file its pixels need, and no more. */
const PIXEL_CHUNKS = new Set(["IHDR", "PLTE", "tRNS", "sBIT", "IDAT", "IEND"]);

/** Return the PNG file of a drawing. */
export function renderDrawing(strokes) {
  const canvas = paint([DRAWING_PX, DRAWING_PX], (context) => {
    context.fillStyle = "white";
    context.fillRect(0, 0, DRAWING_PX, DRAWING_PX);
    context.strokeStyle = "black";
    paintStrokes(context, strokes, DRAWING_PX);
  });
  return toFile(canvas, "image/png");
}

/**
 * Return the file of a picture that was chosen, pasted or dropped: JPEG if it is large, else PNG.
 *
 * What is clear stays clear, so that such a picture is a PNG, and made small, whatever its size.
 * Made anew here, so that neither a photo's size nor what else its file holds leaves the device.
 * Rejects if the browser cannot read the picture.
 */
export async function renderFile(file) {
  const bitmap = await createImageBitmap(file);
  const bytes = new Uint8Array(await file.arrayBuffer());
  // A canvas would keep the upper half of each value, and few files of 16 bits use it.
  if (hasDeepPixels(bytes) && isTaken(bytes, bitmap)) return cutToPixels(bytes);
  if (Math.max(bitmap.width, bitmap.height) > PNG_PX) {
    const photo = paintBitmap(bitmap, PHOTO_PX);
    if (isOpaque(photo)) return toFile(photo, "image/jpeg", PHOTO_QUALITY);
  }
  return toFile(paintBitmap(bitmap, PNG_PX), "image/png");
}

/** Return the file of a picture of a line: as wide as it is read, JPEG if PNG were large. */
export async function renderLine(file) {
  const canvas = paintBitmap(await createImageBitmap(file), PHOTO_PX);
  const exact = await toFile(canvas, "image/png");
  if (exact.size <= MAX_BYTES || !isOpaque(canvas)) return exact;
  return toFile(canvas, "image/jpeg", PHOTO_QUALITY);
}

/** Return where a chosen file comes from; "" where only the picture itself can tell. */
export function sourceOf(file) {
  return file.type === "image/png" ? "" : "photo"; // no camera writes PNG, many programs do
}

function paintBitmap(bitmap, longestPx) {
  const scale = Math.min(1, longestPx / Math.max(bitmap.width, bitmap.height));
  const sides = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  return paint(sides, (context) => context.drawImage(bitmap, 0, 0, ...sides));
}

function isOpaque(canvas) {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  for (let place = 3; place < data.length; place += 4) {
    if (data[place] < 255) return false;
  }
  return true;
}

function hasDeepPixels(bytes) {
  return nameAt(bytes, 0) === "PNG\r" && bytes[24] === 16;
}

function isTaken(bytes, { width, height }) {
  return bytes.length <= MAX_BYTES && width * height <= MAX_PIXELS;
}

/** Return a PNG file without all that is not its pixels. */
function cutToPixels(bytes) {
  const view = new DataView(bytes.buffer);
  const parts = [bytes.subarray(0, 8)];
  for (let start = 8, end; start + 12 <= bytes.length; start = end) {
    end = start + 12 + view.getUint32(start);
    if (PIXEL_CHUNKS.has(nameAt(bytes, start + 3))) parts.push(bytes.subarray(start, end));
  }
  return new Blob(parts, { type: "image/png" });
}

/** Return the four letters after a place. */
function nameAt(bytes, place) {
  return String.fromCharCode(...bytes.subarray(place + 1, place + 5));
}

function paint([width, height], draw) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  draw(context);
  return canvas;
}

function toFile(canvas, type, quality) {
  return new Promise((resolve) => canvas.toBlob(resolve, type, quality));
}

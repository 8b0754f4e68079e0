/** Pictures for the recogniser: small, dark on white, as PNG. */

import { paintStrokes } from "./drawing.js";

/** Side of what is sent of a drawing: the network sees far less, and decoding is what takes time. */
const DRAWING_PX = 200;
/** Longest side of what is sent of a file: no picture of this size is larger than a megabyte. */
const FILE_PX = 560;

/** Return the PNG file of a drawing. */
export function renderDrawing(strokes) {
  return toPng(DRAWING_PX, DRAWING_PX, (context) => {
    context.strokeStyle = "black";
    paintStrokes(context, strokes, DRAWING_PX);
  });
}

/**
 * Return the PNG file of a picture that was chosen, pasted or dropped.
 *
 * Made anew here, so that neither a photo's size nor what else its file holds leaves the device.
 * Rejects if the browser cannot read the picture.
 */
export async function renderFile(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, FILE_PX / Math.max(bitmap.width, bitmap.height));
  const sides = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  return toPng(...sides, (context) => context.drawImage(bitmap, 0, 0, ...sides));
}

async function toPng(width, height, paint) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  paint(context);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

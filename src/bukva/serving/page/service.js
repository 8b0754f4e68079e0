/** Calls of the service. */

const KEY = "bukva.key";
const PASSING = new Set(["model_not_ready", "overloaded", "rate_limited"]);

/** What the service answered instead of what was asked for; `code` names the problem. */
export class Problem extends Error {
  constructor(code, retryAfterMs = 0) {
    super(code);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether it passes by itself. */
  get isPassing() {
    return PASSING.has(this.code);
  }
}

/**
 * Return what a picture shows; rejects with a Problem, or an AbortError.
 *
 * @param {Blob} picture
 * @param {"" | "drawing" | "photo"} source Where it comes from, if that is known.
 * @param {"" | "letter" | "digit"} expected What is meant, if that is known.
 * @param {AbortSignal} signal
 */
export function recognise(picture, source, expected, signal) {
  return ask("v1/predict", { source, expect: expected }, picture, signal);
}

/**
 * Return what a picture shows, and which parts of it tell.
 *
 * @param {Blob} picture
 * @param {"" | "drawing" | "photo"} source Where it comes from, if that is known.
 * @param {"occlusion" | "gradcam"} method How to find that out.
 */
export function explain(picture, source, method) {
  return ask("v1/explain", { method, source }, picture);
}

/**
 * Return what a line says; rejects as `recognise` does.
 *
 * @param {"" | "uk" | "fr"} language What it is written in, if that is known.
 */
export function readLine(picture, language, signal) {
  return ask("v1/lines", { language }, picture, signal);
}

/** Return what a page of a document is; rejects as `recognise` does. */
export function readDocument(file, page, signal) {
  return ask("v1/documents", { page }, file, signal);
}

/**
 * Return a PNG file of the page, coloured where its answer comes from.
 *
 * @param {"grad_cam" | "occlusion"} method How to find that out.
 */
export async function explainDocument(file, page, method, signal) {
  const query = new URLSearchParams({ page, method });
  const response = await send(`v1/documents/explain?${query}`, toRequest(file, signal));
  return response.blob();
}

/** Return a key for a correction. */
export function randomKey() {
  // Not `crypto.randomUUID`, which plain http has on localhost only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Have a correction kept: what a picture shows, where it comes from, and what was answered. Returns
 * its receipt, {id}.
 *
 * Sent again with the same key it is kept once, so that it may be tried again.
 */
export async function giveFeedback(key, picture, source, symbol, answer) {
  const image = await toDataUrl(picture);
  return call("v1/feedback", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": key },
    body: JSON.stringify({ image, source: source || null, symbol, answer, consent: true }),
  });
}

/** Have the correction of a line kept: what it says, and what was answered; else the same. */
export async function giveLine(key, picture, text, answer) {
  const image = await toDataUrl(picture);
  return call("v1/lines/feedback", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": key },
    body: JSON.stringify({ image, text, answer, consent: true }),
  });
}

/** Have the correction of a line deleted. */
export function deleteLine(id) {
  return call(`v1/lines/feedback/${id}`, { method: "DELETE" });
}

/** Have a correction deleted. */
export function deleteFeedback(id) {
  return call(`v1/feedback/${id}`, { method: "DELETE" });
}

/** From now on, send this key: a service that asks for one answers nobody else. */
export function useKey(key) {
  sessionStorage.setItem(KEY, key);
}

/** Return what runs at the other end. */
export function askVersion() {
  return call("version", {});
}

/** Return what is known about the model that answers. */
export function askModel() {
  return call("v1/model", {});
}

/** Return a figure of its evaluation, a PNG file. */
export async function askFigure(name) {
  const response = await send(`v1/model/figures/${encodeURIComponent(name)}`, {});
  return response.blob();
}

function ask(address, query, picture, signal) {
  const known = Object.entries(query).filter(([, value]) => value);
  const asked = known.length ? `?${new URLSearchParams(known)}` : "";
  return call(address + asked, toRequest(picture, signal));
}

function toRequest(file, signal) {
  const headers = { "Content-Type": file.type || "application/octet-stream" };
  return { method: "POST", headers, body: file, signal };
}

async function call(address, request) {
  const response = await send(address, request);
  return response.status === 204 ? null : response.json();
}

async function send(address, request) {
  let response;
  try {
    response = await fetch(address, withKey(request));
  } catch (error) {
    throw error.name === "AbortError" ? error : new Problem("unreachable");
  }
  if (response.ok) return response;
  const { code = "internal_error" } = await response.json().catch(() => ({}));
  throw new Problem(code, 1000 * Number(response.headers.get("Retry-After") ?? 0));
}

function withKey(request) {
  const key = sessionStorage.getItem(KEY);
  return key ? { ...request, headers: { ...request.headers, "X-API-Key": key } } : request;
}

function toDataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

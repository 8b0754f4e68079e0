/** The page about lines: a picture of one in, what it says, and what it should say. */

import { elementsById } from "./elements.js";
import { onFile } from "./files.js";
import { onKey } from "./key_form.js";
import { applyLanguage, onLanguage, preferredLanguage } from "./language.js";
import { LineCorrection } from "./line_correction.js";
import { LineText } from "./line_text.js";
import { LINE_TEXTS } from "./line_texts.js";
import { renderLine } from "./picture.js";
import { askVersion, readLine } from "./service.js";
import { describeProblem, TEXTS } from "./texts.js";

const at = elementsById();
const text = new LineText(at, texts);
const correction = new LineCorrection(at, texts);
let language = preferredLanguage();
/** What was chosen, what is said of it, or why nothing can be. */
let file = null;
let answer = null;
let problem = null;
let request = new AbortController();

function texts() {
  const own = LINE_TEXTS[language];
  const shared = TEXTS[language];
  return { ...shared, ...own, problems: { ...shared.problems, ...own.problems } };
}

function speak(chosen) {
  language = chosen;
  applyLanguage(language, texts());
  document.title = texts().title;
  show();
}

function show() {
  const isAsking = file && !answer && !problem;
  at.hint.hidden = Boolean(at.picture.src);
  at.frame.hidden = !at.picture.src;
  at.summary.textContent = isAsking ? texts().reading : describe();
  at.sureness.hidden = !answer?.text || answer.confidence == null;
  if (answer?.confidence != null) {
    const digits = { style: "percent", maximumFractionDigits: 0 };
    at.confidence.value = answer.confidence;
    at.percent.textContent = answer.confidence.toLocaleString(language, digits);
  }
  at["key-form"].hidden = problem?.code !== "unauthorized";
  at.model.textContent = answer ? texts().model(answer.model) : "";
  text.show();
  correction.show();
}

function describe() {
  if (problem) return describeProblem(problem, texts());
  if (!answer) return "";
  return answer.text ? texts().read(text.doubtful) : texts().empty;
}

function take(taken) {
  if (!taken) return;
  file = taken;
  read();
}

async function read() {
  if (!file) return;
  request.abort();
  request = new AbortController();
  const { signal } = request;
  set(null, null, null);
  showPicture(null);
  // A TIFF, say, is not shown by browsers: it is sent as it is, and cannot be kept.
  const picture = await renderLine(file).catch(() => null);
  if (signal.aborted) return;
  showPicture(picture);
  show();
  try {
    const found = await readLine(picture ?? file, at["written-in"].value, signal);
    if (!signal.aborted) set(found, null, picture);
  } catch (error) {
    if (!signal.aborted) set(null, error, null);
  }
}

function set(found, failed, picture) {
  answer = found;
  problem = failed;
  at.text.lang = at["written-in"].value;
  text.take(answer);
  correction.take(answer, picture);
  show();
}

function showPicture(picture) {
  if (at.picture.src) URL.revokeObjectURL(at.picture.src);
  at.picture.removeAttribute("src");
  if (picture) at.picture.src = URL.createObjectURL(picture);
}

/** Mark a place on the picture, or none. */
function mark(box) {
  at.mark.hidden = !box;
  if (!box) return;
  const { width, height } = answer;
  Object.assign(at.mark.style, {
    left: `${(100 * box.left) / width}%`,
    top: `${(100 * box.top) / height}%`,
    width: `${(100 * box.width) / width}%`,
    height: `${(100 * box.height) / height}%`,
  });
}

text.addEventListener("choose", () => {
  at.said.value = text.text;
  (at.text.querySelector("button") ?? at.said).focus();
});
text.addEventListener("point", ({ detail }) => mark(detail));
at.said.addEventListener("input", () => text.lock());
at["written-in"].addEventListener("change", read);
onFile(at, at.place, take);
onKey(at, read);
onLanguage(speak);

speak(language);
askVersion().then(
  ({ tasks }) => {
    at.back.hidden = !("glyph" in tasks);
  },
  () => {}, // who cannot be asked now says so when a line is to be read
);

/** The page about documents: a file in, what it is, and where on it that can be seen. */

import { DOCUMENT_TEXTS } from "./document_texts.js";
import { elementsById, make } from "./elements.js";
import { onFile } from "./files.js";
import { onKey } from "./key_form.js";
import { applyLanguage, onLanguage, preferredLanguage } from "./language.js";
import { askVersion, explainDocument, readDocument } from "./service.js";
import { describeProblem, TEXTS } from "./texts.js";

/** Below this it is said that the answer is not sure. */
const SURE_FROM = 0.8;

const at = elementsById();
let language = preferredLanguage();
/** What was chosen, its number of pages, what is said of the page, or why nothing can be. */
let file = null;
let pages = 1;
let answer = null;
let problem = null;
/** What is shown: the page as it was `sent`, or coloured by one of the two methods. */
let view = "sent";
/** Addresses of the pictures of this page that there are, by view. */
let pictures = {};
let request = new AbortController();

function texts() {
  const own = DOCUMENT_TEXTS[language];
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
  showPicture();
  showAnswer();
  at["key-form"].hidden = problem?.code !== "unauthorized";
  at["page-place"].hidden = pages < 2;
  at.pages.textContent = texts().ofPages(pages);
}

function showPicture() {
  const address = pictures[view];
  at.picture.hidden = !address;
  at.hint.hidden = Boolean(address);
  if (address && at.picture.src !== address) at.picture.src = address;
  at.picture.alt = view === "sent" ? texts().picture : texts().overlay;
  at.views.hidden = !answer || answer.label === "blank";
  at.colours.hidden = view === "sent" || !address;
  for (const button of at.views.querySelectorAll("button")) {
    button.ariaPressed = String(button.dataset.view === view);
    button.disabled = button.dataset.view === "sent" && !pictures.sent;
  }
}

function showAnswer() {
  const isAsking = file && !answer && !problem;
  at.label.textContent = answer ? texts().labels[answer.label] : "";
  at.sureness.hidden = answer?.confidence == null;
  if (answer?.confidence != null) {
    at.confidence.value = answer.confidence;
    at.percent.textContent = toPercent(answer.confidence);
  }
  at.note.textContent = isAsking ? texts().reading : describe();
  at["parts-place"].hidden = !answer?.parts.length;
  at.parts.replaceChildren(...(answer?.parts ?? []).map(toRow));
  at.model.textContent = answer ? texts().model(answer.model) : "";
}

function describe() {
  if (problem) return describeProblem(problem, texts());
  if (!answer || answer.label === "blank") return "";
  if (answer.confidence < SURE_FROM) return texts().unsure;
  return answer.label === "printed" ? texts().typed : "";
}

function toRow({ label, confidence }, place) {
  return make(
    "li",
    {},
    make("b", {}, String(place + 1)),
    make("span", {}, texts().labels[label]),
    make("data", { value: confidence }, toPercent(confidence)),
  );
}

function toPercent(share) {
  const digits = { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 };
  return share.toLocaleString(language, digits);
}

function take(taken) {
  if (!taken) return;
  file = taken;
  pages = 1;
  at.page.value = 1;
  read();
}

/** Ask what the page is, and then at once where that can be seen. */
async function read() {
  if (!file) return;
  request.abort();
  request = new AbortController();
  const { signal } = request;
  forgetPictures();
  answer = problem = null;
  view = "sent";
  if (await isShownByBrowsers(file)) pictures.sent = URL.createObjectURL(file);
  if (signal.aborted) return;
  show();
  try {
    const found = await readDocument(file, at.page.value, signal);
    if (signal.aborted) return;
    answer = found;
    pages = answer.pages;
    at.page.max = pages;
    show();
    if (answer.label !== "blank") await look("grad_cam");
    else if (!pictures.sent) await look("grad_cam");
  } catch (error) {
    fail(error, signal);
  }
}

/** Show the page in another way, which is asked for if it was not before. */
async function look(chosen) {
  view = chosen;
  show();
  if (pictures[chosen]) return;
  const { signal } = request;
  try {
    const overlay = await explainDocument(file, at.page.value, chosen, signal);
    if (signal.aborted) return;
    pictures[chosen] = URL.createObjectURL(overlay);
  } catch (error) {
    fail(error, signal);
  }
  show();
}

function fail(error, signal) {
  if (signal.aborted) return;
  problem = error;
  show();
}

function forgetPictures() {
  for (const address of Object.values(pictures)) URL.revokeObjectURL(address);
  pictures = {};
  at.picture.removeAttribute("src");
}

/** Return whether a file is a picture that the browser can show: TIFF and PDF mostly are not. */
async function isShownByBrowsers(taken) {
  try {
    (await createImageBitmap(taken)).close();
    return true;
  } catch {
    return false;
  }
}

onFile(at, at.place, take);
at.page.addEventListener("change", () => {
  if (at.page.checkValidity()) read();
});
for (const button of at.views.querySelectorAll("button")) {
  button.addEventListener("click", () => look(button.dataset.view));
}
onKey(at, read);
onLanguage(speak);

speak(language);
askVersion().then(
  ({ tasks }) => {
    at.back.hidden = !("glyph" in tasks);
  },
  () => {}, // who cannot be asked now says so when a document is to be read
);

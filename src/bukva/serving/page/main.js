/** The page: a sheet to draw on, and what is read on it. */

import { showAnswer, showSentence } from "./answer.js";
import { Corrections } from "./corrections.js";
import { Drawing } from "./drawing.js";
import { elementsById } from "./elements.js";
import { Explanation } from "./explanation.js";
import { onFile } from "./files.js";
import { onKey } from "./key_form.js";
import { applyLanguage, onLanguage, preferredLanguage } from "./language.js";
import { Pad } from "./pad.js";
import { renderDrawing, renderFile, sourceOf } from "./picture.js";
import { Reader } from "./reader.js";
import { askVersion, Problem } from "./service.js";
import { countSymbols } from "./symbol_count.js";
import { describeProblem, TEXTS } from "./texts.js";

const at = elementsById();
const drawing = new Drawing();
const pad = new Pad(at.pad, drawing, () => Number(at["pen-width"].value));
const reader = new Reader();
const corrections = new Corrections(at, reader, () => TEXTS[language]);
const explanation = new Explanation(at, reader);
let language = preferredLanguage();
let model = null;
/** What was chosen, shown at once; and what is sent of it, when that is made. */
let chosen = null;
let file = null;

function show() {
  const texts = TEXTS[language];
  const { answer, problem } = reader;
  if (answer) showAnswer(at, answer, countSymbols(drawing.strokes), texts);
  else if (problem) showSentence(at, describeProblem(problem, texts));
  else showSentence(at, "");
  at.more.hidden = !answer;
  at["key-form"].hidden = problem?.code !== "unauthorized";
  at.model.textContent = model ? texts.model(model) : "";
  corrections.show();
}

function showSheet() {
  at.undo.disabled = !drawing.canUndo;
  at.redo.disabled = !drawing.canRedo;
  at.replay.disabled = drawing.isEmpty;
  at.clear.disabled = drawing.isEmpty && !chosen;
  at.hint.hidden = !drawing.isEmpty || Boolean(chosen);
  at.picture.hidden = !chosen;
}

function speak(chosen) {
  language = chosen;
  applyLanguage(language, TEXTS[language]);
  show();
}

/** From now on only letters are drawn, or only digits, or both. */
function mean(expected) {
  reader.expected = expected;
  for (const button of document.querySelectorAll("[data-expected]")) {
    button.ariaPressed = String(button.dataset.expected === expected);
  }
  readAgain();
}

function readDrawing() {
  if (drawing.isEmpty) reader.forget();
  else reader.read(() => renderDrawing(drawing.strokes), "drawing");
}

/** Read what is on the sheet now, at once. */
function readAgain() {
  if (file) reader.read(() => file, sourceOf(chosen), 0);
  else readDrawing();
}

async function takeFile(taken) {
  if (!taken) return;
  dropFile();
  drawing.clear();
  chosen = taken;
  at.picture.src = URL.createObjectURL(chosen);
  showSheet();
  let made = null;
  try {
    made = await renderFile(taken);
  } catch {
    if (chosen !== taken) return;
    dropFile();
    reader.fail(new Problem("unreadable"));
  }
  // Meanwhile another may have been chosen, or something drawn.
  if (chosen !== taken) return;
  file = made;
  readAgain();
}

function dropFile() {
  if (!chosen) return;
  URL.revokeObjectURL(at.picture.src);
  chosen = file = null;
  showSheet();
}

function clear() {
  dropFile();
  drawing.clear();
  readDrawing();
}

drawing.addEventListener("change", () => {
  explanation.hide();
  if (!drawing.isEmpty) dropFile();
  showSheet();
});
drawing.addEventListener("done", readDrawing);
reader.addEventListener("change", show);

at.undo.addEventListener("click", () => drawing.undo());
at.redo.addEventListener("click", () => drawing.redo());
at.replay.addEventListener("click", () => pad.replay());
at.clear.addEventListener("click", clear);
at.why.addEventListener("click", () => explanation.toggle());
onFile(at, at.pad.parentElement, takeFile);
onKey(at, readAgain);
onLanguage(speak);
for (const button of document.querySelectorAll("[data-expected]")) {
  button.addEventListener("click", () => mean(button.dataset.expected));
}

document.addEventListener("keydown", (event) => {
  if (event.target.closest("dialog, form")) return;
  const key = event.key.toLowerCase();
  const withControl = event.ctrlKey || event.metaKey;
  if (withControl && key === "z") event.shiftKey ? drawing.redo() : drawing.undo();
  else if (withControl && key === "y") drawing.redo();
  else if (key === "delete") clear();
  else if (key === "enter" && !event.target.closest("button, a, summary, input")) readAgain();
  else return;
  event.preventDefault();
});

speak(language);
mean("");
showSheet();
askVersion().then(
  (version) => {
    ({ model } = version);
    at.documents.hidden = !version.tasks.document;
    at.lines.hidden = !version.tasks.line;
    show();
  },
  () => {}, // who cannot be asked now says so when a drawing is to be read
);

/** The review: one drawing after the other, decided by keys; each decision is stored at once. */

import { elementsById, make } from "../page/elements.js";

const LETTERS = "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя";
const GROUPS = ["0123456789", LETTERS, LETTERS.toUpperCase()];
const SYMBOLS = GROUPS.join("");
const NO_SYMBOL = "∅";

const at = elementsById();
let drawings = [];
/** Whether the answer to a decision is awaited: keys pressed meanwhile would meet another drawing. */
let isBusy = false;

/** The first drawing that nobody decided. */
function current() {
  return drawings.find((drawing) => !drawing.decision);
}

/** The drawing that was decided last, also before the page was opened. */
function latest() {
  const decided = drawings.filter((drawing) => drawing.decision);
  const moment = (drawing) => Date.parse(drawing.decision.decided);
  return decided.reduce((one, other) => (one && moment(one) > moment(other) ? one : other), null);
}

function show() {
  const drawing = current();
  const count = drawings.filter(({ decision }) => decision).length;
  at.bar.max = drawings.length || 1;
  at.bar.value = drawings.length ? count : 1;
  at.count.textContent = `${count} of ${drawings.length}`;
  at.desk.hidden = !drawing;
  at.undo.disabled = !count;
  if (drawing) showDrawing(drawing);
  else at.state.textContent = "All are reviewed. The next feedback_ingestion takes it into account.";
}

function showDrawing(drawing) {
  const { name, given, answer, created, reading, reading_probability: probability } = drawing;
  at.state.textContent = "";
  at.drawing.src = `drawings/${name}/image`;
  at.created.textContent = new Date(created).toLocaleString();
  at.given.textContent = given;
  at.reading.textContent = reading;
  at.reading.title = reading === NO_SYMBOL ? "no symbol" : "";
  at.answer.textContent = answer ?? "–";
  const rows = drawing.alternatives.map(({ symbol, probability }) => row(symbol, probability));
  if (reading === NO_SYMBOL) rows.unshift(row(NO_SYMBOL, probability));
  at.alternatives.replaceChildren(...rows);
}

function row(symbol, probability) {
  const percent = `${(100 * probability).toFixed(1)} %`;
  return make(
    "li", {},
    make("b", {}, symbol),
    make("meter", { value: probability, textContent: percent }),
    make("data", { value: probability }, percent),
  );
}

async function decide(symbol) {
  const drawing = current();
  if (!drawing) return;
  await change(drawing, "PUT", { symbol });
}

async function undo() {
  const drawing = latest();
  if (drawing) await change(drawing, "DELETE");
}

/** Have a decision stored or taken back, then show what comes next. */
async function change(drawing, method, content) {
  if (isBusy) return;
  isBusy = true;
  try {
    const body = content && JSON.stringify(content);
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(`drawings/${drawing.name}/decision`, { method, headers, body });
    if (!response.ok) throw new Error((await response.json()).detail);
    drawing.decision = method === "PUT" ? await response.json() : null;
    show();
  } catch (error) {
    at.state.textContent = `Nothing was stored: ${error.message}`;
  } finally {
    isBusy = false;
  }
}

function takeReading() {
  const drawing = current();
  if (drawing) decide(drawing.reading === NO_SYMBOL ? null : drawing.reading);
}

const KEYS = {
  Enter: () => current() && decide(current().given),
  " ": takeReading,
  Delete: () => decide(null),
  Backspace: undo,
};

function isSymbol(key) {
  return key.length === 1 && SYMBOLS.includes(key);
}

function makeKey(symbol) {
  return make("button", { type: "button", textContent: symbol, onclick: () => decide(symbol) });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  // Who went to a button with Tab presses that one.
  if (["Enter", " "].includes(event.key) && event.target.closest("button")) return;
  const act = KEYS[event.key] ?? (isSymbol(event.key) && (() => decide(event.key)));
  if (!act) return;
  event.preventDefault();
  act();
});

// Else Enter and Space would press the button again that was clicked last.
document.addEventListener("click", ({ detail, target }) => {
  if (detail) target.closest("button")?.blur();
});

at.accept.addEventListener("click", KEYS.Enter);
at.take.addEventListener("click", takeReading);
at.reject.addEventListener("click", KEYS.Delete);
at.undo.addEventListener("click", undo);
at.symbols.replaceChildren(
  ...GROUPS.map((group) => make("div", { className: "symbols" }, ...[...group].map(makeKey))),
);

try {
  const response = await fetch("drawings");
  drawings = await response.json();
  show();
} catch {
  at.state.textContent = "The drawings cannot be read. Does the command still run?";
}

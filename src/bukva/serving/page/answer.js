/** What the recogniser answered, for people. */

import { LETTER_NAMES } from "./texts.js";

/** Below this the other symbols are worth a look. */
const SURE_FROM = 0.7;

/** Show an answer of the service. */
export function showAnswer(elements, answer, texts) {
  const [summary, note] = describe(answer, texts);
  elements.symbol.textContent = answer.is_symbol ? answer.symbol : "∅";
  elements.symbol.classList.toggle("unsure", !answer.is_symbol || answer.confidence < SURE_FROM);
  elements.summary.textContent = summary;
  elements.note.textContent = note;
  elements.alternatives.replaceChildren(...answer.alternatives.map(toBar));
}

/** Show a sentence in place of an answer. */
export function showSentence(elements, sentence) {
  elements.symbol.textContent = "";
  elements.summary.textContent = sentence;
  elements.note.textContent = "";
  elements.alternatives.replaceChildren();
}

/** Return a sentence that names the symbol, and one that says how far it may be trusted. */
export function describe(answer, texts) {
  if (!answer.is_symbol) return [texts.refused, texts.refusedNote];
  const kind = texts[answer.case ?? "digit"];
  const summary = texts.summary(kind, answer.symbol, LETTER_NAMES[answer.label]);
  if (answer.confidence < SURE_FROM) return [summary, texts.unsure];
  return [summary, answer.case === "either" ? texts.eitherNote : ""];
}

function toBar({ symbol, probability }) {
  const item = document.createElement("li");
  const name = document.createElement("b");
  name.textContent = symbol;
  const bar = Object.assign(document.createElement("meter"), { value: probability });
  const share = document.createElement("data");
  share.value = probability;
  share.textContent = `${(100 * probability).toFixed(1)} %`;
  item.append(name, bar, share);
  return item;
}

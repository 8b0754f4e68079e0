/** What the recogniser answered, for people. */

import { make } from "./elements.js";
import { LETTER_NAMES } from "./texts.js";

/** Below this the other symbols are worth a look. */
const SURE_FROM = 0.7;

/** Show an answer of the service about a sheet on which so many symbols seem to stand. */
export function showAnswer(elements, answer, symbolCount, texts) {
  const [summary, note] = describe(answer, symbolCount, texts);
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
function describe(answer, symbolCount, texts) {
  if (!answer.is_symbol) return describeRefusal(symbolCount, texts);
  const kind = texts[answer.case ?? "digit"];
  const summary = texts.summary(kind, answer.symbol, LETTER_NAMES[answer.label]);
  if (answer.confidence < SURE_FROM) return [summary, texts.unsure];
  return [summary, answer.case === "either" ? texts.eitherNote : ""];
}

function describeRefusal(symbolCount, texts) {
  if (symbolCount > 1) return [symbolCount === 2 ? texts.twoSymbols : texts.manySymbols, ""];
  return [texts.refused, texts.refusedNote];
}

function toBar({ symbol, probability }) {
  return make(
    "li",
    {},
    make("b", {}, symbol),
    make("meter", { value: probability }),
    make("data", { value: probability }, `${(100 * probability).toFixed(1)} %`),
  );
}

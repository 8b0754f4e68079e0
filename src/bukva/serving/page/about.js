/** The page about the model: what it is, how good it is, and what it cannot do. */

import { ABOUT_TEXTS } from "./about_texts.js";
import { renderCard } from "./card.js";
import { elementsById, make } from "./elements.js";
import { onKey } from "./key_form.js";
import { applyLanguage, onLanguage, preferredLanguage } from "./language.js";
import { describeRefusals, fillTable, listScopes } from "./results.js";
import { askFigure, askModel } from "./service.js";
import { describeProblem, TEXTS } from "./texts.js";

/** Wait this long before a question is asked again, where the service does not say. */
const PAUSE_MS = 1000;
const DIGEST_LENGTH = 12;

const at = elementsById();
let language = preferredLanguage();
let model = null;
let problem = null;
/** Name and address of each figure. */
let figures = [];
let timer = 0;

function texts() {
  return { ...TEXTS[language], ...ABOUT_TEXTS[language] };
}

function speak(chosen) {
  language = chosen;
  applyLanguage(language, texts());
  show();
}

function show() {
  showState();
  if (!model) return;
  showFacts();
  showResults();
  showFigures();
}

function showState() {
  if (model) at.state.textContent = "";
  else at.state.textContent = problem ? describeProblem(problem, texts()) : texts().loading;
  at["key-form"].hidden = problem?.code !== "unauthorized";
  at["again-place"].hidden = !problem || !at["key-form"].hidden;
}

function showFacts() {
  const { name, version, since, digest, seal, signed, unsigned } = texts();
  const loaded = new Date(model.loaded);
  const moment = loaded.toLocaleString(language, { dateStyle: "long", timeStyle: "short" });
  const whole = model.files_sha256;
  const short = make("code", { title: whole }, whole.slice(0, DIGEST_LENGTH));
  const facts = [
    [name, model.model.name],
    [version, model.model.version],
    [since, make("time", { dateTime: model.loaded }, moment)],
    [digest, short],
    [seal, model.is_signed ? signed : unsigned],
  ];
  at.facts.replaceChildren(
    ...facts.map(([term, fact]) => make("div", {}, make("dt", {}, term), make("dd", {}, fact))),
  );
}

function showResults() {
  const { results } = model;
  const isMeasured = listScopes(results).length > 0;
  at.results.hidden = false;
  at.measured.hidden = !isMeasured;
  at.unmeasured.hidden = isMeasured;
  fillTable(at.table, results, language, texts());
  at.refusals.textContent = describeRefusals(results, language, texts());
}

function showFigures() {
  at.confusions.hidden = !figures.length;
  at.figures.replaceChildren(
    ...figures.map(([name, address]) => {
      const alt = texts().figures[name] ?? texts().figure(name);
      return make("a", { href: address, target: "_blank" }, make("img", { src: address, alt }));
    }),
  );
}

function showCard() {
  at["card-place"].hidden = !model.card;
  at.card.replaceChildren(...renderCard(model.card));
}

async function load() {
  clearTimeout(timer);
  problem = null;
  show();
  try {
    model = await askModel();
  } catch (error) {
    problem = error;
    if (problem.isPassing) timer = setTimeout(load, problem.retryAfterMs || PAUSE_MS);
  }
  show();
  if (!model) return;
  showCard();
  figures = await loadFigures(model.figures);
  showFigures();
}

/** The figures that could be had, labels first: a model that came in between may have others. */
async function loadFigures(names) {
  names.sort((one, other) => other.startsWith("label") - one.startsWith("label"));
  const loaded = await Promise.allSettled(
    names.map(async (name) => [name, URL.createObjectURL(await askFigure(name))]),
  );
  return loaded.filter(({ status }) => status === "fulfilled").map(({ value }) => value);
}

onLanguage(speak);
onKey(at, load);
at.again.addEventListener("click", load);
applyLanguage(language, texts());
load();

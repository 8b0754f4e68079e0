/** The results of a model as a table, from the flat keys of its evaluation. */

import { make } from "./elements.js";

const COLUMNS = {
  label: "label_accuracy",
  letters: "letters.label_accuracy",
  case: "letters.case_accuracy",
  both: "letters.joint_accuracy",
};
/** These are no corpora, and stand below them. */
const SUMMARIES = ["published", "all"];
const SYNTHETIC = new Set(["fonts", "strokes"]);

/** Return the sets of samples that there are results of. */
export function listScopes(results) {
  const scopes = Object.keys(results).flatMap((key) => /^([^.]+)\.label_accuracy$/.exec(key)?.[1] ?? []);
  const [corpora, summaries] = [false, true].map((isSummary) =>
    scopes.filter((scope) => SUMMARIES.includes(scope) === isSummary),
  );
  return [...corpora.sort(), ...summaries.sort().reverse()];
}

/** Fill a table with the accuracies of each set of samples. */
export function fillTable(table, results, language, texts) {
  const columns = Object.keys(COLUMNS);
  const titles = [texts.samples, ...columns.map((column) => texts[column]), texts.count];
  const head = titles.map((title) => make("th", { scope: "col" }, title));
  const rows = listScopes(results).map((scope) =>
    make(
      "tr",
      {},
      nameScope(scope, texts),
      ...columns.map((column) => showShare(results, `${scope}.${COLUMNS[column]}`, language)),
      make("td", {}, formatCount(results[`${scope}.label_accuracy.n`], language)),
    ),
  );
  table.replaceChildren(
    make("thead", {}, make("tr", {}, ...head)),
    make("tbody", {}, ...rows),
  );
}

/** Return what the model refuses in a sentence; empty where that was not measured. */
export function describeRefusals(results, language, texts) {
  const [kept, pair] = [results["refusal.kept"], results["refusal.pair.refused"]];
  if (!Number.isFinite(kept)) return "";
  const percent = percentIn(language);
  return texts.refusals(percent(1 - kept), Number.isFinite(pair) ? percent(pair) : "");
}

function nameScope(scope, texts) {
  const heading = make("th", { scope: "row" }, texts.corpora[scope] ?? scope);
  const name = SYNTHETIC.has(scope) ? `${scope}, ${texts.synthetic}` : scope;
  if (!SUMMARIES.includes(scope)) heading.append(make("small", {}, name));
  return heading;
}

function showShare(results, key, language) {
  const [share, interval] = [results[key], results[`${key}.ci95`]];
  if (!Number.isFinite(share)) return make("td", {}, "–");
  const cell = make("td", {}, percentIn(language)(share));
  if (interval) cell.append(make("small", {}, interval.map(numberIn(language)).join("–")));
  return cell;
}

function formatCount(count, language) {
  return Number.isFinite(count) ? count.toLocaleString(language) : "–";
}

const ONE_DIGIT = { minimumFractionDigits: 1, maximumFractionDigits: 1 };

function percentIn(language) {
  const format = new Intl.NumberFormat(language, { style: "percent", ...ONE_DIGIT });
  return (share) => format.format(share);
}

/** Percent, without the sign. */
function numberIn(language) {
  const format = new Intl.NumberFormat(language, ONE_DIGIT);
  return (share) => format.format(100 * share);
}

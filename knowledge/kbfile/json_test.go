package kbfile

import (
	"strings"
	"testing"
)

func TestReadJSON(t *testing.T) {
	t.Parallel()
	line := func(n int) Place { return Place{FormatJSONL, n, n} }
	unknown := "неизвестное поле не загружается. Если оно нужно, укажите, что в нём: --map \"source=…\" " + mapHint
	for _, tc := range []readCase{
		{
			name: "all fields, BOM, CRLF, blank lines",
			data: "\xef\xbb\xbf\r\n{\"id\":\"7\",\"question\":\" Как?\",\"answer\":\"раз\\r\\nдва\",\"aliases\":[\"а\",\"\",\"б  в\",\"а\",\"Как?\"],\"topic\":\"Сделки\",\"alt_answers\":[\"Эдак\"]}\r\n\r\n" +
				"{\"question\":\"Где?\",\"answer\":\"Тут\",\"id\":null,\"aliases\":null}",
			want: []Entry{
				{ID: "7", Question: "Как?", Answer: "раз\nдва", Topic: "Сделки", Aliases: []string{"а", "б в"}, AltAnswers: []string{"Эдак"}, Place: line(2)},
				{Question: "Где?", Answer: "Тут", Place: line(4)},
			},
		},
		{
			name: "number as id, Russian keys, one alias as a string", data: "{\"номер\":12,\"Вопрос\":\"Как?\",\"ОТВЕТ\":\"Так\",\"варианты\":\"а\"}",
			want: []Entry{{ID: "12", Question: "Как?", Answer: "Так", Aliases: []string{"а"}, Place: line(1)}},
		},
		{
			name: "--map", data: "{\"q\":\"Как?\",\"a\":\"Так\"}", options: Options{Map: map[string]string{"q": "question", "a": "answer"}},
			want: []Entry{{Question: "Как?", Answer: "Так", Place: line(1)}},
		},
		{
			name: "answer optional", data: "{\"question\":\"Как?\"}", options: Options{AnswerOptional: true},
			want: []Entry{{Question: "Как?", Place: line(1)}},
		},
		{
			name: "unknown field, once; a line of 5 MB",
			data: "{\"question\":\"Как?\",\"answer\":\"Так\",\"source\":\"" + strings.Repeat("x", 5<<20) + "\"}\n{\"question\":\"Где?\",\"answer\":\"Тут\",\"source\":{\"a\":[1]}}",
			want: []Entry{
				{Question: "Как?", Answer: "Так", Place: line(1)},
				{Question: "Где?", Answer: "Тут", Place: line(2)},
			},
			problems: []string{"W строка 1, поле «source»: " + unknown},
		},
		{
			name: "every bad line is told",
			data: strings.Join([]string{
				`{"question":"а","answer":"б"}`,
				`{"question":1,"answer":"б"}`,
				`{"question":"в"}`,
				`["г"]`,
				`вопрос`,
				`{"question":"обрыв`,
				`{"question":"д","вопрос":"е","answer":"ж"}`,
				"{\"question\":\"Й\",\"answer\":\"\xff\"}",
				`{"question":"з","answer":"и","aliases":[1]}`,
				`{"question":"к","answer" "л"}`,
				`{"question":"м","answer":"н"},`,
				`{"question":"А?","answer":"о\u0000п"}`,
			}, "\n"),
			problems: []string{
				"E строка 2, поле «question»: неверное значение: ожидается строка в кавычках",
				"E строка 3, поле «answer»: " + noAnswer,
				"E строка 4: здесь нужен объект {\"question\": …, \"answer\": …}",
				"E строка 5: символ 1 нарушает правила JSON. Проверьте кавычки и запятые; каждая запись — отдельный объект {…}",
				"E строка 6: запись обрывается, JSON не закончен. Проверьте кавычки и закрывающую скобку; каждая запись — в одной строке",
				"E строка 7, поле «вопрос»: поле question указано дважды («question» и «вопрос»). Оставьте одно",
				"E строка 8: текст повреждён: часть его не в UTF-8. Сохраните файл заново в UTF-8 целиком",
				"E строка 9, поле «aliases»: неверное значение: ожидается список строк: [\"…\", \"…\"]",
				"E строка 10: символ 26 нарушает правила JSON. Проверьте кавычки и запятые; каждая запись — отдельный объект {…}",
				"E строка 11: после объекта в строке есть что-то ещё. Оставьте в строке один объект {…}, без запятой после него",
				"E строка 12, поле «answer»: в тексте нулевой символ (U+0000): файл, вероятно, повреждён. Сохраните его заново",
				"W строка 12, поле «question»: такой же вопрос уже есть в строке 1. Если ответы говорят об одном, оставьте одну запись",
			},
		},
		{
			name: "line too long", data: "{\"question\":\"" + strings.Repeat("x", MaxRecordSize) + "\"}\n{\"question\":\"Где?\"}",
			problems: []string{
				"E строка 1: строка длиннее 8 МБ. Проверьте, не повреждён ли файл",
				"E строка 2, поле «answer»: " + noAnswer,
			},
		},
		{
			name: "no known key", data: "{\"q\":\"Как?\",\"answer\":\"Так\"}",
			err: "ни в одной записи нет поля с вопросом (question). Найдены поля: «q», «answer». Укажите своё: --map \"q=question\"",
			problems: []string{
				"E строка 1, поле «question»: " + noQuestion,
				"W строка 1, поле «q»: " + strings.ReplaceAll(unknown, "source", "q"),
			},
		},
		{
			name: "--map names a key that is not there", data: "{\"question\":\"Как?\",\"answer\":\"Так\"}", options: Options{Map: map[string]string{"раздел": "topic"}},
			err: "--map: ни в одной записи нет поля «раздел». Найдены поля: «question», «answer»",
		},
		{
			name: "object over several lines", data: "{\n  \"question\": \"Как?\"\n}\n",
			err: "строка 1: запись занимает несколько строк. Запишите каждую запись в одну строку или все вместе массивом: [ {…}, {…} ]",
		},
	} {
		tc.file = "a.jsonl"
		t.Run(tc.name, tc.run)
	}
}

func TestReadJSONArray(t *testing.T) {
	t.Parallel()
	long := "{\"question\":\"Где?\",\"source\":\"" + strings.Repeat("x", MaxRecordSize/2) + "\"}"
	for _, tc := range []readCase{
		{
			name: "array", data: "\xef\xbb\xbf\n[\n  {\"question\": \"Как?\",\n   \"answer\": \"Так\"},\n  {\"question\": \"Где?\", \"answer\": \"Тут\"}\n]\n",
			want: []Entry{
				{Question: "Как?", Answer: "Так", Place: Place{FormatJSON, 1, 3}},
				{Question: "Где?", Answer: "Тут", Place: Place{FormatJSON, 2, 5}},
			},
		},
		{
			name: "element broken", data: "[\n{\"question\": \"Как?\"},\n7,\n\n{\"question\": Где?},\n{}]",
			problems: []string{
				"E запись 1 (2-я строка файла), поле «answer»: " + noAnswer,
				"E запись 2 (3-я строка файла): здесь нужен объект {\"question\": …, \"answer\": …}",
				"E запись 3 (5-я строка файла): запись или запятая перед ней нарушает правила JSON; всё после неё не проверено. Проверьте кавычки, запятые и скобки",
			},
		},
		{
			name: "not closed", data: "[{\"question\":\"Как?\",\"answer\":\"Так\"}\n",
			problems: []string{"E запись 1 (1-я строка файла): после этой записи массив JSON не закрыт или за ним следует что-то ещё. Файл должен кончаться скобкой «]»"},
		},
		{
			name: "something follows", data: "[{\"question\":\"Как?\",\"answer\":\"Так\"}]\n[]",
			problems: []string{"E запись 1 (1-я строка файла): после этой записи массив JSON не закрыт или за ним следует что-то ещё. Файл должен кончаться скобкой «]»"},
		},
		{
			name: "long elements, longer in all than one may be",
			data: "[" + long + ",\n" + long + ",\n" + long + ",\n{\"question\":\"Как?\"}]",
			want: []Entry{
				{Question: "Где?", Place: Place{FormatJSON, 1, 1}}, {Question: "Где?", Place: Place{FormatJSON, 2, 2}},
				{Question: "Где?", Place: Place{FormatJSON, 3, 3}}, {Question: "Как?", Place: Place{FormatJSON, 4, 4}},
			},
			options: Options{AnswerOptional: true, Map: map[string]string{"source": "-"}},
			problems: []string{
				"W запись 2 (2-я строка файла), поле «question»: такой же вопрос уже есть в записи 1 (1-я строка файла). Если ответы говорят об одном, оставьте одну запись",
				"W запись 3 (3-я строка файла), поле «question»: такой же вопрос уже есть в записи 1 (1-я строка файла). Если ответы говорят об одном, оставьте одну запись",
			},
		},
		{
			name: "element too long", data: "[{\"question\":\"" + strings.Repeat("x", MaxRecordSize+sniffSize) + "\"},\n{}]",
			problems: []string{"E запись 1 (1-я строка файла): запись длиннее 8 МБ. Проверьте, не повреждён ли файл; всё после неё не проверено"},
		},
		{
			name: "no known key", data: "[{\"q\":\"Как?\"}]", options: Options{AnswerOptional: true},
			err: "ни в одной записи нет поля с вопросом (question). Найдены поля: «q». Укажите своё: --map \"q=question\"",
			problems: []string{
				"E запись 1 (1-я строка файла), поле «question»: " + noQuestion,
				"W запись 1 (1-я строка файла), поле «q»: неизвестное поле не загружается. Если оно нужно, укажите, что в нём: --map \"q=…\" " + mapHint,
			},
		},
	} {
		tc.file = "a.json"
		t.Run(tc.name, tc.run)
	}
}

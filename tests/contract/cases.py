"""The API's contract, as a table: each request and its answer.

The map behind the API is the built-in one: ABN, ING, Rabo, Triodos and Volksbank.
"""

import enum
import json
from dataclasses import dataclass, field
from typing import Any

from contract.front_door import Capability as Needs

JSON = "application/json"
TEXT = "text/plain"

NOT_JSON = "Something went wrong in decoding Payload"
MALFORMED = "Malformed Input"
FORBIDDEN = "Forbidden"
NOT_FOUND = "Not Found"


class Key(enum.Enum):
    RIGHT = "the right key"
    NONE = "no key"
    WRONG = "a wrong key"
    EMPTY = "an empty key"
    PREFIX = "all of the right key but its last character"
    LONGER = "the right key and one character more"


@dataclass(frozen=True)
class Answer:
    """The status, and the body: a `{"message": ...}` if `json`, else bare text. `None`: any."""

    status: int
    body: str | None
    json: bool = True


@dataclass(frozen=True)
class Case:
    name: str
    body: bytes
    answer: Answer
    content_type: str | None = JSON
    method: str = "POST"
    path: str = "/string/replace"
    headers: dict[str, str] = field(default_factory=dict)
    key: Key = Key.RIGHT
    needs: Needs | None = None


def message(text: str) -> Answer:
    return Answer(200, text)


def text(text: str) -> Answer:
    return Answer(200, text, json=False)


def error(status: int, message: str | None) -> Answer:
    return Answer(status, message)


def content(text: Any) -> bytes:
    return json.dumps({"content": text}, ensure_ascii=False).encode()


REPLACED = [
    Case("every rule", content("ABN, ING, Rabo, Triodos, Volksbank"), message("ABN AMRO, ING BANK, Rabobank, Triodos Bank, de Volksbank")),
    Case("any case", content("abn aBn ABN"), message("ABN AMRO ABN AMRO ABN AMRO")),
    Case("whole words only", content("ingot, kabn, ABN2, ing_"), message("ingot, kabn, ABN2, ing_")),
    Case("letters of any script make a word", content("éing 中ing ingé"), message("éing 中ing ingé")),
    Case("punctuation ends a word", content("“ING” ing-bank (abn)."), message("“ING BANK” ING BANK-bank (ABN AMRO).")),
    Case("what is put in is not replaced again", content("abn amro"), message("ABN AMRO amro")),
    Case("no match", content("nothing here"), message("nothing here")),
    Case("empty content", content(""), message("")),
    Case("any script stays as it is", content("Größe 中文 ελλάς русский 🙂👨‍👩‍👧 é"), message("Größe 中文 ελλάς русский 🙂👨‍👩‍👧 é")),
    Case("between characters of four bytes", content("🙂abn🙂"), message("🙂ABN AMRO🙂")),
    Case("white space stays as it is", content(" \t\r\n abn \u00a0\u2028\r\n"), message(" \t\r\n ABN AMRO \u00a0\u2028\r\n")),
    Case("control characters", content("\u0000\u0001\u001f\u007f abn"), message("\u0000\u0001\u001f\u007f ABN AMRO")),
    Case("quotes and backslashes", content('"abn" \\ing\\ /rabo/'), message('"ABN AMRO" \\ING BANK\\ /Rabobank/')),
    Case("HTML is only text", content("<b>abn</b> &amp; ing"), message("<b>ABN AMRO</b> &amp; ING BANK")),
]  # fmt: skip

ESCAPED = [
    Case("escaped letters are letters", rb'{"content": "\u0041\u0042N"}', message("ABN AMRO")),
    Case("an escaped letter continues a word", rb'{"content": "abn\u0073 \u00e9ing"}', message("abns éing")),
    Case("an escaped line feed ends a word", rb'{"content": "x\nabn\tx"}', message("x\nABN AMRO\tx")),
    Case("every short escape", rb'{"content": "\"\\\/\b\f\n\r\t"}', message('"\\/\b\f\n\r\t')),
    Case("a surrogate pair is one character", rb'{"content": "\ud83d\ude42abn\uD83D\uDE42"}', message("🙂ABN AMRO🙂")),
    Case("an escaped member name", rb'{"\u0063ontent": "abn"}', message("ABN AMRO")),
    Case("an escaped NUL", rb'{"content": "\u0000abn\u0000"}', message("\u0000ABN AMRO\u0000")),
]  # fmt: skip

MEMBERS = [
    Case("further members are ignored", b'{"a": [1, {"content": "x"}], "content": "abn", "b": null}', message("ABN AMRO")),
    Case("white space around everything", b' \r\n\t{ "content" : "abn" } \n', message("ABN AMRO")),
    Case("no white space at all", b'{"content":"abn"}', message("ABN AMRO")),
    Case("a member named by its case alone is another", b'{"Content": "abn"}', error(400, MALFORMED)),
    Case("a large number in another member", b'{"n": 1e400, "content": "abn"}', message("ABN AMRO")),
    Case("deep but reasonable nesting elsewhere", b'{"n": ' + b"[" * 50 + b"]" * 50 + b', "content": "abn"}', message("ABN AMRO")),
]  # fmt: skip

NOT_JSON_AT_ALL = [
    Case(f"not JSON: {name}", body, error(400, NOT_JSON))
    for name, body in [
        ("empty body", b""),
        ("white space", b" \n"),
        ("bare word", b"abn"),
        ("open brace", b"{"),
        ("unclosed text", b'{"content": "abn'),
        ("unclosed object", b'{"content": "abn"'),
        ("trailing comma", b'{"content": "abn",}'),
        ("trailing text", b'{"content": "abn"} x'),
        ("two documents", b'{"content": "abn"}{"content": "abn"}'),
        ("single quotes", b"{'content': 'abn'}"),
        ("no quotes", b"{content: abn}"),
        ("missing colon", b'{"content" "abn"}'),
        ("a raw line feed in a text", b'{"content": "a\nb"}'),
        ("unknown escape", rb'{"content": "\x41"}'),
        ("broken escape", rb'{"content": "\u00"}'),
        ("NaN", b'{"content": NaN}'),
        ("a comment", b'{"content": "abn"} // yes'),
        ("form data", b"content=abn"),
        ("broken after a wrong content", b'{"content": 5, x'),
    ]
]

MALFORMED_INPUT = [
    Case(f"malformed: {name}", body, error(400, MALFORMED))
    for name, body in [
        ("no member", b"{}"),
        ("another member", b'{"text": "abn"}'),
        ("null", b'{"content": null}'),
        ("number", b'{"content": 5}'),
        ("true", b'{"content": true}'),
        ("array", b'{"content": ["abn"]}'),
        ("object", b'{"content": {"content": "abn"}}'),
        ("an array around it", b'[{"content": "abn"}]'),
        ("a bare text", b'"abn"'),
        ("a bare number", b"5"),
        ("a bare null", b"null"),
    ]
]

PLAIN_TEXT = [
    Case("text", b"abn and ing", text("ABN AMRO and ING BANK"), TEXT),
    Case("text: empty", b"", text(""), TEXT),
    Case("text: line ends stay", b"abn\r\ning\nrabo\r", text("ABN AMRO\r\nING BANK\nRabobank\r"), TEXT),
    Case("text: any script", "Größe 中ing “ing” 🙂".encode(), text("Größe 中ing “ING BANK” 🙂"), TEXT),
    Case("text: JSON is only text", b'{"content": "abn"}', text('{"content": "ABN AMRO"}'), TEXT),
    Case("text: a backslash is only a backslash", rb"\u0041bn \abn", text("\\u0041bn \\ABN AMRO"), TEXT),
    Case("text: media types have no case", b"abn", text("ABN AMRO"), "Text/PLAIN"),
    Case("text: utf-8", b"abn", text("ABN AMRO"), "text/plain; charset=utf-8"),
    Case("text: UTF-8 in quotes", b"abn", text("ABN AMRO"), 'text/plain;charset="UTF-8"'),
    Case("text: another parameter", b"abn", text("ABN AMRO"), "text/plain; format=flowed"),
]

MEDIA_TYPES = [
    Case("JSON with its charset", content("abn"), message("ABN AMRO"), "application/json; charset=UTF-8"),
    Case("no content type is JSON", content("abn"), message("ABN AMRO"), None),
    Case("curl -d is JSON", content("abn"), message("ABN AMRO"), "application/x-www-form-urlencoded"),
    Case("bytes are JSON", content("abn"), message("ABN AMRO"), "application/octet-stream"),
    Case("other text is JSON", content("abn"), message("ABN AMRO"), "text/html"),
    Case("almost text/plain is JSON", content("abn"), message("ABN AMRO"), "text/plainer"),
    Case("nonsense is JSON", content("abn"), message("ABN AMRO"), "nonsense"),
    Case("text that claims to be JSON", b"abn", error(400, NOT_JSON), JSON),
    Case("text in Latin 1", b"abn", error(415, None), "text/plain; charset=iso-8859-1", needs=Needs.ENCODINGS),
    Case("text in UTF-16", b"abn", error(415, None), "text/plain; charset=utf-16", needs=Needs.ENCODINGS),
    Case("JSON in Latin 1", content("abn"), error(415, None), "application/json; charset=latin1", needs=Needs.ENCODINGS),
    Case("gzip", b"\x1f\x8b", error(415, None), headers={"Content-Encoding": "gzip"}, needs=Needs.ENCODINGS),
    Case("gzip text", b"\x1f\x8b", error(415, None), TEXT, headers={"Content-Encoding": "gzip"}, needs=Needs.ENCODINGS),
    Case("identity", content("abn"), message("ABN AMRO"), headers={"Content-Encoding": "identity"}, needs=Needs.ENCODINGS),
]  # fmt: skip

NOT_UTF_8 = [
    Case(f"not UTF-8: {name}", b'{"content": "abn ' + wrong + b'"}', error(400, NOT_JSON), needs=Needs.BYTES)
    for name, wrong in [
        ("a lone continuation byte", b"\x80"),
        ("a cut character", b"\xe2\x82"),
        ("an overlong slash", b"\xc0\xaf"),
        ("an encoded surrogate", b"\xed\xa0\x80"),
        ("beyond Unicode", b"\xf4\x90\x80\x80"),
    ]
] + [Case("a lone surrogate as an escape", rb'{"content": "\ud83d abn"}', error(400, NOT_JSON))]

KEYS = [
    Case(f"{key.value}{name}", body, error(403, FORBIDDEN), content_type, key=key, needs=Needs.KEY)
    for key in Key
    if key is not Key.RIGHT
    for name, body, content_type in [("", content("abn"), JSON), (", text", b"abn", TEXT), (", not JSON", b"{", JSON)]
]

ROUTES = [
    Case("the historical path", content("abn"), message("ABN AMRO"), path="/api/string/replace", needs=Needs.ROUTES),
    Case("the historical path, text", b"abn", text("ABN AMRO"), TEXT, path="/api/string/replace", needs=Needs.ROUTES),
    Case("the historical path, errors", b"{", error(400, NOT_JSON), path="/api/string/replace", needs=Needs.ROUTES),
    Case("a query string changes nothing", content("abn"), message("ABN AMRO"), path="/string/replace?a=b&a=c"),
    Case("unknown path", content("abn"), error(404, NOT_FOUND), path="/string/reverse", needs=Needs.NOT_FOUND),
    *(
        Case(f"unknown path {path}", content("abn"), error(404, NOT_FOUND), path=path, needs=Needs.ROUTES)
        for path in [
            "/",
            "/string",
            "/replace",
            "/api",
            "/api/string",
            "/api/api/string/replace",
            "/string/replace/",
            "/string/replace/more",
            "/string%2Freplace",
            "/String/Replace",
            "/string/replace%00",
            "/status",
            "/%ff",
        ]
    ),
    *(
        Case(f"unknown method {method}", b"", error(404, NOT_FOUND), None, method=method, needs=Needs.ROUTES)
        for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"]
    ),
    Case("POST where only GET is", content("abn"), error(404, NOT_FOUND), path="/status/health", needs=Needs.STATUS),
]  # fmt: skip

MEGABYTE = 1024 * 1024
TEN_MB = 10_000_000

SIZES = [
    Case("1 MB", content("abn " * (MEGABYTE // 4)), message("ABN AMRO " * (MEGABYTE // 4))),
    Case("1 MB of text", b"abn " * (MEGABYTE // 4), text("ABN AMRO " * (MEGABYTE // 4)), TEXT),
    Case("1 MB of escapes", b'{"content": "' + rb"\u0061bn " * 100_000 + b'"}', message("ABN AMRO " * 100_000)),
    Case("1 MB without a blank", content("é" * (MEGABYTE // 2)), message("é" * (MEGABYTE // 2))),
    Case("10 MB", content("x" * (TEN_MB - 15)), message("x" * (TEN_MB - 15)), needs=Needs.LARGE),
    Case("over 10 MiB", content("x" * (10 * MEGABYTE)), error(413, None), needs=Needs.LARGE),
    Case("over 10 MiB of text", b"x" * (10 * MEGABYTE + 1), text("x" * (10 * MEGABYTE + 1)), TEXT, needs=Needs.LARGE),
]  # fmt: skip

STATUS = [
    Case("health", b"", message("UP"), None, "GET", "/status/health", key=Key.NONE, needs=Needs.STATUS),
    Case("health with a wrong key", b"", message("UP"), None, "GET", "/status/health", key=Key.WRONG, needs=Needs.STATUS),
]  # fmt: skip

CASES = [
    *REPLACED,
    *ESCAPED,
    *MEMBERS,
    *NOT_JSON_AT_ALL,
    *MALFORMED_INPUT,
    *PLAIN_TEXT,
    *MEDIA_TYPES,
    *NOT_UTF_8,
    *KEYS,
    *ROUTES,
    *SIZES,
    *STATUS,
]

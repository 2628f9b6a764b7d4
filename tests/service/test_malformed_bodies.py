"""Ten thousand bodies that are not what they should be: each is answered, none is remembered."""

import collections
import json
import random

from harness import http
from harness.container import KEY, Container

BODIES = 10_000
WARM_UP = 3_000
ROOM_KIB = 4 * 1024
"""How much resident memory may differ between two moments of the same work: allocators are not exact."""

_VALUES = [
    "null",
    "true",
    "5",
    "-0.0",
    "1e999999",
    "9" * 400,
    "[]",
    "{}",
    '["abn"]',
    '"abn"',
    '"\\ud83d"',
    "NaN",
    "'x'",
    "",
]
_WRONG_BYTES = [b"\x80", b"\xe2\x82", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xff\xfe", b"\x00", b"\n"]
_TYPES = [
    "application/json",
    "application/json",
    "application/json; charset=utf-8",
    "",
    "text/html",
    "a/b;c",
    "text/plain",
]


def malformed(source: random.Random) -> bytes:
    text = "".join(source.choices('abn ing é中🙂\\"\u2028{}[]:,', k=source.randrange(40)))
    good = json.dumps({"content": text, "n": [1, {"x": None}]}, ensure_ascii=source.random() < 0.5).encode()
    match source.randrange(9):
        case 0:  # cut short
            return good[: source.randrange(len(good))]
        case 1:  # one wrong type
            return b'{"content": %s}' % source.choice(_VALUES).encode()
        case 2:  # bytes that are no UTF-8, or not allowed in JSON
            at = source.randrange(len(good))
            return good[:at] + source.choice(_WRONG_BYTES) + good[at:]
        case 3:  # deep
            depth = source.choice([10, 127, 128, 129, 1000, 20_000])
            return b'{"x": ' + source.choice([b"[", b'{"a":']) * depth + source.choice([b"", b"]" * depth]) + b"}"
        case 4:  # numbers that fit nothing
            return b'{"content": %s%s}' % (source.choice([b"", b"-"]), b"9" * source.randrange(1, 5000))
        case 5:  # members that come twice
            members = (f'"content": {source.choice(_VALUES)}' for _ in range(source.randrange(2, 6)))
            return ("{" + ", ".join(members) + "}").encode()
        case 6:  # half a surrogate pair
            return b'{"content": "abn \\u%s ing"}' % source.choice([b"d83d", b"DE42", b"d83d\\ud83d", b"d8", b"zzzz"])
        case 7:  # some bytes changed
            changed = bytearray(good)
            for _ in range(source.randrange(1, 6)):
                changed[source.randrange(len(changed))] = source.randrange(256)
            return bytes(changed)
        case _:  # noise
            return source.randbytes(source.randrange(200))


def test_ten_thousand_of_them_cause_neither_a_5xx_nor_growth() -> None:
    source = random.Random(20260102)
    statuses: collections.Counter[int] = collections.Counter()
    with Container() as service:
        connection = http.connect(service.url)

        def send(count: int) -> None:
            for _ in range(count):
                body = malformed(source)
                headers = {"x-api-key": KEY, "Content-Type": source.choice(_TYPES)}
                connection.request("POST", "/string/replace", body, headers)
                response = http.response_of(connection)
                statuses[response.status] += 1
                assert response.status in (200, 400), (response, body)
                if response.media_type == "application/json":
                    assert set(response.json()) == {"message"}

        send(WARM_UP)
        memory, files = service.process.resident_kib(), service.process.open_files()
        statuses.clear()
        send(BODIES)
        assert service.process.resident_kib() <= memory + ROOM_KIB
        assert service.process.open_files() <= files
        assert statuses[400] > BODIES // 2, "the bodies are not malformed enough"
        assert service.replace("abn") == "ABN AMRO"
        connection.close()

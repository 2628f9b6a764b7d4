"""The service against the rules of replacement written down once more, slowly, from their description.

Random maps over few, awkward characters, so that keys overlap, nest and touch; random texts over the same; each
by every way in: JSON as it is, JSON with everything escaped, text in one piece, text in pieces.
"""

import json
import random
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.container import Container

ALPHABETS = {
    "few letters": "aAbB ",
    "folding": "kK\u212asS\u017fßẞσςΣåÅ\u212bµμǆǅǄıİiI -",
    "marks and joiners": "eé\u0301\u200d\u200c_-. \u20dd",
    "scripts": "aжЖ中文ーكا٣๑π “”",
    "punctuation": "c+#.C-_/ 1",
    "sizes": "a\u00e9\u20ac\U0001f642\u0000\n\u2028 ",
}
TEXTS = 120


def fold(text: str) -> str:
    """Unicode simple case folding: one character stays one character."""
    return "".join(next(f for f in (c.casefold(), c.lower(), c) if len(f) == 1) for c in text)


def is_word(character: str) -> bool:
    """Unicode's \\w: letters, marks, decimal digits, letter numbers, connectors, joiners."""
    category = unicodedata.category(character)
    return category[0] in "LM" or category in ("Nd", "Nl", "Pc") or character in "\u200c\u200d"


def replaced(text: str, rules: list[dict[str, object]]) -> str:
    out, at = "", 0
    while at < len(text):
        matching = [rule for rule in rules if matches(text, at, rule)]
        if not matching:
            out += text[at]
            at += 1
            continue
        # The longest; of several as long, the first: max() keeps it.
        rule = max(matching, key=lambda rule: len(str(rule["match"])))
        out += str(rule["replace"])
        at += len(str(rule["match"]))
    return out


def matches(text: str, at: int, rule: dict[str, object]) -> bool:
    key = str(rule["match"])
    found = text[at : at + len(key)]
    if not (found == key if rule["case_sensitive"] else fold(found) == fold(key)):
        return False
    if not rule["whole_word"]:
        return True
    before, after = text[:at][-1:], text[at + len(key) :][:1]
    return not (is_word(key[0]) and before and is_word(before)) and not (is_word(key[-1]) and after and is_word(after))


def rules_over(alphabet: str, source: random.Random, all_whole_words: bool) -> list[dict[str, object]]:
    rules: dict[str, dict[str, object]] = {}
    for number in range(12):
        key = "".join(source.choices(alphabet, k=source.choice([1, 1, 2, 2, 3, 5])))
        rule = {
            "match": key,
            "replace": source.choice([f"<{number}>", "", key, "$1 \\1", "é🙂"]),
            "case_sensitive": source.random() < 0.3,
            "whole_word": all_whole_words or source.random() < 0.7,
        }
        rules.setdefault(fold(key), rule)
    return list(rules.values())


def pieces(body: bytes, source: random.Random) -> Iterator[bytes]:
    while body:
        size = source.choice([1, 2, 3, 10])
        yield body[:size]
        body = body[size:]


@pytest.mark.parametrize("all_whole_words", [True, False], ids=["words", "anywhere"])
@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=ALPHABETS.keys())
def test_every_way_in_gives_what_the_rules_say(tmp_path: Path, alphabet: str, all_whole_words: bool) -> None:
    source = random.Random(f"{alphabet}{all_whole_words}")
    rules = rules_over(alphabet, source, all_whole_words)
    file = tmp_path / "map.json"
    file.write_text(json.dumps({"rules": rules}))
    with Container({"STRINGS_MAPPING_FILE": str(file)}) as service:
        for _ in range(TEXTS):
            text = "".join(source.choices(alphabet, k=source.randrange(30)))
            expected = replaced(text, rules)
            for ensure_ascii in (False, True):
                body = json.dumps({"content": text}, ensure_ascii=ensure_ascii).encode()
                assert service.post(body).json() == {"message": expected}, (text, rules)
            assert service.replace(text) == expected, (text, rules)
            response = service.post(pieces(text.encode(), source), "text/plain")
            assert response.body.decode() == expected, (text, rules)

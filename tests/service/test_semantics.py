"""The service against the rules of replacement written down once more, slowly, from their description.

Random maps over few, awkward characters, so that keys overlap, nest and touch; random texts over the same; each
by every way in: JSON as it is, JSON with everything escaped, text in one piece, text in pieces.
"""

import dataclasses
import json
import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
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
MANY = 300
TEXTS = 60


@dataclass(frozen=True)
class Rule:
    match: str
    replace: str
    case_sensitive: bool
    whole_word: bool


def fold(text: str) -> str:
    """Unicode simple case folding: one character stays one character."""
    return "".join(next(f for f in (c.casefold(), c.lower(), c) if len(f) == 1) for c in text)


def is_word(character: str) -> bool:
    """Unicode's \\w: letters, marks, decimal digits, letter numbers, connectors, joiners."""
    category = unicodedata.category(character)
    return category[0] in "LM" or category in ("Nd", "Nl", "Pc") or character in "\u200c\u200d"


def replaced(text: str, rules: list[Rule]) -> str:
    folded, keys = fold(text), [(rule, fold(rule.match)) for rule in rules]
    out, at = "", 0
    while at < len(text):
        matching = [
            rule
            for rule, key in keys
            if (text.startswith(rule.match, at) if rule.case_sensitive else folded.startswith(key, at))
            and (not rule.whole_word or stands_alone(text, at, rule.match))
        ]
        if matching:
            # The longest; of several as long, the first: max() keeps it.
            rule = max(matching, key=lambda rule: len(rule.match))
            out += rule.replace
            at += len(rule.match)
        else:
            out += text[at]
            at += 1
    return out


def stands_alone(text: str, at: int, key: str) -> bool:
    before, after = text[:at][-1:], text[at + len(key) :][:1]
    continues = before and is_word(before) and is_word(key[0])
    is_continued = after and is_word(after) and is_word(key[-1])
    return not (continues or is_continued)


def rules_over(alphabet: str, source: random.Random, all_whole_words: bool, count: int) -> list[Rule]:
    rules: dict[str, Rule] = {}
    for number in range(count):
        key = "".join(source.choices(alphabet, k=source.choice([1, 1, 2, 2, 3, 5, 9])))
        rule = Rule(
            match=key,
            replace=source.choice([f"<{number}>", "", key, "$1 \\1", "é🙂"]),
            case_sensitive=source.random() < 0.3,
            whole_word=all_whole_words or source.random() < 0.7,
        )
        rules.setdefault(fold(key), rule)
    return list(rules.values())


def pieces(body: bytes, source: random.Random) -> Iterator[bytes]:
    while body:
        size = source.choice([1, 2, 3, 10])
        yield body[:size]
        body = body[size:]


@pytest.mark.parametrize("count", [12, MANY])
@pytest.mark.parametrize("all_whole_words", [True, False], ids=["words", "anywhere"])
@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=ALPHABETS.keys())
def test_every_way_in_gives_what_the_rules_say(
    tmp_path: Path, alphabet: str, all_whole_words: bool, count: int
) -> None:
    source = random.Random(f"{alphabet}{all_whole_words}{count}")
    rules = rules_over(alphabet, source, all_whole_words, count)
    file = tmp_path / "map.json"
    file.write_text(json.dumps({"rules": [dataclasses.asdict(rule) for rule in rules]}))
    with Container({"STRINGS_MAPPING_FILE": str(file)}) as service:
        for _ in range(TEXTS):
            around = source.choice(["", "xyz ", "0123456789 "])
            text = "".join(source.choices(alphabet + around, k=source.choice([3, 10, 30, 100, 300])))
            expected = replaced(text, rules)
            for ensure_ascii in (False, True):
                body = json.dumps({"content": text}, ensure_ascii=ensure_ascii).encode()
                assert service.post(body).json() == {"message": expected}, (text, rules)
            assert service.replace(text) == expected, (text, rules)
            response = service.post(pieces(text.encode(), source), "text/plain")
            assert response.body.decode() == expected, (text, rules)


def test_a_word_right_after_a_match_that_another_key_overlaps(tmp_path: Path) -> None:
    file = tmp_path / "map.json"
    file.write_text('{" A": "<0>", "A": "<1>", "  ": "<2>"}')
    with Container({"STRINGS_MAPPING_FILE": str(file)}) as service:
        assert service.replace("  A") == "<2><1>"


def documented() -> Iterator[tuple[str, str, str]]:
    """Rules, text and result of each row of the table in the engine's documentation."""
    table = Path(__file__).parents[2] / "crates" / "replace" / "semantics.md"
    for line in table.read_text("utf-8").splitlines()[2:]:
        rules, text, result = (cell.strip("` ") for cell in line.strip("|").split(" | ")[:3])
        yield rules, text, result


@pytest.mark.parametrize(("rules", "text", "result"), list(documented()))
def test_what_the_documentation_shows_is_what_the_service_does(
    tmp_path: Path, rules: str, text: str, result: str
) -> None:
    file = tmp_path / "map.json"
    file.write_text(rules, "utf-8")
    with Container({"STRINGS_MAPPING_FILE": str(file)}) as service:
        assert service.post(json.dumps({"content": text}).encode()).json() == {"message": result}
        assert service.replace(text) == result
        for seed in range(3):
            response = service.post(pieces(text.encode(), random.Random(seed)), "text/plain")
            assert response.body.decode() == result


REGEXES = {
    "a word": ([r"\w+"], "abc 12é ", True),
    "longer than what is held back": (["a+"], "a", False),
    "from quote to quote": (['"[^"]*"'], '"a b" c', False),
    "over lines": (["(?s)<.*?>"], "x <b\nc> ", False),
    "line ends": (["(?m)^a$"], "a\nb\na\r\na\n", False),
    "boundaries within": ([r"\bé\w*", "x(?:y|$)"], "éa aé x xy ", False),
    "several that overlap": ([r"\d+-\d+", r"\d+", "-"], "12-34 5- 6 ", True),
}


@pytest.mark.parametrize(("patterns", "text", "whole_word"), REGEXES.values(), ids=REGEXES.keys())
def test_regexes_do_not_see_where_a_text_is_cut(
    tmp_path: Path, patterns: list[str], text: str, whole_word: bool
) -> None:
    rules = [
        {"match": pattern, "replace": f"<{number}>", "kind": "regex", "whole_word": whole_word}
        for number, pattern in enumerate(patterns)
    ]
    file = tmp_path / "map.json"
    file.write_text(json.dumps({"rules": rules}))
    with Container({"STRINGS_MAPPING_FILE": str(file)}) as service:
        some, much = text * 100, text * (100_000 // len(text))
        for long, size in [(some, 1), (some, 7), (much, 4096), (much, 70_000)]:
            whole = service.post(json.dumps({"content": long}).encode()).json()["message"]
            body = long.encode()
            cut = service.post((body[at : at + size] for at in range(0, len(body), size)), "text/plain")
            assert cut.body.decode() == whole
            assert whole != long

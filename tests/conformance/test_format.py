"""The case files themselves: each is well formed, says where it comes from, and can be imported."""

import re
from collections import Counter
from pathlib import Path

import pytest

from conformance import case
from conformance.case import Case
from conformance.deployment import Deployments

LEAST = 140
"""How many cases there should be at least."""


def test_there_are_as_many_cases_as_promised() -> None:
    assert len(case.paths()) >= LEAST


@pytest.mark.parametrize("path", case.paths(), ids=lambda path: str(path.relative_to(case.CASES)))
def test_file_is_well_formed(path: Path) -> None:
    case.read(path)


def test_titles_are_unique() -> None:
    titles = Counter(case.read(path).content["title"] for path in case.paths())
    assert [title for title, times in titles.items() if times > 1] == []


def test_every_base_is_used() -> None:
    texts = [path.read_text("utf-8") for path in [*case.paths(), *case.BASES.iterdir()]]
    used = {match[1] for text in texts for match in re.finditer(r"^base: (.+)$", text, re.M)}
    assert used == {path.stem for path in case.BASES.iterdir()}


def test_case_can_be_deployed(recorded: Case, deployed: Deployments) -> None:
    assert deployed[recorded.id].api

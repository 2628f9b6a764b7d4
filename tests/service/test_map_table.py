"""A map in a DynamoDB table, put there by `switchyard-map` and served from there."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.binaries import binary
from harness.container import Container
from harness.dynamodb import TABLE, DynamoDb
from harness.waiting import eventually

MANY = 3000


@pytest.fixture
def table() -> Iterator[DynamoDb]:
    with DynamoDb() as dynamodb:
        yield dynamodb


def switchyard_map(table: DynamoDb, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [binary("switchyard-map"), *arguments],
        env=table.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def put(table: DynamoDb, file: Path, document: object) -> None:
    file.write_text(json.dumps(document), "utf-8")
    done = switchyard_map(table, "put", str(file))
    assert done.returncode == 0, done.stderr


def test_a_map_that_is_put_is_served_and_listed(table: DynamoDb, tmp_path: Path) -> None:
    put(table, tmp_path / "map.json", {"ABN": "first", "Straße": "road"})
    with Container(table.environment) as service:
        eventually("the map", lambda: service.readiness()[0] == 200)
        assert service.replace("abn, STRAẞE") == "first, road"
        ready = service.readiness()[1]
        assert (ready["source"], ready["rules"]) == (f"dynamodb:{TABLE}", 2)
    listed = switchyard_map(table, "list")
    assert listed.returncode == 0
    rules = json.loads(listed.stdout)["rules"]
    assert [(rule["match"], rule["replace"]) for rule in rules] == [("ABN", "first"), ("Straße", "road")]


def test_one_rule_that_is_changed_is_served_within_the_refresh_interval(table: DynamoDb, tmp_path: Path) -> None:
    put(table, tmp_path / "map.json", {"ABN": "first", "ING": "first"})
    with Container(table.environment) as service:
        eventually("the map", lambda: service.replace("abn") == "first")
        done = switchyard_map(table, "set", "ABN", "second")
        assert done.returncode == 0, done.stderr
        eventually("the changed rule", lambda: service.replace("abn ing") == "second first")
        done = switchyard_map(table, "delete", "ING")
        assert done.returncode == 0, done.stderr
        eventually("the deleted rule", lambda: service.replace("abn ing") == "second ing")


def test_an_empty_table_is_waited_for(table: DynamoDb, tmp_path: Path) -> None:
    with Container(table.environment) as service:
        service.process.wait_for_log("a warning", lambda line: "map not loaded" in line.get("message", ""))
        assert service.readiness()[0] == 503
        put(table, tmp_path / "map.json", {"ABN": "first"})
        eventually("the map", lambda: service.readiness()[0] == 200)
        assert service.replace("abn") == "first"


def test_thousands_of_rules_come_in_many_pages(table: DynamoDb, tmp_path: Path) -> None:
    put(table, tmp_path / "map.json", {f"key{number:05}": f"value {number} " + "x" * 400 for number in range(MANY)})
    with Container(table.environment) as service:
        eventually("the map", lambda: service.readiness()[0] == 200, 90)
        assert service.readiness()[1]["rules"] == MANY
        assert service.replace(f"key00000 key{MANY - 1:05}!").startswith("value 0 xxx")


def test_an_invalid_map_is_not_put(table: DynamoDb, tmp_path: Path) -> None:
    put(table, tmp_path / "good.json", {"ABN": "first"})
    (tmp_path / "bad.json").write_text('{"ABN": "x", "abn": "y"}')
    done = switchyard_map(table, "put", str(tmp_path / "bad.json"))
    assert done.returncode == 65
    assert "abn" in done.stderr
    with Container(table.environment) as service:
        assert eventually("the good map", lambda: service.replace("abn")) == "first"

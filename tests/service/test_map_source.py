"""A map source that fails: at start, later, and in every way; and what the service makes of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness import ssm
from harness.container import Container
from harness.ssm import Reply, Ssm
from harness.waiting import eventually

GOOD = ssm.rules({"ABN": "first", "ING": "first"}, version=1)
BETTER = ssm.rules({"ABN": "second"}, version=2)

FAULTS = {
    "parameter not found": ssm.error(400, "ParameterNotFound"),
    "access denied": ssm.error(400, "AccessDeniedException"),
    "throttled": ssm.error(400, "ThrottlingException"),
    "server error": ssm.error(500, "InternalServerError"),
    "unavailable": Reply(503),
    "no answer": ssm.HANG,
    "nonsense": ssm.NONSENSE,
    "not JSON": ssm.value("ABN=first", version=9),
    "not a map": ssm.rules({"ABN": 5}, version=9),
}

INVALID_MAPS = {
    "an empty key": ({"": "x"}, 'rule 1 (""'),
    "an empty match": ({"rules": [{"match": "a", "replace": "b"}, {"match": "", "replace": "c"}]}, 'rule 2 (""'),
    "two keys equal under folding": ({"Straße": "x", "STRAẞE": "y"}, '"STRAẞE"'),
    "a number as a value": ({"ABN": "x", "ING": 5}, '"ING"'),
    "an invalid regex": ({"rules": [{"match": "(", "replace": "x", "kind": "regex"}]}, 'rule 1 ("("'),
    "a regex that matches nothing": ({"rules": [{"match": "x*", "replace": "y", "kind": "regex"}]}, 'rule 1 ("x*"'),
    "an unknown kind": ({"rules": [{"match": "x", "replace": "y", "kind": "glob"}]}, "rule 1"),
    "an unknown member": ({"rules": [{"match": "x", "replace": "y", "colour": "red"}]}, "colour"),
}


def not_loaded(service: Container) -> dict[str, Any]:
    """The first warning that a map could not be loaded."""
    return service.process.wait_for_log(
        "a warning", lambda line: line.get("level") == "WARN" and line.get("message", "").startswith("map not loaded")
    )


def becomes_ready(service: Container, version: str) -> None:
    eventually(f"version {version} serving", lambda: _serves(service, version))


def _serves(service: Container, version: str) -> bool:
    status, ready = service.readiness()
    return status == 200 and ready["version"] == version


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_failing_at_start_the_service_waits_and_recovers_by_itself(fault: Reply) -> None:
    with Ssm(fault) as source, Container(source.environment) as service:
        eventually("the first question to SSM", lambda: source.names)
        status, ready = service.readiness()
        assert status == 503
        assert ready["source"] == f"ssm:{ssm.PARAMETER}"
        for body, content_type in [(b'{"content": "abn"}', "application/json"), (b"abn", "text/plain")]:
            response = service.post(body, content_type)
            assert response.status == 503
            assert set(response.json()) == {"message"}
        assert service.get("/status/health").status == 200

        source.reply = GOOD
        becomes_ready(service, "1")
        assert service.replace("abn ing") == "first first"


def test_nobody_listening_at_start_is_waited_out_as_well() -> None:
    source = Ssm(GOOD)
    try:
        with Container(source.environment) as service:
            not_loaded(service)
            assert service.readiness()[0] == 503
            source.listen()
            becomes_ready(service, "1")
    finally:
        source.close()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_failing_later_the_last_good_map_serves_on(fault: Reply) -> None:
    with Ssm(GOOD) as source, Container(source.environment) as service:
        becomes_ready(service, "1")
        asked = len(source.names)
        source.reply = fault
        eventually("the next question to SSM", lambda: len(source.names) > asked)

        def grown() -> bool:
            status, ready = service.readiness()
            assert (status, ready["version"], ready["rules"]) == (200, "1", 2)
            return bool(ready["age_seconds"] >= 2)

        eventually("the age of the map, in readiness", grown)
        assert service.replace("abn") == "first"
        if fault is ssm.HANG:
            source.reply = Reply(503)  # which is what those that hang are then told
        warning = not_loaded(service)
        assert warning["source"] == f"ssm:{ssm.PARAMETER}"
        assert warning["keeps"] == "1"

        source.reply = BETTER
        becomes_ready(service, "2")
        assert service.replace("abn ing") == "second ing"
        assert service.readiness()[1]["age_seconds"] < 30


@pytest.mark.parametrize(("document", "named"), INVALID_MAPS.values(), ids=INVALID_MAPS.keys())
def test_an_invalid_map_is_refused_with_the_rule_at_fault(document: dict[str, object], named: str) -> None:
    with Ssm(ssm.rules(document, version=1)) as source, Container(source.environment) as service:
        assert named in not_loaded(service)["message"]
        assert service.readiness()[0] == 503


def test_a_new_version_serves_within_the_refresh_interval() -> None:
    with Ssm(GOOD) as source, Container(source.environment) as service:
        becomes_ready(service, "1")
        source.reply = BETTER
        becomes_ready(service, "2")
        assert service.replace("abn ing") == "second ing"
        assert set(source.names) == {ssm.PARAMETER}


def test_the_same_version_is_not_built_again() -> None:
    with Ssm(GOOD) as source, Container(source.environment) as service:
        becomes_ready(service, "1")
        asked = len(source.names)
        eventually("two more questions to SSM", lambda: len(source.names) >= asked + 2)
        assert sum("map loaded" in line for line in service.process.output.splitlines()) == 1


def test_neither_readiness_nor_the_log_holds_the_maps_contents() -> None:
    secretive = ssm.rules({"needle-key": "needle-value"}, version=1)
    with Ssm(secretive) as source, Container(source.environment) as service:
        becomes_ready(service, "1")
        assert service.replace("needle-key") == "needle-value"
        assert "needle" not in service.get("/status/ready").body.decode()
        service.process.stop()
        assert "needle" not in service.process.output


def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "map.json"
    file.write_text('{"ABN": "first"}')
    with Container({"STRINGS_MAPPING_FILE": str(file), "STRINGS_MAPPING_REFRESH_SECONDS": "1"}) as service:
        assert service.replace("abn") == "first"
        version = service.readiness()[1]["version"]

        file.write_text('{"ABN": ')
        not_loaded(service)
        assert service.replace("abn") == "first"

        file.write_text('{"ABN": "second"}')
        eventually("the changed file serving", lambda: service.replace("abn") == "second")
        assert service.readiness()[1]["version"] != version
        assert service.readiness()[1]["source"] == f"file:{file}"


def test_an_empty_map_is_a_map(tmp_path: Path) -> None:
    file = tmp_path / "map.json"
    file.write_text("{}")
    with Container({"STRINGS_MAPPING_FILE": str(file)}) as service:
        assert service.replace("abn") == "abn"
        assert service.readiness()[1]["rules"] == 0


def test_every_kind_of_rule_at_once(tmp_path: Path) -> None:
    file = tmp_path / "map.json"
    file.write_text(
        """{"rules": [
            {"match": "ABN", "replace": "$1 \\\\1 $&"},
            {"match": "(\\\\d{2})-(?<month>\\\\d{2})", "replace": "${month}/$1", "kind": "regex"},
            {"match": "Case", "replace": "exact", "case_sensitive": true},
            {"match": "inside", "replace": "within", "whole_word": false},
            {"match": "C++", "replace": "Rust"},
            {"match": "straße", "replace": "road"},
            {"match": "New York", "replace": "NY"},
            {"match": "New York City", "replace": "NYC"}
        ]}""",
        "utf-8",
    )
    with Container({"STRINGS_MAPPING_FILE": str(file)}) as service:
        for text, expected in [
            ("abn", "$1 \\1 $&"),
            ("on 31-12.", "on 12/31."),
            ("case Case CASE", "case exact CASE"),
            ("xinsidey", "xwithiny"),
            ("use C++, now; xC++; C++x", "use Rust, now; xC++; Rustx"),
            ("STRAẞE STRASSE", "road STRASSE"),
            ("new york city, New York", "NYC, NY"),
        ]:
            assert service.replace(text) == expected
            response = service.post(json.dumps({"content": text}).encode())
            assert response.json() == {"message": expected}

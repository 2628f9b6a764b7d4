"""`scripts/main.py token`, against the control plane's DynamoDB."""

import hashlib
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from harness.client import run
from harness.control_plane import CREDENTIALS, ControlPlane

TABLE = "tokens"


@pytest.fixture(scope="module")
def control_plane() -> Iterator[ControlPlane]:
    control_plane = ControlPlane()
    yield control_plane
    control_plane.stop()


@pytest.fixture
def dynamodb(control_plane: ControlPlane) -> Iterator[Any]:
    dynamodb = control_plane.client("dynamodb")
    dynamodb.create_table(
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield dynamodb
    dynamodb.delete_table(TableName=TABLE)


@pytest.fixture
def environment(control_plane: ControlPlane) -> dict[str, str]:
    return {**CREDENTIALS, "AWS_ENDPOINT_URL": control_plane.url, "TOKEN_TABLE": TABLE}


def items(dynamodb: Any) -> dict[str, dict[str, Any]]:
    return {item["pk"]["S"]: item for item in dynamodb.scan(TableName=TABLE)["Items"]}


def test_a_token_is_shown_once_and_kept_as_a_hash(dynamodb: Any, environment: dict[str, str]) -> None:
    begun = int(time.time())
    done = run(
        *("token", "create", "alice", "--scope", "publish", "--scope", "events", "--expires-in-days", "30"),
        **environment,
    )
    assert done.returncode == 0, done.stderr
    token = done.stdout.decode().strip()
    assert re.fullmatch(r"sy_[0-9a-f]{64}", token)
    digest = hashlib.sha256(token.encode()).hexdigest()
    kept = items(dynamodb)
    # The layout that crates/aws/src/tokens.rs reads.
    assert kept.keys() == {f"token#{digest}", "name#alice"}
    grant = kept[f"token#{digest}"]
    assert grant["name"] == {"S": "alice"}
    assert set(grant["scopes"]["SS"]) == {"publish", "events"}
    assert grant["disabled"] == {"BOOL": False}
    assert 0 <= int(grant["expires_at"]["N"]) - begun - 30 * 86_400 <= 60
    assert kept["name#alice"]["digest"] == {"S": digest}
    assert token not in str(kept)
    assert token.encode() not in run("token", "list", **environment).stdout


def test_a_token_without_an_expiry_has_none(dynamodb: Any, environment: dict[str, str]) -> None:
    run("token", "create", "alice", "--scope", "private", **environment)
    (grant,) = [item for key, item in items(dynamodb).items() if key.startswith("token#")]
    assert "expires_at" not in grant


def test_a_name_is_given_once(dynamodb: Any, environment: dict[str, str]) -> None:
    assert run("token", "create", "alice", "--scope", "publish", **environment).returncode == 0
    before = items(dynamodb)
    second = run("token", "create", "alice", "--scope", "publish", **environment)
    assert (second.returncode, second.stdout) == (1, b"")
    assert "the name 'alice' is taken" in second.stderr.decode()
    assert items(dynamodb) == before, "nothing of the second is kept"


def test_the_list_says_who_may_do_what_and_until_when(dynamodb: Any, environment: dict[str, str]) -> None:
    run("token", "create", "bob", "--scope", "publish", "--scope", "events", **environment)
    run("token", "create", "alice", "--scope", "publish", **environment)
    dynamodb.put_item(
        TableName=TABLE,
        Item={
            "pk": {"S": "token#00"},
            "name": {"S": "carol"},
            "scopes": {"SS": ["private"]},
            "disabled": {"BOOL": False},
            "expires_at": {"N": "1000000000"},
        },
    )
    run("token", "revoke", "bob", **environment)
    done = run("token", "list", **environment)
    assert done.stdout.decode().splitlines() == [
        "NAME   SCOPES          EXPIRES               STATE",
        "alice  publish         never                 in force",
        "bob    events,publish  never                 revoked",
        "carol  private         2001-09-09 01:46 UTC  expired",
    ]


def test_a_revoked_token_stays_known_as_revoked(dynamodb: Any, environment: dict[str, str]) -> None:
    run("token", "create", "alice", "--scope", "publish", **environment)
    done = run("token", "revoke", "alice", **environment)
    assert done.returncode == 0
    assert b"alice is revoked" in done.stdout
    (grant,) = [item for key, item in items(dynamodb).items() if key.startswith("token#")]
    assert grant["disabled"] == {"BOOL": True}
    assert run("token", "create", "alice", "--scope", "publish", **environment).returncode == 1


def test_who_is_not_known_cannot_be_revoked(dynamodb: Any, environment: dict[str, str]) -> None:
    done = run("token", "revoke", "mallory", **environment)
    assert done.returncode == 1
    assert "no token is called 'mallory'" in done.stderr.decode()
    assert items(dynamodb) == {}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("create", "alice"), "--scope"),
        (("create", "alice", "--scope", "all"), "'all'"),
        (("create", "alice bob", "--scope", "publish"), "'alice bob' is not a name"),
        (("create", "é", "--scope", "publish"), "'é' is not a name"),
        (("create", "alice", "--scope", "publish", "--expires-in-days", "0"), "'0' is not a number of days"),
        (("create", "alice", "--scope", "publish", "--expires-in-days", "soon"), "'soon' is not a number of days"),
        ((), "ACTION"),
    ],
)
def test_a_bad_argument_is_named(arguments: tuple[str, ...], named: str) -> None:
    done = run("token", *arguments, TOKEN_TABLE=TABLE)
    assert done.returncode == 2
    assert named in done.stderr.decode()


def test_a_missing_table_is_asked_for() -> None:
    done = run("token", "list")
    assert done.returncode == 2
    assert "--table is missing: give it, or set TOKEN_TABLE" in done.stderr.decode()


def test_what_aws_refuses_is_said(control_plane: ControlPlane, environment: dict[str, str]) -> None:
    done = run("token", "list", "--table", "absent", **environment)
    assert done.returncode == 1
    assert "absent: Scan was refused: ResourceNotFoundException" in done.stderr.decode()

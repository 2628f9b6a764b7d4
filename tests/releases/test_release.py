"""A stage is released, changed, released, rolled back: read back by the AWS SDK."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from harness.control_plane import ACCOUNT, REGION
from releases.definition import FUNCTION, document, with_cancellation, without_search
from releases.shop import Shop, snapshot
from switchyard.releases import export


def exported(shop: Shop, version: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((shop.archive / "lambda" / f"{version}.yaml").read_text())
    return loaded


def manifest(shop: Shop, version: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((shop.archive / "lambda" / f"{version}.json").read_text())
    return loaded


def test_a_release_gives_prod_what_test_serves_and_writes_it_down(shop: Shop) -> None:
    shop.apply(with_cancellation())
    before = shop.serves("prod")
    assert shop.run("api-release", "lambda", "prod", "1.1.0") == 0

    assert export.is_same(shop.serves("prod"), shop.serves("test"))
    assert not export.is_same(shop.serves("prod"), before)
    stage = shop.stage("prod")
    deployment = stage["deploymentId"]
    assert deployment != shop.stage("test")["deploymentId"], "Terraform deletes that one with the next change"
    assert (stage["description"], stage["documentationVersion"]) == ("Release 1.1.0", "release-1.1.0")
    assert stage["variables"] == {"alias": "prod"}
    assert shop.entry() == {
        "release": "1.1.0",
        "previous": "1.0.0",
        "initial": "1.0.0",
        "follows": False,
        "deployments": {shop.api: deployment},
    }

    # What was served until then has become a release with an export, too.
    assert export.is_same(exported(shop, "1.0.0"), before)
    assert export.is_same(exported(shop, "1.1.0"), shop.serves("prod"))
    said = manifest(shop, "1.1.0")
    assert said["deployment"] == deployment
    assert said["exported_from"] == {
        "account": ACCOUNT,
        "region": REGION,
        "rest_api": shop.api,
        "stage": "test",
        "deployment": shop.stage("test")["deploymentId"],
    }
    assert len(said["source"]["commit"]) == 40
    assert said["functions"]["orders"]["prod"]["version"] == "1"
    assert said["functions"]["orders"]["test"]["version"] == "$LATEST"
    assert said["stages"]["prod"]["variables"] == {"alias": "prod"}
    assert said["stages"]["prod"]["methodSettings"]["*/*"]["throttlingRateLimit"] == 100
    assert said["rest_api"]["endpointConfiguration"]["types"] == ["REGIONAL"]
    assert said["image"] is None
    assert shop.stages() == {"test", "prod"}


def test_an_unreleased_change_leaves_prod_alone(shop: Shop) -> None:
    before = shop.stage("prod")
    shop.apply(with_cancellation())
    assert shop.stage("prod") == before


def test_release_change_release_roll_back(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    first = shop.serves("prod")
    shop.apply(with_cancellation())
    assert shop.run("api-release", "lambda", "prod", "1.1.0") == 0
    second, deployment = shop.serves("prod"), shop.stage("prod")["deploymentId"]
    shop.apply(without_search())
    assert shop.run("api-release", "lambda", "prod", "2.0.0", "--breaking") == 0
    assert export.is_same(shop.serves("prod"), shop.serves("test"))
    assert shop.entry()["previous"] == "1.1.0"

    assert shop.run("api-rollback", "lambda", "prod") == 0
    assert export.is_same(shop.serves("prod"), second)
    assert shop.stage("prod")["deploymentId"] == deployment
    assert (shop.entry()["release"], shop.entry()["previous"]) == ("1.1.0", None)

    # Once more goes nowhere: the bad release does not come back.
    assert shop.run("api-rollback", "lambda", "prod") == 1
    assert "give VERSION=, one of its releases: 1.0.0, 1.1.0, 2.0.0" in capsys.readouterr().err
    assert export.is_same(shop.serves("prod"), second)

    # To the first one: that is Terraform's own deployment, which is no entry in the file.
    assert shop.run("api-rollback", "lambda", "prod", "1.0.0") == 0
    assert export.is_same(shop.serves("prod"), first)
    assert shop.deployments()[shop.stage("prod")["deploymentId"]] == "prod: release-1.0.0"
    assert shop.stage("prod")["documentationVersion"] == "prod-release-1.0.0"
    assert shop.entry()["deployments"] == {}
    assert shop.entry()["initial"] == "1.0.0"


def test_the_difference_is_told_and_a_breaking_one_needs_a_word(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.apply(without_search())
    before = shop.stage("prod"), shop.entry(), shop.deployments()
    assert shop.run("api-release", "lambda", "prod", "2.0.0") == 1
    told = capsys.readouterr()
    assert "1.0.0 -> 2.0.0: 5 changes, 2 of them breaking" in told.out
    assert "BREAKING GET /orders/{id}: the query parameter `full` is removed" in told.out
    assert "BREAKING POST /orders: `count` in the request body is required" in told.out
    assert "  DELETE /orders/{id}: the operation is new" in told.out
    assert "2 changes break callers: nothing is released. BREAKING=yes releases it all the same" in told.err
    assert (shop.stage("prod"), shop.entry(), shop.deployments()) == before
    assert not (shop.archive / "lambda" / "2.0.0.yaml").exists()

    assert shop.run("api-release", "lambda", "prod", "2.0.0", "--breaking") == 0
    assert export.is_same(shop.serves("prod"), shop.serves("test"))


def test_a_release_is_done_once(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.apply(with_cancellation())
    assert shop.run("api-release", "lambda", "prod", "1.1.0") == 0
    before = shop.stage("prod"), shop.entry(), shop.deployments(), sorted(shop.archive.rglob("*"))
    capsys.readouterr()
    assert shop.run("api-release", "lambda", "prod", "1.1.0") == 0
    assert "prod of lambda serves release 1.1.0 already" in capsys.readouterr().out
    assert (shop.stage("prod"), shop.entry(), shop.deployments(), sorted(shop.archive.rglob("*"))) == before


def test_a_release_is_what_its_file_says_whatever_test_serves_by_then(shop: Shop) -> None:
    """A stage that follows every change is recorded; later that release goes to the next stage, as it was."""
    shop.apply(with_cancellation())
    assert shop.run("api-release", "lambda", "test", "1.1.0") == 0
    recorded = shop.serves("test")
    assert shop.entry("test") == {
        "release": "1.1.0",
        "previous": None,
        "initial": None,
        "follows": True,
        "deployments": {},
    }
    shop.apply(without_search())
    assert shop.run("api-release", "lambda", "prod", "1.1.0") == 0
    assert export.is_same(shop.serves("prod"), recorded)
    assert not export.is_same(shop.serves("prod"), shop.serves("test"))


def test_a_stage_that_follows_every_change_can_be_held_at_a_release_and_let_go(shop: Shop) -> None:
    assert shop.run("api-release", "lambda", "test", "1.0.1") == 0
    first = shop.serves("test")
    shop.apply(with_cancellation())
    newest = shop.stage("test")["deploymentId"]
    assert shop.run("api-rollback", "lambda", "test", "1.0.1") == 0
    assert export.is_same(shop.serves("test"), first)
    assert shop.entry("test")["deployments"] == {shop.api: shop.stage("test")["deploymentId"]}
    assert shop.stage("test")["description"] == "Release 1.0.1"

    # What is released next is the definition, not what the stage is held at; and it follows again.
    assert shop.run("api-release", "lambda", "test", "1.1.0") == 0
    assert shop.stage("test")["deploymentId"] == newest
    assert shop.stage("test")["description"] == "Every change at once"
    assert shop.stage("test")["documentationVersion"] == f"test-{snapshot(with_cancellation())}"
    assert shop.entry("test")["deployments"] == {}
    assert "delete" in shop.serves("test")["paths"]["/orders/{id}"]


def test_a_stage_without_an_entry_is_released_for_the_first_time(shop: Shop) -> None:
    """Terraform's own deployment for it has followed every change, and goes on doing so: nothing is planned."""
    content = json.loads(shop.file.read_text())
    content["apis"] = {}
    shop.file.write_text(json.dumps(content))
    assert shop.run("api-release", "lambda", "prod", "1.0.0") == 0
    entry = shop.entry()
    assert (entry["release"], entry["previous"], entry["initial"], entry["follows"]) == ("1.0.0", None, None, True)


def test_drift_is_refused_and_shown(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.apply(with_cancellation())
    assert shop.run("api-release", "lambda", "prod", "1.1.0") == 0
    changed = without_search()
    shop.apply(changed)
    shop.move("prod", shop.stage("test")["deploymentId"])
    before = shop.stage("prod"), shop.entry(), shop.deployments()
    capsys.readouterr()
    for command in (("api-release", "lambda", "prod", "3.0.0", "--breaking"), ("api-rollback", "lambda", "prod")):
        assert shop.run(*command) == 1
        told = capsys.readouterr().err
        assert "prod of lambda is not what release 1.1.0 says:" in told
        assert "  BREAKING GET /orders/{id}: the query parameter `full` is removed" in told
        assert "make terraform/apply" in told
    assert (shop.stage("prod"), shop.entry(), shop.deployments()) == before
    assert not (shop.archive / "lambda" / "3.0.0.yaml").exists()


def test_a_definition_that_was_changed_and_not_deployed_is_not_released(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.apply(with_cancellation())
    by_hand = without_search()
    shop.apigateway.put_rest_api(restApiId=shop.api, mode="overwrite", body=json.dumps(by_hand))
    before = shop.stage("prod"), shop.entry(), shop.deployments()
    assert shop.run("api-release", "lambda", "prod", "1.1.0") == 1
    told = capsys.readouterr().err
    assert "the definition of shop is not what test serves:" in told
    assert "the query parameter `full` is removed" in told
    assert (shop.stage("prod"), shop.entry(), shop.deployments()) == before
    assert shop.stages() == {"test", "prod"}


def test_a_rollback_makes_a_deployment_again_that_was_deleted(shop: Shop) -> None:
    shop.apply(with_cancellation())
    assert shop.run("api-release", "lambda", "prod", "1.1.0") == 0
    second, gone = shop.serves("prod"), shop.stage("prod")["deploymentId"]
    shop.apply(without_search())
    assert shop.run("api-release", "lambda", "prod", "2.0.0", "--breaking") == 0
    shop.apigateway.delete_deployment(restApiId=shop.api, deploymentId=gone)
    definition, others = shop.definition(), set(shop.deployments())

    assert shop.run("api-rollback", "lambda", "prod") == 0
    assert export.is_same(shop.serves("prod"), second)
    made = shop.stage("prod")["deploymentId"]
    assert made != gone
    assert shop.entry()["deployments"] == {shop.api: made}
    # The definition is as it was, and nothing else is left behind.
    assert shop.definition() == definition
    assert set(shop.deployments()) == others | {made}
    assert shop.stages() == {"test", "prod"}


def test_terraforms_own_deployment_can_be_made_again_too(shop: Shop) -> None:
    first, own = shop.serves("prod"), shop.stage("prod")["deploymentId"]
    shop.apply(with_cancellation())
    assert shop.run("api-release", "lambda", "prod", "1.1.0") == 0
    shop.apigateway.delete_deployment(restApiId=shop.api, deploymentId=own)
    assert shop.run("api-rollback", "lambda", "prod") == 0
    assert export.is_same(shop.serves("prod"), first)
    assert shop.entry()["deployments"] == {shop.api: shop.stage("prod")["deploymentId"]}


def test_an_export_that_was_edited_is_not_put_into_service(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.apply(with_cancellation())
    assert shop.run("api-release", "lambda", "prod", "1.1.0") == 0
    path = shop.archive / "lambda" / "1.0.0.yaml"
    path.write_text(path.read_text().replace("placeOrder", "another"))
    before = shop.stage("prod")
    assert shop.run("api-rollback", "lambda", "prod") == 1
    assert f"{path} is not what was released" in capsys.readouterr().err
    assert shop.stage("prod") == before


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (["api-release", "other", "prod", "1.1.0"], 2, "there is no deployed API 'other'; there is lambda"),
        (["api-release", "lambda", "beta", "1.1.0"], 2, "lambda has no stage 'beta'; there is test, prod"),
        (["api-release", "lambda", "prod", "newest"], 2, "'newest' is not a release: give three numbers"),
        (["api-release", "lambda", "prod", "01.0.0"], 2, "'01.0.0' is not a release"),
        (["api-rollback", "lambda", "prod"], 1, "nothing says what prod of lambda served before"),
        (["api-rollback", "lambda", "prod", "0.9.0"], 2, "0.9.0.yaml is not there; lambda has the releases: 1.0.0"),
    ],
)
def test_what_cannot_be_is_refused(
    shop: Shop, capsys: pytest.CaptureFixture[str], command: list[str], code: int, message: str
) -> None:
    before = shop.stage("prod"), shop.file.read_text()
    assert shop.run(*command) == code
    assert message in capsys.readouterr().err
    assert (shop.stage("prod"), shop.file.read_text()) == before


def test_an_api_of_which_every_stage_is_released_says_so(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert shop.run("api-release", "lambda", "prod", "1.1.0", following=None) == 1
    assert "every stage of lambda serves a release, so none shows the newest definition" in capsys.readouterr().err


def test_status_tells_every_stage(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.apply(with_cancellation())
    assert shop.run("api-release", "lambda", "test", "1.1.0") == 0
    assert shop.run("api-release", "lambda", "prod", "1.1.0") == 0
    shop.apply(without_search())
    capsys.readouterr()
    before = shop.file.read_text(), shop.deployments(), shop.stages()
    assert shop.run("api-status") == 0
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    table = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert table[0] == ["API", "STAGE", "RELEASE", "DEPLOYMENT", "FUNCTIONS", "IMAGE", "AGE", "DRIFT"]
    code = shop.client("lambda").get_function(FunctionName=FUNCTION)["Configuration"]["CodeSha256"][:12]
    assert table[1] == [
        "lambda",
        "test",
        "1.1.0, then every change",
        shop.stage("test")["deploymentId"],
        f"orders:$LATEST {code}",
        "-",
        "0 min",
        "2 differences since",
    ]
    assert table[2] == ["lambda", "prod", "1.1.0", shop.stage("prod")["deploymentId"], "orders:1", "-", "0 min", "none"]
    assert table[3] == ["lambda test: BREAKING POST /orders: `count` in the request body is required"]
    assert (shop.file.read_text(), shop.deployments(), shop.stages()) == before


def test_status_shows_drift_of_a_release(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.apply(with_cancellation())
    assert shop.run("api-release", "lambda", "prod", "1.1.0") == 0
    shop.apply(document())
    shop.move("prod", shop.stage("test")["deploymentId"])
    capsys.readouterr()
    assert shop.run("api-status", "lambda") == 0
    told = capsys.readouterr().out
    assert "3 differences\n" in told
    assert "lambda prod: BREAKING DELETE /orders/{id}: the operation is removed" in told


def test_what_was_released_in_another_account_is_no_drift_here(
    shops: Callable[[], Shop], capsys: pytest.CaptureFixture[str]
) -> None:
    """The same committed files, and a fresh account: nothing was released to its prod, and anything can be."""
    first, second = shops(), shops()
    first.apply(with_cancellation())
    assert first.run("api-release", "lambda", "prod", "1.1.0") == 0
    second.file, second.archive = first.file, first.archive
    before = {path: path.read_text() for path in first.archive.rglob("*.*")}
    capsys.readouterr()
    assert second.run("api-status") == 0
    assert "1.1.0 is another API's" in capsys.readouterr().out

    assert not export.is_same(second.serves("prod"), first.serves("prod"))
    assert second.run("api-release", "lambda", "prod", "1.1.0") == 0
    assert export.is_same(second.serves("prod"), first.serves("prod"))
    held = {shop.api: shop.stage("prod")["deploymentId"] for shop in (first, second)}
    assert first.entry()["deployments"] == held
    assert {path: path.read_text() for path in first.archive.rglob("*.*")} == before
    assert first.run("api-release", "lambda", "prod", "1.1.0") == 0
    assert second.run("api-release", "lambda", "prod", "1.2.0", "--breaking") == 0
    assert export.is_same(second.serves("prod"), second.serves("test"))

"""`make local/api/...`: the same commands, told by the state of the account that runs here."""

import json
import shutil
from pathlib import Path
from uuid import uuid4

import pytest
from local.up import api
from local.up.run_folder import LOCAL, ROOT
from local.up.steps import STATE_BUCKET_PARAMETER
from local.up.terraform import STATE_KEY

from releases.definition import with_cancellation
from releases.shop import Shop
from switchyard.releases import export


def test_a_release_is_noted_in_a_folder_of_the_accounts_own(shop: Shop, tmp_path: Path) -> None:
    lineage = f"test-{uuid4()}"
    endpoints = deployed(shop, tmp_path, lineage)
    folder = LOCAL / "releases" / lineage
    committed = (ROOT / "terraform" / "releases.json").read_text()
    shop.apply(with_cancellation())
    try:
        assert api.main(["--endpoints", str(endpoints), "api-release", "lambda", "prod", "1.1.0"]) == 0
        assert export.is_same(shop.serves("prod"), shop.serves("test"))
        noted = json.loads((folder / "releases.json").read_text())["apis"]["lambda"]["prod"]
        assert noted["deployments"] == {shop.api: shop.stage("prod")["deploymentId"]}
        assert (folder / "lambda" / "1.1.0.yaml").exists()
        # A second command reads what the first has noted.
        assert api.main(["--endpoints", str(endpoints), "api-rollback", "lambda", "prod"]) == 0
        assert "delete" not in shop.serves("prod")["paths"]["/orders/{id}"]
        assert (ROOT / "terraform" / "releases.json").read_text() == committed
    finally:
        shutil.rmtree(folder)


def test_a_refusal_is_handed_on(shop: Shop, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lineage = f"test-{uuid4()}"
    endpoints = deployed(shop, tmp_path, lineage)
    try:
        assert api.main(["--endpoints", str(endpoints), "api-release", "other", "prod", "1.1.0"]) == 2
        assert "there is no deployed API 'other'; there is lambda" in capfd.readouterr().err
    finally:
        shutil.rmtree(LOCAL / "releases" / lineage)


def test_nothing_that_runs_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert api.main(["--endpoints", str(tmp_path / "none.json"), "api-status"]) == 1
    assert "start `make local` first" in capsys.readouterr().err


def deployed(shop: Shop, folder: Path, lineage: str) -> Path:
    """What `make local` leaves: the state in its bucket, whose name is in a parameter, and the file with the end
    points."""
    bucket = f"state-{uuid4()}"
    s3 = shop.client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    outputs = {"apis": {"value": shop.output()}, "functions": {"value": {}}}
    state = json.dumps({"lineage": lineage, "outputs": outputs})
    s3.put_object(Bucket=bucket, Key=STATE_KEY, Body=state.encode())
    shop.client("ssm").put_parameter(Name=STATE_BUCKET_PARAMETER, Value=bucket, Type="String", Overwrite=True)
    file = folder / "endpoints.json"
    file.write_text(json.dumps({"control_plane": shop.control_plane.url}))
    return file

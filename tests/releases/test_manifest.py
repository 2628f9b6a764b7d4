"""What stands beside an export: the image that tasks run, and the commit."""

import json
import subprocess
from pathlib import Path

import pytest

from harness.control_plane import ACCOUNT, REGION
from releases.definition import with_cancellation
from releases.shop import Shop
from switchyard.failure import Failure
from switchyard.releases import manifest

SERVICE = "shop-service"
REPOSITORY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{SERVICE}"
MANIFEST = '{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "layers": []}'


def run_tasks(shop: Shop, name: str, image: str) -> dict[str, str]:
    """A service that runs `image`, as the root makes one; how the output `apis` tells of it."""
    ecs = shop.client("ecs")
    ecs.create_cluster(clusterName=name)
    ecs.register_task_definition(
        family=name,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "app", "image": image, "essential": True}],
    )
    ecs.create_service(cluster=name, serviceName=name, taskDefinition=name, desiredCount=1)
    return {"cluster": name, "name": name}


def test_the_image_is_named_by_its_digest(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    ecr = shop.client("ecr")
    ecr.create_repository(repositoryName=SERVICE)
    digest = ecr.put_image(repositoryName=SERVICE, imageTag="0123456789ab", imageManifest=MANIFEST)["image"]["imageId"]
    service = run_tasks(shop, SERVICE, f"{REPOSITORY}:0123456789ab")
    shop.apply(with_cancellation())
    assert shop.run("api-release", "lambda", "prod", "1.1.0", service=service) == 0
    said = json.loads((shop.archive / "lambda" / "1.1.0.json").read_text())
    assert said["image"] == {"name": f"{REPOSITORY}:0123456789ab", "digest": digest["imageDigest"]}
    capsys.readouterr()
    assert shop.run("api-status", service=service) == 0
    short = digest["imageDigest"].removeprefix("sha256:")[:12]
    assert f"  {SERVICE}:0123456789ab {short}  " in capsys.readouterr().out


def test_an_image_that_was_never_pushed_has_no_digest(shop: Shop) -> None:
    """As after the first apply, before any release of the containers."""
    repository = f"{SERVICE}-unreleased"
    shop.client("ecr").create_repository(repositoryName=repository)
    name = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{repository}:unreleased"
    service = run_tasks(shop, repository, name)
    assert shop.run("api-release", "lambda", "prod", "1.0.0", service=service) == 0
    said = json.loads((shop.archive / "lambda" / "1.0.0.json").read_text())
    assert said["image"] == {"name": name, "digest": None}


def test_a_service_that_is_not_there_is_named(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.client("ecs").create_cluster(clusterName="shop-empty")
    service = {"cluster": "shop-empty", "name": "nobody"}
    assert shop.run("api-release", "lambda", "prod", "1.1.0", service=service) == 2
    assert "there is no ECS service 'nobody' in the cluster 'shop-empty'" in capsys.readouterr().err
    assert not shop.archive.exists()


def test_a_release_names_its_commit_and_cannot_be_made_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "ROOT", tmp_path)
    manifest.source.cache_clear()
    try:
        with pytest.raises(
            Failure, match=r"a release names the commit that it is made from, and git says: .*repository"
        ):
            manifest.source()

        def git(*arguments: str) -> str:
            identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
            command = ["git", "-C", str(tmp_path), *identity, *arguments]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

        git("init", "--quiet")
        (tmp_path / "terraform").mkdir()
        (tmp_path / "terraform" / "main.tf").write_text("")
        git("add", ".")
        git("commit", "--quiet", "-m", "first")
        assert manifest.source() == {"commit": git("rev-parse", "HEAD"), "clean": True}

        # What a release itself writes is no change of what is released.
        manifest.source.cache_clear()
        (tmp_path / "terraform" / "releases.json").write_text("{}")
        assert manifest.source()["clean"] is True
        manifest.source.cache_clear()
        (tmp_path / "terraform" / "main.tf").write_text("# changed")
        assert manifest.source()["clean"] is False
    finally:
        manifest.source.cache_clear()

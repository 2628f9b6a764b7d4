"""The private API's definition as the root makes it, for values of a test's choice."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from harness.control_plane import ROOT
from harness.template import rendered

FOLDER = ROOT / "terraform" / "openapi"
AUTHORIZER = "arn:aws:apigateway:eu-west-1:lambda:path/authorizer"
STAGES_LISTENER = "http://${stageVariables.VPCNLB}"
MAX_AGE_SECONDS = 600


def definition(
    folder: Path,
    origins: Sequence[str],
    *,
    credentials: bool = False,
    base_urls: Mapping[str, str] | None = None,
    authorizer: str = AUTHORIZER,
    template: Path = FOLDER / "private.yaml",
) -> dict[str, Any]:
    """The document. `folder` is an empty one; `base_urls` are those of the services, by default only ours."""
    values = {
        "title": "private",
        "authorizer": {"uri": authorizer, "ttl_seconds": 300},
        "base_urls": base_urls or {"string": STAGES_LISTENER},
        "cors": {"origins": origins, "credentials": credentials, "max_age_seconds": MAX_AGE_SECONDS},
        "templates": {"preflight": rendered(folder, FOLDER / "private" / "preflight.vtl", {"origins": origins})},
    }
    document: dict[str, Any] = yaml.safe_load(rendered(folder, template, values))
    return document

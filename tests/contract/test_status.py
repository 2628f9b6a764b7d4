"""What the service tells about itself: no key is needed, and the map's contents are never in it."""

import pytest

from contract.front_door import Capability, FrontDoor
from harness import http

pytestmark = pytest.mark.needs(Capability.STATUS)


def test_readiness_tells_which_map_serves(front_door: FrontDoor) -> None:
    response = http.request(front_door.url, "GET", "/status/ready")
    assert response.status == 200
    assert response.media_type == "application/json"
    ready = response.json()
    assert isinstance(ready["source"], str)
    assert isinstance(ready["version"], str)
    assert isinstance(ready["rules"], int)
    assert ready["rules"] > 0
    assert ready["age_seconds"] >= 0
    assert "ABN" not in response.body.decode()


def test_head_is_a_method_like_any_other_that_is_not_there(front_door: FrontDoor) -> None:
    response = http.request(front_door.url, "HEAD", "/status/health")
    assert (response.status, response.body) == (404, b"")


def test_the_openapi_document_tells_both_paths_and_every_error(front_door: FrontDoor) -> None:
    response = http.request(front_door.url, "GET", "/openapi.json")
    assert response.status == 200
    assert response.media_type == "application/json"
    document = response.json()
    assert document["openapi"].startswith("3.")
    for path in ("/string/replace", "/api/string/replace"):
        operation = document["paths"][path]["post"]
        assert set(operation["requestBody"]["content"]) >= {"application/json", "text/plain"}
        assert set(operation["responses"]) >= {"200", "400", "403", "413", "415", "503"}
    assert "get" in document["paths"]["/status/health"]
    assert "get" in document["paths"]["/status/ready"]
    [scheme] = document["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["in"], scheme["name"].lower()) == ("apiKey", "header", "x-api-key")

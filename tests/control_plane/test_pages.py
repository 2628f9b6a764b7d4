"""The control plane's own pages: how any of them is found and refused."""

import requests

from harness.control_plane import ControlPlane


def test_a_path_that_nobody_answers(control_plane: ControlPlane) -> None:
    response = requests.get(f"{control_plane.url}/_control_plane/nothing", timeout=5)
    assert response.status_code == 404
    assert response.json() == {"message": "Not found: /_control_plane/nothing"}


def test_a_method_that_a_page_does_not_take(control_plane: ControlPlane) -> None:
    response = requests.put(f"{control_plane.url}/_control_plane/health", timeout=5)
    assert response.status_code == 405
    assert response.json() == {"message": "/_control_plane/health takes GET, not PUT"}

"""The contract that the service publishes: true under fuzzing, and readable without a network."""

import html.parser
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from harness.container import KEY, Container

EXAMPLES = 60


@pytest.fixture(scope="module")
def service() -> Iterator[Container]:
    with Container() as container:
        yield container


def test_schemathesis_finds_nothing(service: Container, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{service.url}/openapi.json",
            f"--header=x-api-key: {KEY}",
            f"--max-examples={EXAMPLES}",
            "--seed=1",
            "--phases=examples,coverage,fuzzing",
            "--checks=all",
            # A wrong method is 404 here, by contract, as it is behind API Gateway; this check wants 405.
            "--exclude-checks=unsupported_method",
            "--suppress-health-check=all",
            "--no-color",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Tested: [1-9]", done.stdout), done.stdout


class _References(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.urls += [value for name, value in attributes if name in ("src", "href") and value]


def test_everything_that_the_docs_page_refers_to_is_served_by_the_service_itself(service: Container) -> None:
    page = service.get("/docs")
    assert page.status == 200
    assert page.media_type == "text/html"
    references = _References()
    references.feed(page.body.decode())
    urls = [url for url in references.urls if not url.startswith(("data:", "#"))]
    urls += re.findall(r'\burl:\s*"([^"]+)"', page.body.decode())
    assert any(url.endswith(".js") for url in urls)
    assert any(url.endswith(".css") for url in urls)
    assert any(url.endswith("openapi.json") for url in urls)
    base = f"{service.url}/docs"
    for url in urls:
        address = urljoin(base, url)
        assert address.startswith(service.url + "/"), f"{url} is somewhere else"
        assert service.get(urlsplit(address).path).status == 200, url

"""A headless Chromium, and a data plane with a small API to look at."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from harness.control_plane import ControlPlane
from harness.data_plane import DataPlane
from harness.greetings import Greetings, deploy

NO_CONTAINER = "/bin/false"
"""Nothing is deployed that would start one."""

# Nothing of the developer's own browser, and no way out of the machine.
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--window-size=1400,2000"),
)


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("there is no Chromium: install Debian's packages chromium and chromium-driver")
    options = ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Greetings]:
    control_plane = ControlPlane()
    try:
        api, key = deploy(control_plane.client("apigateway"))
        data_plane = DataPlane(control_plane.url, tmp_path_factory.mktemp("data-plane"), NO_CONTAINER)
        try:
            yield Greetings(data_plane.url, api, key)
        finally:
            assert data_plane.stop() == 0, data_plane.process.output
    finally:
        control_plane.stop()


@pytest.fixture
def page(browser: Chrome, site: Greetings, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Chrome]:
    """The landing page, opened anew. Whatever the browser complains about fails the test."""
    browser.get(site.url)
    yield browser
    browser.save_screenshot(str(tmp_path / "page.png"))
    log: list[dict[str, str]] = browser.execute("getLog", {"type": "browser"})["value"]
    complaints = [entry["message"] for entry in log if entry["level"] == "SEVERE"]
    assert not complaints, complaints

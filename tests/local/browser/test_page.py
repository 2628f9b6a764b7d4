"""The landing page, as a person uses it."""

import json
import urllib.request
from urllib.error import HTTPError

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select

from harness.greetings import MESSAGE, Greetings
from harness.waiting import eventually

PROD = "lambda-prod"


def element(page: Chrome, selector: str) -> WebElement:
    """As soon as it is shown."""

    def shown() -> WebElement | None:
        found = page.find_elements(By.CSS_SELECTOR, selector)
        return found[0] if found and found[0].is_displayed() else None

    return eventually(selector, shown)


def text(page: Chrome, selector: str, expected: str) -> None:
    """The element's text comes to contain this."""
    # Lists are made anew when something changes, so it is found anew each time, in one step.
    script = "return document.querySelector(arguments[0])?.innerText ?? ''"
    eventually(f"{expected!r} in {selector}", lambda: expected in page.execute_script(script, selector))


def send(page: Chrome, front_door: str, method: str, path: str) -> None:
    element(page, f'[data-front-door="{front_door}"]')
    Select(element(page, "#try-front-door")).select_by_value(front_door)
    Select(element(page, "#try-method")).select_by_visible_text(method)
    field = element(page, "#try-path")
    field.clear()
    field.send_keys(path)
    element(page, "#try-send").click()


def test_every_front_door_is_listed_with_url_key_and_command(page: Chrome, site: Greetings) -> None:
    card = f'[data-front-door="{PROD}"]'
    url = f"{site.url}/_aws/execute-api/{site.api}/prod"
    for expected in (PROD, url, site.key, f"curl {url}/"):
        text(page, card, expected)
    text(page, '[data-front-door="lambda-test"]', "stage test")
    text(page, "#status", "ready")


def test_a_sample_is_proposed_for_the_chosen_front_door(page: Chrome) -> None:
    element(page, f'[data-front-door="{PROD}"] h3 button').click()
    assert Select(element(page, "#try-front-door")).first_selected_option.text == PROD
    assert element(page, "#try-path").get_attribute("value") in ("/hello", "/guarded")


def test_a_request_is_tried_and_its_answer_shown_as_it_is(page: Chrome) -> None:
    send(page, PROD, "GET", "/hello")
    text(page, "#try-status", "200")
    text(page, "#try-answer-body", MESSAGE)
    element(page, "#try-answer summary").click()
    text(page, "#try-answer-headers", "x-amzn-requestid: ")


def test_the_front_doors_key_is_sent_along(page: Chrome) -> None:
    send(page, PROD, "GET", "/guarded")
    text(page, "#try-status", "200")
    send(page, "lambda-test", "GET", "/guarded")
    text(page, "#try-status", "403")


def test_a_request_appears_and_a_click_shows_what_was_done_with_it(page: Chrome, site: Greetings) -> None:
    element(page, "#requests-clear").click()
    path = "/hello?name=%3Cscript%3E"
    with urllib.request.urlopen(f"{site.url}/_aws/execute-api/{site.api}/prod{path}") as answer:
        request_id = answer.headers["x-amzn-requestid"]
    row = f'[data-request="{request_id}"]'
    text(page, row, "/hello")
    text(page, row, "200")
    text(page, row, PROD)
    element(page, f"{row} button").click()
    text(page, "#steps-text", f"Execution log for request {request_id}")
    text(page, "#steps-text", "Method completed with status: 200")


def test_the_keyboard_is_enough(page: Chrome) -> None:
    send(page, PROD, "GET", "/guarded")
    text(page, "#requests-list", "/guarded")
    rows = len(page.find_elements(By.CSS_SELECTOR, "#requests-list tr"))
    button = element(page, "#requests-list button")
    button.send_keys(Keys.ENTER)
    text(page, "#steps-text", "Method completed with status: 200")
    element(page, "#try-send").send_keys(Keys.ENTER)
    eventually("a second row", lambda: len(page.find_elements(By.CSS_SELECTOR, "#requests-list tr")) > rows)
    assert button.get_attribute("aria-expanded") == "true", "what was chosen stays when another request comes"


def test_what_does_not_fit_the_filter_is_hidden(page: Chrome) -> None:
    send(page, PROD, "GET", "/hello")
    send(page, "lambda-test", "GET", "/guarded")
    text(page, "#requests-list", "/guarded")
    element(page, "#requests-filter").send_keys("403")
    shown = "return [...document.querySelectorAll('#requests-list tr:not([hidden])')].map((row) => row.innerText)"

    def only_what_was_refused() -> bool:
        rows: list[str] = page.execute_script(shown)
        return bool(rows) and all("403" in row for row in rows)

    eventually("only what was refused", only_what_was_refused)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(page: Chrome, scheme: str) -> None:
    """WCAG 2's contrast of 4.5 : 1 for every text on the page, in both colour schemes."""
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    send(page, PROD, "GET", "/guarded")
    text(page, "#requests-list", "/guarded")
    element(page, "#requests-list button").click()
    assert page.execute_script(LOW_CONTRAST) == []


def test_every_field_and_button_has_a_name(page: Chrome) -> None:
    element(page, f'[data-front-door="{PROD}"]')
    for control in page.find_elements(By.CSS_SELECTOR, "button, input, select, textarea"):
        assert control.accessible_name, control.get_attribute("outerHTML")


def test_other_sites_are_not_answered(site: Greetings) -> None:
    trial = json.dumps({"front_door": PROD, "method": "GET", "path": "/hello"}).encode()
    for path, body, headers in (
        ("/", None, {"host": "evil.example"}),
        ("/_local/state", None, {"host": "evil.example"}),
        ("/_local/try", trial, {"content-type": "application/json", "origin": "http://evil.example"}),
        ("/_local/try", trial, {"content-type": "text/plain"}),
    ):
        with pytest.raises(HTTPError) as refusal:
            urllib.request.urlopen(urllib.request.Request(site.url + path, body, headers))
        assert refusal.value.code in (403, 415)
        assert site.key not in refusal.value.read().decode()


# Texts whose colour is too near to the ground's, with the contrast. Grounds are plain colours, or see-through.
LOW_CONTRAST = """
const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
const luminance = (rgb) => {
  const linear = (c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const [r, g, b] = rgb.slice(0, 3).map((c) => linear(c / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const colour = channels(getComputedStyle(e).backgroundColor);
    if (colour.length === 3 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
const low = [];
for (const element of document.querySelectorAll("body *")) {
  const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  if (!hasText || !element.checkVisibility() || element.matches(".hidden, .skip, option")) continue;
  const [a, b] = [luminance(channels(getComputedStyle(element).color)), luminance(ground(element))].sort().reverse();
  const contrast = (a + 0.05) / (b + 0.05);
  if (contrast < 4.5) low.push(`${contrast.toFixed(2)}: ${element.textContent.slice(0, 40)}`);
}
return low;
"""

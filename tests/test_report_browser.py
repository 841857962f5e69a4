"""The report in a real browser: nothing on the console, every figure there, controls that change what they should."""

import base64
import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quadlens.circuits.construct import construct
from quadlens.circuits.forward import evaluate
from quadlens.report.analysis import analyse
from quadlens.report.write import write_report

PHONE, DESK = (390, 844), (1200, 900)
WAIT_SECONDS = 60


class Browser:
    """A headless Chromium, driven through chromedriver's HTTP interface (W3C WebDriver)."""

    def __init__(self, folder: Path, *, javascript: bool = True) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.process = subprocess.Popen(
            ["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                self._call("GET", "/status")
                break
            except OSError:
                if time.monotonic() > deadline:
                    self.process.kill()
                    raise
                time.sleep(0.1)
        options = {
            "args": [
                *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
                *("--disable-background-networking", f"--user-data-dir={folder}"),
            ],
            "prefs": {} if javascript else {"profile.managed_default_content_settings.javascript": 2},
        }
        capabilities = {"goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": options}
        self.session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})["sessionId"]

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self.address + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
            return json.load(answer)["value"]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self._call(method, f"/session/{self.session}{path}", body)

    def run(self, script: str, *arguments: Any) -> Any:
        """Run JavaScript in the page; ``$`` finds an element by its id."""
        start = "const $ = (id) => document.getElementById(id);"
        return self.call("POST", "/execute/sync", {"script": start + script, "args": list(arguments)})

    def open(self, page: Path, size: tuple[int, int] = DESK) -> None:
        self.call("POST", "/window/rect", {"width": size[0], "height": size[1]})
        self.call("POST", "/url", {"url": page.as_uri()})

    def slide(self, identifier: str, value: int) -> None:
        """Move a slider as a reader would: the value changes and an input event is fired."""
        move = "$(arguments[0]).value = arguments[1]; $(arguments[0]).dispatchEvent(new Event('input'))"
        self.run(move, identifier, value)

    def press(self, identifier: str, key: str) -> None:
        """Focus an element and press a key."""
        element = self.call("POST", "/element", {"using": "css selector", "value": f"#{identifier}"})
        self.call("POST", f"/element/{next(iter(element.values()))}/value", {"text": key})

    def point_at(self, selector: str) -> None:
        """Move the mouse over the first element that the selector finds."""
        element = self.call("POST", "/element", {"using": "css selector", "value": selector})
        self.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        move = {"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": element}
        self.call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": [move]}]})

    def emulate(self, **features: str) -> None:
        """Pretend a medium (``media``) and its features, such as ``prefers_color_scheme``."""
        parameters = {
            "media": features.pop("media", ""),
            "features": [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()],
        }
        self.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": parameters})

    def console(self) -> list[dict[str, Any]]:
        return list(self.call("POST", "/se/log", {"type": "browser"}))

    def screenshot(self) -> bytes:
        return base64.b64decode(self.call("GET", "/screenshot"))

    def close(self) -> None:
        try:
            self.call("DELETE", "")
        finally:
            self.process.terminate()
            self.process.wait(WAIT_SECONDS)


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    circuit = construct(p=31, frequencies=(3, 7), neurons=90, noise=0.02)
    page, _ = write_report(analyse("a network", circuit, evaluate(circuit)), tmp_path_factory.mktemp("report"))
    return page


@pytest.fixture(scope="module")
def driver() -> Iterator[Browser]:
    for program in ("chromedriver", "chromium"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}: on Debian, apt-get install chromium chromium-driver")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(Path(folder))
        yield browser
        browser.close()


@pytest.fixture
def browser(driver: Browser, html: Path) -> Browser:
    driver.emulate()
    driver.open(html)
    return driver


def words(browser: Browser) -> str:
    return str(browser.run("return $('x-words').textContent"))


def test_nothing_is_said_on_the_console_and_every_figure_is_visible(browser: Browser) -> None:
    boxes = browser.run(
        "return [...document.querySelectorAll('figure svg')].map((s) => s.getBoundingClientRect())"
        ".map((box) => [box.width, box.height])"
    )
    assert len(boxes) == 12
    assert all(width > 300 and height > 150 for width, height in boxes)
    assert browser.run("return getComputedStyle(document.querySelector('math')).display") == "block math"
    browser.slide("x-d", 9)
    browser.slide("x-b", 4)
    assert browser.console() == []
    assert len(browser.screenshot()) > 10_000
    browser.run("console.error('heard')")
    assert any("heard" in entry["message"] for entry in browser.console())  # the console is really listened to


def test_sliding_the_difference_moves_everything(browser: Browser) -> None:
    before = browser.run("return ['x-rectangles', 'x-circle', 'x-waveform'].map((id) => $(id).innerHTML)")
    said = words(browser)
    browser.slide("x-d", 5)
    after = browser.run("return ['x-rectangles', 'x-circle', 'x-waveform'].map((id) => $(id).innerHTML)")
    assert all(x != y for x, y in zip(before, after, strict=True))
    assert words(browser) != said
    assert "a = 5, b = 0, c = a + b = 5." in words(browser)
    assert browser.run("return $('x-d-out').textContent") == "5"


def test_sliding_b_turns_the_neurons_under_the_same_curve(browser: Browser) -> None:
    browser.slide("x-d", 5)
    before = browser.run("return ['x-waveform', 'x-circle'].map((id) => $(id).innerHTML)")
    browser.slide("x-b", 3)
    after = browser.run("return ['x-waveform', 'x-circle'].map((id) => $(id).innerHTML)")
    assert before[0] == after[0]
    assert before[1] != after[1]
    assert "a = 8, b = 3, c = a + b = 11." in words(browser)


def test_the_page_computes_what_the_library_computes(browser: Browser) -> None:
    from quadlens.form.amplitude_phase import fit
    from quadlens.report.integrand import integrand

    circuit = construct(p=31, frequencies=(3, 7), neurons=90, noise=0.02)
    form = fit(circuit)
    for index, group in enumerate(form.groups):
        browser.run("$('x-group').value = arguments[0]; $('x-group').dispatchEvent(new Event('change'))", str(index))
        for d, b in ((0, 0), (5, 3), (22, 17)):
            browser.slide("x-d", d)
            browser.slide("x-b", b)
            one = integrand(circuit, form, group, d + b, b)
            said = words(browser).replace("−", "-")
            parts = said.split("add about ")[1].split("is ")
            area, integral = (float(part.split(" ")[0].rstrip(".")) for part in parts)
            # the page holds tables in 16 bits and waves in 5 digits, and shows three decimals
            assert area == pytest.approx(one.scale * one.rectangle_area, abs=1e-2)
            assert integral == pytest.approx(one.scale * one.curve_area, abs=5.1e-4)  # three decimals
            active = circuit.A[(d + b) % 31, group.members] + circuit.B[b, group.members] > 0
            assert f"{int(active.sum())} of {group.members.size} neurons are active" in said


def test_choosing_a_frequency_changes_the_neurons(browser: Browser) -> None:
    before = browser.run("return [$('x-n-out').textContent, $('x-n').max]")
    chosen = browser.run("return $('x-group').value")
    other = "1" if chosen == "0" else "0"
    browser.run("$('x-group').value = arguments[0]; $('x-group').dispatchEvent(new Event('change'))", other)
    after = browser.run("return [$('x-n-out').textContent, $('x-n').max]")
    assert before[0] != after[0]
    assert after[1] == "44"


def test_pointing_at_a_neuron_shows_its_waves(browser: Browser) -> None:
    before = browser.run("return [$('x-neuron-title').textContent, $('x-neuron').innerHTML]")
    browser.point_at("#x-circle g[data-n='20'] circle")
    after = browser.run("return [$('x-neuron-title').textContent, $('x-neuron').innerHTML, $('x-n').value]")
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert after[2] == "20"
    assert browser.run("return $('x-neuron').querySelectorAll('circle').length") == 3 * 31


def test_everything_works_from_the_keyboard(browser: Browser) -> None:
    right = "\ue014"
    for identifier, shown in (("x-d", "x-d-out"), ("x-b", "x-b-out"), ("x-n", "x-n-out")):
        before = browser.run("return $(arguments[0]).textContent", shown)
        browser.press(identifier, right)
        assert browser.run("return $(arguments[0]).textContent", shown) != before
    reachable = browser.run(
        "return [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex]')]"
        ".filter((e) => e.tabIndex < 0).length"
    )
    assert reachable == 0


def test_tables_sort_by_number_both_ways(browser: Browser) -> None:
    column = (
        "const t = document.querySelectorAll('table')[0]; const i = [...t.tHead.rows[0].cells].findIndex((c) => "
        "c.textContent === 'W'); return [...t.tBodies[0].rows].map((r) => parseFloat(r.cells[i].textContent))"
    )
    click = (
        "const h = [...document.querySelectorAll('table')[0].tHead.rows[0].cells].find((c) => c.textContent === 'W');"
        "h.querySelector('button').click(); return h.getAttribute('aria-sort')"
    )
    assert browser.run(click) == "ascending"
    rising = browser.run(column)
    assert rising == sorted(rising)
    assert browser.run(click) == "descending"
    assert browser.run(column) == sorted(rising, reverse=True)


def test_dark_follows_the_system_and_the_button(browser: Browser) -> None:
    paper = "return getComputedStyle(document.body).backgroundColor"
    light = browser.run(paper)
    browser.emulate(prefers_color_scheme="dark")
    dark = browser.run(paper)
    assert dark != light
    ink = "return getComputedStyle(document.querySelector('#figure-ladder svg text, #figure-ladder svg use')).fill"
    assert browser.run(ink) is not None
    browser.run("$('theme').click()")
    assert browser.run(paper) == light
    browser.run("$('theme').click()")
    assert browser.run(paper) == dark


def test_a_phone_shows_the_page_without_scrolling_sideways(browser: Browser, html: Path) -> None:
    browser.open(html, PHONE)
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")
    assert browser.run("const p = document.querySelector('.plot'); return p.scrollWidth > p.clientWidth")
    size = browser.run(
        "const s = $('x-rectangles'); return 12 * s.getBoundingClientRect().width / s.viewBox.baseVal.width"
    )
    assert size >= 10  # letters of the explorer, in pixels


def test_print_shows_the_document_and_not_the_controls(browser: Browser) -> None:
    browser.emulate(media="print", prefers_color_scheme="dark")
    assert browser.run("return getComputedStyle($('explorer')).display") == "none"
    assert browser.run("return getComputedStyle(document.querySelector('nav')).display") == "none"
    assert browser.run("return getComputedStyle($('figure-ladder')).display") != "none"
    background = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 254)"  # paper is white, whatever the screen was


def test_without_javascript_it_is_a_whole_document(html: Path, driver: Browser) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        still = Browser(Path(folder), javascript=False)
        try:
            still.open(html)
            assert still.run("return getComputedStyle($('explorer')).display") == "none"
            assert still.run("return getComputedStyle($('theme')).display") == "none"
            assert still.run("return document.querySelectorAll('thead button').length") == 0
            assert still.run("return document.querySelectorAll('figure svg').length") == 12
            assert still.run("return document.querySelector('noscript').innerText").startswith("With JavaScript")
        finally:
            still.close()


def test_printing_opens_what_is_folded_and_closes_it_again(browser: Browser) -> None:
    folded = "return document.querySelectorAll('details:not([open])').length"
    before = browser.run(folded)
    assert before > 0
    browser.run("document.querySelector('details').open = true")
    browser.run("dispatchEvent(new Event('beforeprint'))")
    assert browser.run(folded) == 0
    browser.run("dispatchEvent(new Event('afterprint'))")
    assert browser.run(folded) == before - 1


def test_the_explorer_is_linked_where_there_is_one(browser: Browser) -> None:
    assert browser.run("return $('x-link').hidden") is False
    assert browser.run("return document.querySelector('#x-link a').getAttribute('href')") == "#explorer"


def test_paper_is_light_whatever_the_screen_was(browser: Browser) -> None:
    filtered = "return getComputedStyle(document.querySelector('.plot svg image')).filter"
    browser.run("document.documentElement.dataset.theme = 'dark'")
    assert browser.run(filtered) == "brightness(1.7)"
    browser.emulate(media="print", prefers_color_scheme="dark")
    assert browser.run(filtered) == "none"
    assert browser.run("return getComputedStyle(document.querySelector('.plot')).backgroundImage") == "none"

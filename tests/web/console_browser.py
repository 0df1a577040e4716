"""Drives Debian's headless Chromium with selenium, and collects what a page asked for and complained about.

Where Chromium or its driver is missing the tests are skipped by name. Pictures go to `NRX_TEST_PICTURES`, else to a
folder of their own in the system's temporary one.
"""

import contextlib
import json
import os
import shutil
import tempfile
import time
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--hide-scrollbars",
    "--mute-audio",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
)
WIDE, PHONE = (1280, 900), (375, 812)
WAIT_S = 20.0


def pictures_folder() -> Path:
    """Where pictures of pages are kept."""
    named = os.environ.get("NRX_TEST_PICTURES")
    folder = Path(named) if named else Path(tempfile.gettempdir()) / "nrx-console-pictures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Page:
    """A browser with one page."""

    def __init__(self, driver: webdriver.Chrome, downloads: Path) -> None:
        self.driver, self.downloads = driver, downloads
        self._console: list[str] = []

    def reset(self, url: str) -> None:
        """Forget everything that a visit left, in the browser and here."""
        self.driver.get("about:blank")
        self.command("Storage.clearDataForOrigin", origin=url, storageTypes="all")
        self.look(*WIDE)
        self.prefer(**{"prefers-color-scheme": "dark", "prefers-reduced-motion": "no-preference"})
        self.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))
        self.addresses()
        self.errors()

    def open(self, address: str) -> None:
        # Two addresses that part in their fragments alone are one page to a browser.
        self.driver.get("about:blank")
        self.driver.get(address)

    def go(self, fragment: str) -> None:
        self.run(f"location.hash = {json.dumps(fragment)}")
        self.wait("document.querySelector('main h1') !== null")

    def run(self, script: str, *values: Any) -> Any:
        return self.driver.execute_script(script, *values)

    def later(self, script: str) -> Any:
        """Run an async function's body, and return what it resolves to."""
        wrapped = f"const done = arguments[0]; (async () => {{ {script} }})().then(done, (e) => done('' + e))"
        return self.driver.execute_async_script(wrapped)

    def wait(self, condition: str, within_s: float = WAIT_S) -> None:
        """Wait until an expression is true."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            if self.run(f"return Boolean({condition})"):
                return
            time.sleep(0.05)
        self.picture("failed-wait")
        text = self.run("return document.body.innerText")
        raise AssertionError(f"not within {within_s:g} s: {condition}\n{text}")

    def find(self, selector: str) -> WebElement:
        self.wait(f"document.querySelector({json.dumps(selector)}) !== null")
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def click(self, selector: str) -> None:
        """Click what a selector finds; where the page has just put something new there, the new one."""
        for _ in range(3):
            with contextlib.suppress(StaleElementReferenceException):
                return self._click(self.find(selector))
        raise AssertionError(f"{selector} never stays in its place")

    def _click(self, element: WebElement) -> None:
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        label = element.tag_name == "input" and element.get_attribute("type") in ("radio", "checkbox")
        target = element.find_element(By.XPATH, "ancestor::label") if label else element
        target.click()

    def text(self, selector: str) -> str:
        return self.find(selector).text

    def press(self, *keys: str) -> None:
        for key in keys:
            ActionChains(self.driver).send_keys(getattr(Keys, key, key)).perform()

    def look(self, width: int, height: int) -> None:
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )

    def prefer(self, **features: str) -> None:
        listed = [{"name": name, "value": value} for name, value in features.items()]
        self.command("Emulation.setEmulatedMedia", features=listed)

    def command(self, name: str, **parameters: Any) -> Any:
        return self.driver.execute_cdp_cmd(name, parameters)

    def picture(self, name: str) -> Path:
        shown = self.command("Page.captureScreenshot", format="png")
        file = pictures_folder() / f"{name}.png"
        file.write_bytes(b64decode(shown["data"]))
        return file

    def addresses(self) -> list[str]:
        """What was asked for since the last call: http, https, ws, wss, data …"""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
            elif message["method"] == "Network.webSocketCreated":
                found.append(message["params"]["url"])
        return found

    def errors(self) -> list[str]:
        """What the browser's console said since the last call: errors, and refusals by the page's policy."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING")
        ]


def open_chromium(downloads: Path) -> Page:
    """Start a browser, or skip the test."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("Chromium and its driver are not installed (Debian: chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in FLAGS:
        options.add_argument(flag)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return Page(webdriver.Chrome(options=options, service=Service(driver)), downloads)

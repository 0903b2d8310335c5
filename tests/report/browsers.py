"""A browser without a window that opens reports from files."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from threading import Thread
from typing import Any, Protocol

from tests import patience

# The code points that WebDriver has for keys without a character.
KEYS = {
    "Tab": "\ue004",
    "Enter": "\ue007",
    "Escape": "\ue00c",
    "Alt": "\ue00a",
    "Left": "\ue012",
    "Up": "\ue013",
    "Right": "\ue014",
    "Down": "\ue015",
}


class MissingBrowser(Exception):
    """The browser, its driver or the library for it is not there."""


Point = tuple[int, int]


class Window(Protocol):
    """What a browser's driver can do."""

    def go(self, address: str) -> None: ...

    def run(self, script: str, *arguments: Any) -> Any: ...

    def press(self, keys: list[str]) -> None: ...

    def chord(self, held: str, key: str) -> None: ...

    def drag(self, start: Point, end: Point) -> None: ...

    def pdf(self) -> bytes: ...

    def picture(self) -> bytes: ...

    def log(self) -> list[str]: ...

    def close(self) -> None: ...


class Browser:
    """One window; `violations` of the page's policy count as complaints."""

    def __init__(self, window: Window, name: str) -> None:
        self.window, self.name = window, name

    def open(self, page: Path, fragment: str = "") -> None:
        """Open a report and wait until it is drawn."""
        # Another fragment alone would not load it anew.
        if self.run("return location.href") != "about:blank":
            self.leave()
        self.window.go(page.as_uri() + fragment)
        self.until("return document.documentElement.dataset.ready !== undefined")
        self.run(
            "window.violations = [];"
            "addEventListener('securitypolicyviolation', e => violations.push(e.violatedDirective))"
        )

    def turn_to(self, fragment: str) -> None:
        """Show another view of the report that is open, as a link in it does."""
        self.run(
            "window.turned = false;"
            "const drawn = () => requestAnimationFrame(() => { window.turned = true });"
            "addEventListener('hashchange', drawn, {once: true});"
            "location.hash = arguments[0]",
            fragment,
        )
        self.until("return window.turned")

    def leave(self) -> None:
        self.window.go("about:blank")

    def run(self, script: str, *arguments: Any) -> Any:
        return self.window.run(script, *arguments)

    def until(self, script: str, *arguments: Any) -> Any:
        """Run a script until what it returns is true, and return it."""
        return patience.wait_until(lambda: self.run(script, *arguments), script, pause=0.03)

    def text(self, selector: str) -> str:
        """Return the text of the first element that a selector finds."""
        return str(self.until("return document.querySelector(arguments[0])?.textContent", selector))

    def texts(self, selector: str) -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)"
        return list(self.run(script, selector))

    def click(self, selector: str, index: int = 0) -> None:
        self.until(
            "const e = document.querySelectorAll(arguments[0])[arguments[1]];"
            "e?.click(); return !!e",
            selector,
            index,
        )

    def keys(self, *keys: str) -> None:
        """Press keys where the focus is: characters, or names of KEYS."""
        self.window.press([KEYS.get(key, key) for key in keys])

    def drag(self, selector: str, to: str) -> None:
        """Drag an element to the right half of another one."""
        places = self.until(
            "const [from, to] = [...arguments].map(s => document.querySelector(s));"
            "if (!from || !to) return null;"
            "const [a, b] = [from.getBoundingClientRect(), to.getBoundingClientRect()];"
            "return [[a.x + a.width / 2, a.y + a.height / 2], "
            "[b.x + b.width * 0.8, b.y + b.height / 2]].map(p => p.map(Math.round))",
            selector,
            to,
        )
        self.window.drag(*(tuple(place) for place in places))

    def chord(self, held: str, key: str) -> None:
        """Press a key while another one is held."""
        self.window.chord(KEYS[held], KEYS.get(key, key))

    def type(self, text: str) -> None:
        self.keys(*text)

    def filter(self, text: str) -> None:
        """Write a filter into the box and wait until it holds."""
        self.run("const b = document.querySelector('#where'); b.focus(); b.select()")
        self.type(text)
        self.until(
            "return new URLSearchParams(location.hash.split('?')[1]).get('where') === arguments[0]",
            text,
        )

    def complaints(self) -> list[str]:
        """Return the page's errors and violations of its policy since the last time."""
        found = [str(name) for name in self.run("return window.violations ?? []")]
        return found + self.window.log()

    def close(self) -> None:
        self.window.close()


class ChromiumWindow:
    """Chromium through its driver."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def emulate(
        self,
        size: tuple[int, int] = (1440, 900),
        dark: bool = False,
        forced_colours: bool = False,
        scale: int = 1,
    ) -> None:
        """Have a screen of so many pixels, and what its owner prefers."""
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale}
        metrics["mobile"] = width < 600
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "forced-colors", "value": "active" if forced_colours else "none"},
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def go(self, address: str) -> None:
        self.driver.get(address)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def press(self, keys: list[str]) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        chain = ActionChains(self.driver)
        for key in keys:
            chain = chain.send_keys(key)
        chain.perform()

    def chord(self, held: str, key: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).key_down(held).send_keys(key).key_up(held).perform()

    def drag(self, start: Point, end: Point) -> None:
        from selenium.webdriver.common.actions.action_builder import ActionBuilder

        actions = ActionBuilder(self.driver)
        pointer = actions.pointer_action
        pointer.move_to_location(*start)
        pointer.pointer_down()
        pointer.move_to_location((start[0] + end[0]) // 2, end[1])
        pointer.move_to_location(*end)
        pointer.pointer_up()
        actions.perform()

    def pdf(self) -> bytes:
        options = {"preferCSSPageSize": True, "printBackground": False}
        return base64.b64decode(self.driver.execute_cdp_cmd("Page.printToPDF", options)["data"])

    def picture(self) -> bytes:
        options = {"format": "png"}
        return base64.b64decode(
            self.driver.execute_cdp_cmd("Page.captureScreenshot", options)["data"]
        )

    def log(self) -> list[str]:
        entries = self.driver.get_log("browser")
        return [e["message"] for e in entries if e["level"] in ("SEVERE", "WARNING")]

    def close(self) -> None:
        self.driver.quit()


class FirefoxWindow:
    """Firefox through WebDriver BiDi, which it speaks itself."""

    def __init__(self, binary: str, size: tuple[int, int]) -> None:
        self._profile = tempfile.mkdtemp(prefix="firefox")
        arguments = ["--headless", "--remote-debugging-port=0", "--profile", self._profile]
        self._process = subprocess.Popen(
            [binary, *arguments, f"--width={size[0]}", f"--height={size[1]}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "HOME": self._profile, "MOZ_HEADLESS": "1"},
        )
        self._socket = self._connect()
        self._number = 0
        self._log: list[str] = []
        self._call("session.new", capabilities={})
        self._call("session.subscribe", events=["log.entryAdded"])
        self._context = self._call("browsingContext.getTree")["contexts"][0]["context"]
        self._call(
            "browsingContext.setViewport",
            context=self._context,
            viewport={"width": size[0], "height": size[1]},
        )

    def _connect(self) -> Any:
        from websocket import create_connection

        assert self._process.stderr is not None
        for line in self._process.stderr:
            if found := re.search(r"ws://\S+", line):
                # It says more than a pipe can hold, and nobody reads it from here on.
                self._reader = Thread(target=self._process.stderr.read, daemon=True)
                self._reader.start()
                return create_connection(
                    f"{found[0]}/session", timeout=patience.SECONDS, suppress_origin=True
                )
        raise MissingBrowser("Firefox ended before it could be reached")

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer: dict[str, Any] = json.loads(self._socket.recv())
            if answer.get("method") == "log.entryAdded":
                entry = answer["params"]
                if entry["level"] in ("error", "warn"):
                    self._log.append(entry["text"])
            if answer.get("id") == self._number:
                assert answer["type"] == "success", answer
                result: dict[str, Any] = answer["result"]
                return result

    def go(self, address: str) -> None:
        self._call("browsingContext.navigate", context=self._context, url=address, wait="complete")

    def run(self, script: str, *arguments: Any) -> Any:
        # An element is there or not: what else it is no test asks.
        body = (
            f"const found = (function () {{ {script} }}).apply(null, given);"
            "return JSON.stringify(found instanceof Element ? true : found) ?? 'null'"
        )
        given = json.dumps(arguments)
        found = self._call(
            "script.callFunction",
            functionDeclaration=f"function () {{ const given = {given}; {body} }}",
            awaitPromise=False,
            target={"context": self._context},
        )
        assert found["type"] == "success", found
        return json.loads(found["result"]["value"])

    def press(self, keys: list[str]) -> None:
        self._keys([(kind, key) for key in keys for kind in ("keyDown", "keyUp")])

    def chord(self, held: str, key: str) -> None:
        self._keys([("keyDown", held), ("keyDown", key), ("keyUp", key), ("keyUp", held)])

    def _keys(self, pressed: list[tuple[str, str]]) -> None:
        steps = [{"type": kind, "value": key} for kind, key in pressed]
        actions = [{"type": "key", "id": "keys", "actions": steps}]
        self._call("input.performActions", context=self._context, actions=actions)

    def drag(self, start: Point, end: Point) -> None:
        middle = ((start[0] + end[0]) // 2, end[1])
        moves = [{"type": "pointerMove", "x": x, "y": y} for x, y in (start, middle, end)]
        steps = [
            *(moves[0], {"type": "pointerDown", "button": 0}),
            *(*moves[1:], {"type": "pointerUp", "button": 0}),
        ]
        actions = [{"type": "pointer", "id": "mouse", "actions": steps}]
        self._call("input.performActions", context=self._context, actions=actions)

    def pdf(self) -> bytes:
        found = self._call("browsingContext.print", context=self._context, orientation="landscape")
        return base64.b64decode(found["data"])

    def picture(self) -> bytes:
        found = self._call("browsingContext.captureScreenshot", context=self._context)
        return base64.b64decode(found["data"])

    def log(self) -> list[str]:
        found, self._log = self._log, []
        return found

    def close(self) -> None:
        self._socket.close()
        self._process.terminate()
        self._process.wait(patience.SECONDS)
        self._reader.join()
        assert self._process.stderr is not None
        self._process.stderr.close()
        shutil.rmtree(self._profile, ignore_errors=True)


def open_chromium(
    *,
    size: tuple[int, int] = (1440, 900),
    scripts: bool = True,
    downloads: Path | None = None,
) -> Browser:
    """Open Chromium; raises MissingBrowser."""
    binary = _command("chromium", "chromium-browser", "google-chrome")
    driver = _command("chromedriver")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    preferences: dict[str, Any] = {}
    if not scripts:
        preferences["profile.managed_default_content_settings.javascript"] = 2
    if downloads is not None:
        preferences["download.default_directory"] = str(downloads)
        preferences["profile.default_content_setting_values.automatic_downloads"] = 1
    options.add_experimental_option("prefs", preferences)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    window = ChromiumWindow(
        webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    )
    window.emulate(size)
    return Browser(window, "chromium")


def open_firefox(*, size: tuple[int, int] = (1440, 900)) -> Browser:
    """Open Firefox; raises MissingBrowser."""
    binary = _command("firefox-esr", "firefox")
    return Browser(FirefoxWindow(binary, size), "firefox")


def _command(*names: str) -> str:
    """Return the first of the commands that is there, with the library that talks to it."""
    try:
        import selenium  # noqa: F401
        import websocket  # noqa: F401
    except ImportError as error:
        raise MissingBrowser(f"the Python package {error.name} is not installed") from None
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise MissingBrowser(f"the command {names[0]!r} is not installed")
    return found

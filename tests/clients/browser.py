"""A headless browser, driven through its DevTools protocol over a pipe. Nothing but Python's own library.

The browser is the distribution's: `AURORAML_TEST_BROWSER`, or chromium where it is installed. It is told to
resolve no name and to know no network: what a page asks for all the same is seen.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# For one answer. The machine may be busy with other tests.
ANSWER = 120.0


def find() -> str | None:
    """The browser's program, if there is one."""
    named = os.environ.get("AURORAML_TEST_BROWSER")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    def __init__(self) -> None:
        program = find()
        if program is None:
            raise SystemExit("there is no browser")
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_browser, ours_out = os.pipe()
        ours_in, from_browser = os.pipe()
        arguments = [
            program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--remote-debugging-pipe", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-extensions", "--no-proxy-server",
            "--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars", "--force-color-profile=srgb",
            "--font-render-hinting=none", f"--user-data-dir={self.folder.name}", "about:blank",
        ]  # fmt: skip

        def pipes() -> None:
            # The protocol's own numbers: 3 is read by the browser, 4 is written. Neither end may lie in the other's way.
            high = [os.dup2(to_browser, 103), os.dup2(from_browser, 104)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            arguments, preexec_fn=pipes, close_fds=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        self.out, self.input, self.rest, self.number = ours_out, ours_in, b"", 0

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.out)
        os.close(self.input)
        self.folder.cleanup()

    def read(self, until: float) -> dict:
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.input], [], [], max(0.0, until - time.monotonic()))
            more = os.read(self.input, 1 << 20) if ready else b""
            if not more:
                raise RuntimeError("the browser does not answer" if not ready else "the browser has gone")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method: str, session: str | None, events: list[dict], **params: object) -> dict:
        """Asks, and keeps what is told meanwhile."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + ANSWER
        while True:
            answer = self.read(until)
            if answer.get("id") != self.number:
                events.append(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']}")
            else:
                return answer["result"]

    def page(self) -> "Page":
        return Page(self)


class Page:
    """One tab, with everything that it said."""

    def __init__(self, browser: Browser) -> None:
        self.browser, self.events = browser, []
        target = browser.call("Target.createTarget", None, self.events, url="about:blank")["targetId"]
        self.target = target
        attached = browser.call("Target.attachToTarget", None, self.events, targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: object) -> dict:
        return self.browser.call(method, self.session, self.events, **params)

    def close(self) -> None:
        self.browser.call("Target.closeTarget", None, self.events, targetId=self.target)

    def size(self, width: int, height: int, scale: float = 1.0) -> None:
        phone = width < 600
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=scale, mobile=phone,
        )  # fmt: skip

    def looks(self, scheme: str = "light", media: str = "screen") -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)

    def open(self, file: Path) -> None:
        self.events.clear()
        self.call("Page.navigate", url=file.resolve().as_uri())
        until = time.monotonic() + ANSWER
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.browser.read(until))

    def value(self, expression: str) -> object:
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def requests(self) -> list[str]:
        """What was asked for beside the page itself."""
        sent = [event for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent][1:]

    def complaints(self) -> list[str]:
        """Whatever stands on the console."""
        said = []
        for event in self.events:
            params = event.get("params", {})
            match event.get("method"):
                case "Runtime.consoleAPICalled":
                    said.append(json.dumps(params.get("args")))
                case "Runtime.exceptionThrown":
                    said.append(json.dumps(params.get("exceptionDetails")))
                case "Log.entryAdded":
                    said.append(params["entry"]["text"])
        return said

    def picture(self, file: Path, whole: bool = True) -> None:
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        if whole:
            box = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": box["width"], "height": box["height"], "scale": 1}
            shot = self.call(
                "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
            )  # fmt: skip
        file.write_bytes(base64.b64decode(shot["data"]))

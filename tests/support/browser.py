"""A headless Chromium over its DevTools protocol: just enough to open a file, press keys and ask for values."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from websockets.sync.client import connect

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-default-apps --disable-dev-shm-usage --hide-scrollbars "
    "--remote-debugging-port=0 --proxy-server=127.0.0.1:9"
)
_KEYS = {"Enter": ("\r", 13), "Escape": ("", 27)}


class Browser:
    """A context manager around one page. `errors` are complaints of scripts and of the page's policy."""

    def __init__(self, folder: Path, *, width: int = 1240, height: int = 900) -> None:
        """`folder` is empty: the profile."""
        self.folder, self.size = folder, (width, height)
        self.errors: list[str] = []
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        size = f"--window-size={self.size[0]},{self.size[1]}"
        command = [str(CHROMIUM), *_FLAGS.split(), size, f"--user-data-dir={self.folder}", "about:blank"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = self._port()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=20) as answer:
            page = next(target for target in json.loads(answer.read()) if target["type"] == "page")
        self.open_things = contextlib.ExitStack()
        channel = connect(page["webSocketDebuggerUrl"], max_size=None, compression=None, open_timeout=30)
        self.socket = self.open_things.enter_context(channel)
        for domain in ("Page", "Runtime", "Log", "Performance"):
            self.send(f"{domain}.enable")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.open_things.close()
        self.process.kill()
        self.process.wait()

    def open(self, file: Path, fragment: str = "") -> None:
        """Load a file and wait until its script has run."""
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=file.as_uri() + fragment)
        self.until(
            f"location.href === {file.as_uri() + fragment!r} && document.documentElement?.dataset.ready === 'true'"
        )

    def press(self, *keys: str) -> None:
        """Press keys, one after the other; a longer word that is no name of a key is typed."""
        for key in keys:
            text, code = _KEYS.get(key, (key, ord(key[0].upper())))
            if key not in _KEYS and len(key) > 1:
                self.send("Input.insertText", text=key)
                continue
            event = {"key": key, "text": text, "windowsVirtualKeyCode": code}
            self.send("Input.dispatchKeyEvent", type="keyDown", **event)
            self.send("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def value(self, script: str) -> Any:
        """What an expression gives, as JSON."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, script: str, seconds: float = 30) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.value(script):
            assert time.monotonic() < end, f"never true: {script}"
            time.sleep(0.05)

    def script_seconds(self) -> float:
        """How long scripts have run in this page."""
        metrics = self.send("Performance.getMetrics")["metrics"]
        return next(float(metric["value"]) for metric in metrics if metric["name"] == "ScriptDuration")

    def picture(self, file: Path) -> None:
        """The window as PNG."""
        file.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """One command; its result."""
        number = next(self._numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv(timeout=60))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]  # type: ignore[no-any-return]
            if message.get("method") in {"Runtime.exceptionThrown", "Log.entryAdded"}:
                self.errors.append(json.dumps(message["params"]))

    def _port(self) -> int:
        file = self.folder / "DevToolsActivePort"
        end = time.monotonic() + 60
        while not file.is_file() or not file.read_text():
            assert time.monotonic() < end, "chromium did not start"
            assert self.process.poll() is None, "chromium ended"
            time.sleep(0.05)
        return int(file.read_text().splitlines()[0])

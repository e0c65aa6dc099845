"""The engines: where they are, how they start without a screen, and how they end.

No driver library: a page that asks for work is all that is needed. Each browser gets a session of
its own and a folder that holds everything it writes; both are gone when the block ends.
"""

import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from cors_conformance.browsers.interrupting import signals_wait

EngineName: TypeAlias = Literal["chromium", "firefox", "webkit"]

PATIENCE: Final = 5.0
"""Seconds that a browser has to end by itself."""

SCREEN_PATIENCE: Final = 20.0
"""Seconds that a virtual screen has to start."""

LONGEST_WORDS: Final = 300

_VERSION: Final = re.compile(r"\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A kind of browser.

    Attributes:
        name: what `--engine` takes.
        product: its name among people.
        executables: programs to look for, names on the PATH or paths; the first one is used.
        packages: the Debian packages that have it and what it needs.
        command: the command line for an executable, a folder and a URL.
        version_command: prints the version, given the executable.
        needs_display: whether it has no mode without a screen, so that it gets a virtual one.

    """

    name: EngineName
    product: str
    executables: tuple[str, ...]
    packages: tuple[str, ...]
    command: Callable[[str, Path, str], list[str]]
    version_command: Callable[[str], list[str]]
    needs_display: bool = False

    def find(self) -> str | None:
        """Return the executable, `None` where there is none."""
        if self.needs_display and shutil.which("Xvfb") is None:
            return None
        found = (shutil.which(executable) for executable in self.executables)
        return next((path for path in found if path is not None), None)


def _chromium(executable: str, folder: Path, url: str) -> list[str]:
    return [
        executable,
        "--headless=new",
        # Its sandbox refuses to run as root, and the page is ours.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={folder}",
        url,
    ]


_FIREFOX_PREFERENCES: Final = """\
user_pref("app.normandy.enabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.region.network.url", "");
user_pref("browser.safebrowsing.downloads.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.healthreport.uploadEnabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("dom.push.connection.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("media.gmp-manager.url", "");
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,#remote-settings-dummy/v1");
user_pref("toolkit.telemetry.enabled", false);
user_pref("toolkit.telemetry.server", "");
"""
"""Nothing but the page uses the network."""


def _firefox(executable: str, folder: Path, url: str) -> list[str]:
    (folder / "user.js").write_text(_FIREFOX_PREFERENCES)
    return [executable, "--headless", "--no-remote", "--profile", str(folder), url]


_MINIBROWSERS: Final = (
    *(
        f"{libraries}/webkit2gtk-{api}/MiniBrowser"
        for libraries in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/libexec")
        for api in ("4.1", "4.0")
    ),
    "MiniBrowser",
)

_LIBRARY_VERSION: Final = """\
import ctypes, re, sys
library = ctypes.CDLL(f"libwebkit2gtk-{re.search(r'gtk-([0-9.]+)/', sys.argv[1])[1]}.so.0")
parts = (getattr(library, f"webkit_get_{part}_version")() for part in ("major", "minor", "micro"))
print(*parts, sep=".")
"""

ENGINES: Final[Mapping[EngineName, Engine]] = {
    "chromium": Engine(
        name="chromium",
        product="Chromium",
        executables=("chromium", "chromium-browser", "google-chrome"),
        packages=("chromium",),
        command=_chromium,
        version_command=lambda executable: [executable, "--version"],
    ),
    "firefox": Engine(
        name="firefox",
        product="Firefox",
        executables=("firefox-esr", "firefox"),
        packages=("firefox-esr",),
        command=_firefox,
        version_command=lambda executable: [executable, "--version"],
    ),
    "webkit": Engine(
        name="webkit",
        product="WebKitGTK",
        executables=_MINIBROWSERS,
        packages=("webkit2gtk-driver", "xvfb"),
        command=lambda executable, _, url: [executable, url],
        # MiniBrowser needs a display to tell; its library does not.
        version_command=lambda executable: [sys.executable, "-c", _LIBRARY_VERSION, executable],
        needs_display=True,
    ),
}


@dataclass(frozen=True, slots=True)
class Running:
    """A browser that was started; `log` is what it prints."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def last_words(self) -> str | None:
        """Return how it ended and what it printed last; `None` while it runs."""
        status = self.process.poll()
        if status is None:
            return None
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
        said = next((line for line in reversed(lines) if line.strip()), "and printed nothing")
        return f"it ended with status {status}: {said.strip()[:LONGEST_WORDS]}"


class EngineMissing(Exception):
    """The engine is not here; the message names the packages to install."""


class EngineFails(Exception):
    """The engine is here, and does not do its work."""


def version(engine: Engine, executable: str) -> str:
    """Return the version, `unknown` where the engine does not tell."""
    try:
        told = subprocess.run(  # noqa: S603 - the user's own browser
            engine.version_command(executable),
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=60,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    match = _VERSION.search(told)
    return match[0] if match else "unknown"


def locate(engine: Engine, executable: str | None = None) -> str:
    """Return the executable, the one that was named or the one that is found.

    Raises:
        EngineMissing: it is not here.

    """
    named = shutil.which(executable) if executable is not None else engine.find()
    if named is not None:
        return named
    if executable is not None:
        message = f"{executable!r} is no program that can be run here"
        raise EngineMissing(message)
    message = (
        f"{engine.product} is not here; on Debian: apt-get install {' '.join(engine.packages)}"
    )
    raise EngineMissing(message)


@contextlib.contextmanager
def started(engine: Engine, executable: str, url: str) -> Iterator[Running]:
    """Run the browser on a page until the end of the block.

    Raises:
        OSError: the program cannot be run.
        EngineFails: its virtual screen does not start.

    """
    closing = contextlib.ExitStack()
    try:
        # A signal in the middle would leave behind what is not on the stack yet, or not gone yet.
        with signals_wait():
            running = _start(engine, executable, url, closing)
        yield running
    finally:
        with signals_wait():
            closing.close()


def _start(engine: Engine, executable: str, url: str, closing: contextlib.ExitStack) -> Running:
    folder = Path(
        closing.enter_context(
            # A browser that is killed may be writing still.
            tempfile.TemporaryDirectory(prefix="cors-conformance-", ignore_cleanup_errors=True)
        )
    )
    environment = _environment(folder)
    if engine.needs_display:
        environment["DISPLAY"] = closing.enter_context(_display(folder))
    command = engine.command(executable, folder, url)
    return closing.enter_context(_session(command, environment, folder))


def _environment(folder: Path) -> dict[str, str]:
    scratch = folder / "tmp"
    scratch.mkdir()
    places = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.upper().endswith("_PROXY") and key != "DBUS_SESSION_BUS_ADDRESS"
    }
    return {
        **kept,
        **dict.fromkeys(places, str(folder)),
        "TMPDIR": str(scratch),
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "MOZ_CRASHREPORTER_DISABLE": "1",
    }


@contextlib.contextmanager
def _session(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    pass_fds: Sequence[int] = (),
) -> Iterator[Running]:
    """Run a program in a session of its own; end that process group, and no other."""
    # Where we are killed ourselves the kernel tells the program so.
    keeper = shutil.which("setpriv")
    prefix = [keeper, "--pdeathsig", "TERM"] if keeper is not None else []
    path = folder / f"{Path(command[0]).name}.log"
    with path.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - the user's own browser
            [*prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            pass_fds=pass_fds,
            start_new_session=True,
        )
    try:
        yield Running(process, path)
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            # The group outlives its leader: helpers of a browser write into its folder.
            process.poll()
            if not _is_alive(process.pid):
                return
            time.sleep(0.02)


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@contextlib.contextmanager
def _display(folder: Path) -> Iterator[str]:
    """Run a virtual screen; give its name."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24", "-nolisten", "tcp"]
    with _session(command, {**os.environ}, folder, pass_fds=(write,)):
        os.close(write)
        with open(read, "rb") as told:  # noqa: PTH123 - a pipe
            # To the newline: the server dies if the pipe is closed before.
            ready, _, _ = select.select([told], [], [], SCREEN_PATIENCE)
            number = told.readline().strip().decode("ascii") if ready else ""
        if not number:
            message = "Xvfb does not start"
            raise EngineFails(message)
        yield f":{number}"

"""The pictures of README, made of real bytes: `live_picture.py BINARY FOLDER`.

A run against the sandbox in a terminal of tmux, taken when more than half of it is done (`live-view.png`), and the page that the
same run writes, as a browser shows it (`page.png`). To be run again whenever the view or the page changes; needs tmux and
what `browser.py` needs.
"""

import html
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from browser import Browser

COLUMNS, LINES = 100, 30
SPEC = "specs/churn.yaml"
# Of what is to be done, when the picture is taken.
DONE = 0.6
# Real seconds for the whole run: at this speed nine minutes take eighteen seconds.
SPEED, PATIENCE = "30", 300.0
LARGEST = 250_000

COLOURS = ["#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4"]
BRIGHT = ["#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#f0f6fc"]
STYLE = """
body { margin: 0; padding: 18px; background: #ffffff; display: inline-block; }
.window { background: #0d1117; border-radius: 10px; padding: 14px 18px 18px; box-shadow: 0 1px 6px #0006; }
.dots { margin-bottom: 10px; } .dots i { display: inline-block; width: 11px; height: 11px; border-radius: 50%; margin-right: 7px; }
pre { margin: 0; color: #e6edf3; font: 14px/1.3 "DejaVu Sans Mono", monospace; }
"""


def tmux(*arguments: str) -> str:
    return subprocess.run(["tmux", "-L", "auroraml-picture", *arguments], check=True, capture_output=True, text=True).stdout


def coloured(text: str) -> str:
    """What a terminal was sent as HTML: of the escape sequences tmux keeps those that set a style."""
    out, styles = [], {"bold": False, "dim": False, "color": None}
    for part in re.split(r"(\x1b\[[0-9;]*m)", text):
        found = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
        if not found:
            css = "font-weight:bold;" if styles["bold"] else ""
            css += "opacity:.6;" if styles["dim"] else ""
            css += f"color:{styles['color']};" if styles["color"] else ""
            text = html.escape(re.sub(r"\x1b.", "", part))
            out.append(f'<span style="{css}">{text}</span>' if css and text else text)
            continue
        for code in map(int, filter(None, (found[1] or "0").split(";"))) if found[1] else [0]:
            match code:
                case 0:
                    styles = {"bold": False, "dim": False, "color": None}
                case 1:
                    styles["bold"] = True
                case 2:
                    styles["dim"] = True
                case 22:
                    styles["bold"] = styles["dim"] = False
                case 39:
                    styles["color"] = None
                case code if 30 <= code <= 37:
                    styles["color"] = COLOURS[code - 30]
                case code if 90 <= code <= 97:
                    styles["color"] = BRIGHT[code - 90]
    return "".join(out)


def far_enough(pane: str) -> bool:
    """`19 of 35 done` or `19/35 done`."""
    counts = re.findall(r"(\d+)(?: of |/)(\d+) done", pane)
    return bool(counts) and int(counts[-1][0]) >= DONE * int(counts[-1][1])


def main() -> None:
    binary, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(root / "specs", Path(place) / "specs")
        (Path(place) / "bin").mkdir()
        (Path(place) / "bin" / "auroraml").symlink_to(binary)
        typed = f"auroraml apply {SPEC} --sandbox --yes --html run.html"
        shell = f"PS1='$ ' PATH={place}/bin:$PATH LANG=C.UTF-8 bash --norc --noprofile"
        tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(LINES), "-c", place, shell)
        try:
            time.sleep(1)
            tmux("send-keys", "clear", "Enter")
            time.sleep(0.5)
            tmux("send-keys", f"{typed} --sandbox-speed {SPEED}", "Enter")
            until, pane = time.monotonic() + PATIENCE, ""
            while not far_enough(pane):
                if time.monotonic() > until:
                    raise SystemExit(f"the run gets no further:\n{pane}")
                time.sleep(0.1)
                pane = tmux("capture-pane", "-p")
            taken = tmux("capture-pane", "-e", "-p")
            page = Path(place) / "run.html"
            while not page.exists() or "The run has started" in page.read_text():
                if time.monotonic() > until:
                    raise SystemExit("the run does not end")
                time.sleep(0.5)
        finally:
            tmux("kill-server")
        dots = "".join(f'<i style="background:{colour}"></i>' for colour in ("#ff5f57", "#febc2e", "#28c840"))
        screen = Path(place) / "screen.html"
        screen.write_text(
            f'<meta charset="utf-8"><style>{STYLE}</style><div class="window"><div class="dots">{dots}</div>'
            f"<pre>{coloured(taken.rstrip())}</pre></div>"
        )
        with Browser() as browser:
            tab = browser.page()
            tab.size(1_000, 600)
            tab.open(screen)
            box = tab.value("(() => { const b = document.body.getBoundingClientRect(); return [b.width, b.height] })()")
            tab.size(int(box[0]) + 1, int(box[1]) + 1, 1.25)
            tab.open(screen)
            tab.picture(folder / "live-view.png", whole=False)
            tab.looks("light")
            tab.size(1_200, 1_350)
            tab.open(page)
            tab.picture(folder / "page.png", whole=False)
    for name in ("live-view.png", "page.png"):
        size = (folder / name).stat().st_size
        print(f"{folder / name}: {size:,} bytes")
        if size > LARGEST:
            raise SystemExit(f"{name} is larger than {LARGEST:,} bytes")


if __name__ == "__main__":
    main()

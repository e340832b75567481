"""Has Mermaid itself read and draw flowcharts, in a headless browser without a network: `mermaid.py FOLDER`.

The folder holds `mermaid.min.js` and *.mmd. Each text must be read without a complaint and come to a picture with all
of its boxes, arrows and words.
"""

import json
import re
import sys
from pathlib import Path

from browser import Browser, Page, find

# Mermaid must refuse these: a judge that takes everything is none.
BROKEN = ('flowchart LR\n  n0["a', "flowchart LR\n  n0 -->", 'flowchart LR\n  subgraph a["A"]\n  n0["a"]\n')

PAGE = """<!doctype html><meta charset="utf-8"><title>Mermaid</title><body><div id="here"></div>
<script src="mermaid.min.js"></script>
<script>mermaid.initialize({startOnLoad: false, securityLevel: 'strict', maxTextSize: 500000, maxEdges: 5000});</script>
"""

DRAW = """
(async text => {
  try {
    await mermaid.parse(text);
    const here = document.getElementById('here');
    const {svg} = await mermaid.render('picture', text, here);
    here.innerHTML = svg;
    const words = one => one.textContent.replace(/\\s+/g, ' ').trim();
    const boxes = [...here.querySelectorAll('g.node')];
    const size = here.querySelector('svg').getBoundingClientRect();
    return {
      boxes: boxes.map(words),
      groups: [...here.querySelectorAll('g.cluster')].map(words),
      arrows: here.querySelectorAll('path.flowchart-link').length,
      bare: boxes.filter(box => box.getBoundingClientRect().width < 5).length,
      scripts: here.querySelectorAll('script, iframe, img, a').length,
      size: [size.width, size.height],
    };
  } catch (error) {
    return {error: String(error && error.message || error)};
  }
})(TEXT)
"""


def asked(page: Page, text: str) -> dict:
    expression = DRAW.replace("TEXT", json.dumps(text))
    answer = page.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
    if "exceptionDetails" in answer:
        return {"error": json.dumps(answer["exceptionDetails"])}
    return answer["result"]["value"]


def shown(label: str) -> str:
    """What a label's text says to a reader: Mermaid's own entities are numbers, and a break is nothing to be read."""
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), label.replace("<br>", ""))


def squeezed(texts: list[str]) -> list[str]:
    """In any order, and wherever a line was broken."""
    return sorted(re.sub(r"\s+", "", text) for text in texts)


def look(page: Page, file: Path) -> list[str]:
    text = file.read_text()
    drawn = asked(page, text)
    if "error" in drawn:
        return [f"{file.name}: {drawn['error']}"]
    found = []
    boxes = [shown(label) for label in re.findall(r'^ +\w+\["(.*)"\](?::::\w+)?$', text, re.MULTILINE)]
    groups = [shown(label) for label in re.findall(r'^ +subgraph \S+\["(.*)"\]$', text, re.MULTILINE)]
    arrows = len(re.findall(r"^ +n\d+ --> n\d+$", text, re.MULTILINE))
    for what, wanted, got in (
        ("boxes", squeezed(boxes), squeezed(drawn["boxes"])),
        ("groups", squeezed(groups), squeezed(drawn["groups"])),
        ("arrows", arrows, drawn["arrows"]),
        ("boxes without room", 0, drawn["bare"]),
        ("scripts and links", 0, drawn["scripts"]),
    ):
        if wanted != got:
            found.append(f"{file.name}: {what}: {wanted} expected, {got} drawn")
    if not boxes or min(drawn["size"]) < 20:
        found.append(f"{file.name}: nothing to be seen: {len(boxes)} boxes on {drawn['size']}")
    # What the browser was asked for beside the page and Mermaid itself.
    asked_for = [url for url in page.requests() if not url.endswith("/mermaid.min.js")]
    if asked_for:
        found.append(f"{file.name}: asked for {asked_for}")
    return found


def main() -> int:
    folder = Path(sys.argv[1])
    files = sorted(folder.glob("*.mmd"))
    (folder / "mermaid.html").write_text(PAGE)
    found = [] if files else ["there is nothing to look at"]
    with Browser() as browser:
        for file in files:
            page = browser.page()
            page.size(1440, 900)
            page.open(folder / "mermaid.html")
            found += look(page, file)
            page.close()
        page = browser.page()
        page.open(folder / "mermaid.html")
        found += [f"taken although it is broken: {text!r}" for text in BROKEN if "error" not in asked(page, text)]
        page.close()
    print("\n".join(found) or f"{len(files)} graphs drawn by Mermaid in {find()}: good")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""Opens pages in a headless browser and looks at them: `pages.py FOLDER`.

The folder holds *.html and *.svg, and `expected.json`: for each file the texts that a reader must see. Each is opened
without a network on a phone, a tablet and a desk, light, dark and printed, and with scripts switched off.
"""

import json
import sys
from pathlib import Path

from browser import Browser, Page, find

WIDTHS = (360, 800, 1440)
# WCAG 2.1, success criterion 1.4.3: text against its ground.
CONTRAST = 4.5

# Elements that stick out to the right, but for those in what can be scrolled by itself.
OVERFLOW = """
(() => {
  const wide = document.documentElement.clientWidth, out = [];
  if (document.documentElement.scrollWidth > wide) out.push('the page: ' + document.documentElement.scrollWidth);
  for (const one of document.body.querySelectorAll('*')) {
    if (one.closest('.scroll')) continue;
    const right = one.getBoundingClientRect().right;
    if (right > wide + 1) out.push(one.tagName + '.' + one.getAttribute('class') + ': ' + right);
  }
  return out;
})()
"""

# Texts of the picture that are wider than the box that they stand in.
BOXES = """
[...document.querySelectorAll('g.node')].flatMap(node => {
  const box = node.querySelector('rect').getBBox();
  return [...node.querySelectorAll('text')].filter(text => {
    const is = text.getBBox();
    return is.x < box.x || is.x + is.width > box.x + box.width || is.y + is.height > box.y + box.height;
  }).map(text => text.textContent);
})
"""

# Both texts of a box's first line: they may not lie on each other.
LINES = """
[...document.querySelectorAll('g.node')].filter(node => {
  const kind = node.querySelector('text.name').getBBox(), mark = node.querySelector('text.mark');
  return mark && kind.x + kind.width > mark.getBBox().x;
}).map(node => node.textContent)
"""

DANGEROUS = """
[...document.querySelectorAll('*')].filter(one =>
  ['SCRIPT', 'IFRAME', 'OBJECT', 'EMBED', 'IMG', 'LINK', 'FORM', 'FOREIGNOBJECT'].includes(one.tagName.toUpperCase())
  || [...one.attributes].some(at => at.name.startsWith('on') || /^(javascript|data|https?):/i.test(at.value)
      && at.name !== 'xmlns')
).map(one => one.outerHTML.slice(0, 200))
"""

FAINT = """
(() => {
  const parts = color => color.match(/[\\d.]+/g).map(Number);
  const light = color => {
    const [r, g, b] = parts(color).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = one => {
    for (; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor;
      if ((parts(color)[3] ?? 1) === 1) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const faint = new Set();
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
  for (const one of document.body.querySelectorAll('*')) {
    if (one.ownerSVGElement) {
      if (one.tagName !== 'text') continue;
      const box = one.closest('g.node')?.querySelector('rect') ?? document.querySelector('svg .band');
      if (!one.closest('.g') || !box) continue;
      const ratio = contrast(getComputedStyle(one).fill, getComputedStyle(box).fill);
      if (ratio < MIN) faint.add(one.getAttribute('class') + ' in the picture: ' + ratio.toFixed(2));
    } else if ([...one.childNodes].some(node => node.nodeType === 3 && node.data.trim())) {
      const ratio = contrast(getComputedStyle(one).color, ground(one));
      if (ratio < MIN) faint.add(one.tagName + '.' + one.getAttribute('class') + ': ' + ratio.toFixed(2));
    }
  }
  return [...faint];
})()
""".replace("MIN", str(CONTRAST))

# What a reader reads: what is folded, too, since a click opens it.
TEXT = """
(() => {
  document.querySelectorAll('details').forEach(one => one.open = true);
  return (document.body ?? document.documentElement).innerText ?? document.documentElement.textContent;
})()
"""

# In print nobody can click.
FOLDED = "[...document.querySelectorAll('ul.details')].filter(one => !one.getBoundingClientRect().height).length"


def look(page: Page, file: Path, texts: list[str], found: list[str]) -> None:
    is_drawing = file.suffix == ".svg"

    def wrong(what: str, said: object) -> None:
        if said:
            found.append(f"{file.name}: {what}: {said}")

    for scheme in ("light", "dark"):
        for width in WIDTHS:
            page.looks(scheme)
            page.size(width, 900)
            page.open(file)
            at = f"{scheme}, {width} wide"
            wrong(f"{at}: something sticks out", [] if is_drawing else page.value(OVERFLOW))
            wrong(f"{at}: text leaves its box", page.value(BOXES))
            wrong(f"{at}: text lies on text", page.value(LINES))
            wrong(f"{at}: faint", [] if is_drawing else page.value(FAINT))
            wrong(f"{at}: there are", page.value(DANGEROUS))
            said = str(page.value(TEXT))
            wrong(f"{at}: not to be seen", [text for text in texts if text not in said])
            wrong(f"{at}: the console says", page.complaints())
            wrong(f"{at}: asked for", page.requests())
            if scheme == "dark" and not is_drawing:
                ground = page.value("getComputedStyle(document.documentElement).backgroundColor")
                wrong(f"{at}: not dark", ground if ground != "rgb(13, 17, 23)" else "")
    if is_drawing:
        return
    page.looks("dark", "print")
    page.open(file)
    ground = page.value("getComputedStyle(document.documentElement).backgroundColor")
    wrong("printed on dark ground", ground if ground != "rgb(255, 255, 255)" else "")
    wrong("printed with folded steps", page.value(FOLDED))
    pdf = page.call("Page.printToPDF", printBackground=True)["data"]
    wrong("not printed", "" if len(pdf) > 5_000 else f"{len(pdf)} bytes")


def without_scripts(page: Page, file: Path, texts: list[str], found: list[str]) -> None:
    """The same text, told by the browser and not by a script in the page."""
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    page.looks()
    page.size(WIDTHS[-1], 900)
    page.open(file)
    shown = page.call("DOMSnapshot.captureSnapshot", computedStyles=[])
    strings = shown["strings"]
    said = "".join(strings[at] for at in shown["documents"][0]["layout"]["text"] if at >= 0)
    # Text of folded steps has no layout.
    root = page.call("DOM.getDocument", depth=-1, pierce=True)["root"]
    stack, everything = [root], []
    while stack:
        node = stack.pop()
        everything.append(node.get("nodeValue", ""))
        stack.extend(reversed(node.get("children", [])))
    plain = "".join(everything)
    missing = [text for text in texts if "".join(text.split()) not in "".join(plain.split())]
    if missing or len(said) < 50:
        found.append(f"{file.name}: without scripts not to be seen: {missing} ({len(said)} characters shown)")
    found.extend(f"{file.name}: without scripts the console says {text}" for text in page.complaints())
    page.call("Emulation.setScriptExecutionDisabled", value=False)


def main() -> int:
    folder = Path(sys.argv[1])
    expected = json.loads((folder / "expected.json").read_text())
    files = sorted(path for path in folder.iterdir() if path.suffix in (".html", ".svg"))
    if not files or {path.name for path in files} != set(expected):
        print(f"expected.json and the pages differ: {[path.name for path in files]}, {list(expected)}")
        return 1
    found: list[str] = []
    with Browser() as browser:
        for file in files:
            page = browser.page()
            look(page, file, expected[file.name], found)
            without_scripts(page, file, expected[file.name], found)
            page.close()
    print("\n".join(found) or f"{len(files)} pages at {len(WIDTHS)} widths in {find()}: good")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

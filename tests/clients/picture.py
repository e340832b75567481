"""A picture of a comment on a pull request, as docs/images has it: `auroraml plan SPEC --format markdown | picture.py FILE.png`.

Needs markdown-it-py and what `browser.py` needs; not part of any test. The look is GitHub's, roughly; what is folded stays folded.
"""

import re
import sys
import tempfile
from pathlib import Path

from browser import Browser
from markdown_it import MarkdownIt

WIDTH = 880
STYLE = """
body { margin: 0; padding: 20px; background: #fff;
       font: 14px/1.5 "Liberation Sans", "DejaVu Sans", sans-serif; color: #1f2328 }
.comment { border: 1px solid #d1d9e0; border-radius: 6px }
.author { background: #f6f8fa; border-bottom: 1px solid #d1d9e0; padding: 8px 16px; color: #59636e;
          border-radius: 6px 6px 0 0 }
.author b { color: #1f2328 }
.author i { border: 1px solid #d1d9e0; border-radius: 10px; padding: 0 6px; font: 11px "Liberation Sans"; margin-left: 4px }
.body { padding: 4px 16px 12px }
h3 { font-size: 18px; margin: 12px 0 } p, details, table { margin: 8px 0 }
code { background: #eff1f3; border-radius: 6px; padding: 2px 5px; font: 12px "DejaVu Sans Mono", monospace }
table { border-collapse: collapse } td, th { border: 1px solid #d1d9e0; padding: 5px 12px }
th { background: #f6f8fa; text-align: left } ul { margin: 6px 0; padding-left: 22px }
"""


def main() -> None:
    body = (
        MarkdownIt("commonmark", {"html": True})
        .enable("table")
        .render(re.sub(r"<!--.*?-->", "", sys.stdin.read(), flags=re.S))
    )
    author = '<div class="author"><b>github-actions</b> <i>bot</i> commented now</div>'
    with tempfile.TemporaryDirectory() as place, Browser() as browser:
        page = Path(place) / "comment.html"
        page.write_text(
            f'<meta charset="utf-8"><style>{STYLE}</style><div class="comment">{author}<div class="body">{body}</div></div>'
        )
        tab = browser.page()
        tab.size(WIDTH, 100, 1.5)
        tab.open(page)
        tab.size(WIDTH, int(tab.value("document.documentElement.scrollHeight")), 1.5)
        tab.picture(Path(sys.argv[1]), whole=False)


if __name__ == "__main__":
    main()

"""A picture of a comment on a pull request, as docs/images has it.

usage: auroraml plan SPEC --format markdown | picture.py <file.png>

Needs weasyprint, markdown-it-py and pymupdf, and Pango of the system; not part of any test. The look is GitHub's,
roughly; folded details are shown folded.
"""

from __future__ import annotations

import re
import sys

import pymupdf
from markdown_it import MarkdownIt
from weasyprint import HTML

STYLE = """
@page { size: 880px 2400px; margin: 0 }
body { margin: 0; padding: 20px; background: #fff; width: 840px;
       font: 14px/1.5 "Liberation Sans", "DejaVu Sans", sans-serif; color: #1f2328 }
.comment { border: 1px solid #d1d9e0; border-radius: 6px }
.author { background: #f6f8fa; border-bottom: 1px solid #d1d9e0; padding: 8px 16px; color: #59636e;
          border-radius: 6px 6px 0 0 }
.author b { color: #1f2328 } .author i { border: 1px solid #d1d9e0; border-radius: 10px; padding: 0 6px;
          font: 11px "Liberation Sans"; margin-left: 4px }
.body { padding: 4px 16px 12px }
h3 { font-size: 18px; margin: 12px 0 } p { margin: 8px 0 }
code { background: #eff1f3; border-radius: 6px; padding: 2px 5px; font: 12px "DejaVu Sans Mono", monospace }
pre { background: #f6f8fa; border-radius: 6px; padding: 12px; font: 12px/1.45 "DejaVu Sans Mono", monospace }
pre code { background: none; padding: 0 }
table { border-collapse: collapse; margin: 8px 0 } td, th { border: 1px solid #d1d9e0; padding: 5px 12px }
th { background: #f6f8fa; text-align: left } ul { margin: 6px 0; padding-left: 22px }
.folded { margin: 8px 0 } .folded::before { content: "\\25B8  "; color: #59636e }
"""


def main() -> None:
    text = sys.stdin.read()
    # Folded, as a reader meets them.
    text = re.sub(
        r"<details>\s*<summary>(.*?)</summary>.*?</details>",
        lambda found: f'<div class="folded">{found[1]}</div>',
        text,
        flags=re.S,
    )
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    author = '<div class="author"><b>github-actions</b> <i>bot</i> commented now</div>'
    page = f'<style>{STYLE}</style><div class="comment">{author}<div class="body">{body}</div></div>'
    document = pymupdf.open(stream=HTML(string=page).write_pdf(), filetype="pdf")
    first = document[0]
    # The page is longer than any comment: only what is written on is kept.
    bottom = max(block[3] for block in first.get_text("blocks"))
    first.set_cropbox(pymupdf.Rect(0, 0, first.rect.width, min(first.rect.height, bottom + 28)))
    first.get_pixmap(matrix=pymupdf.Matrix(2, 2)).save(sys.argv[1])


main()

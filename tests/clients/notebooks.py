"""Runs notebooks from top to bottom, without a browser, and prints what their cells print.

usage: notebooks.py FOLDER NOTEBOOK...

The first cell that fails ends it, with its error. The environment says who asks and where, as on a notebook instance.
"""

from __future__ import annotations

import os
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

# Seconds for one cell: training takes minutes, on a clock that runs much faster.
CELL_SECONDS = 180


def main(folder: str, names: list[str]) -> None:
    for name in names:
        notebook = nbformat.read(os.path.join(folder, name), as_version=4)
        # The kernel of the machine that runs the test, whatever the notebook instance calls its own.
        client = NotebookClient(
            notebook, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": folder}}
        )
        try:
            client.execute()
        except CellExecutionError as error:
            raise SystemExit(f"{name}: {error}") from None
        print(f"== {name}")
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                print(output.get("text") or output.get("data", {}).get("text/plain", ""))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

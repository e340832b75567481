"""Compares what AWS answered (tests/aws/recordings) with what the sandbox answers to the same tool.

usage: compare.py <recording of AWS>... -- <recording of the sandbox>...

Recordings of the sandbox may be raw (`AURORAML_TEST_RECORD`) or scrubbed. Told are differences in the codes of refusals, in
the types of members, and in the order and the time of statuses. What the sandbox leaves out is counted, and no
difference: it is smaller than AWS on purpose.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scrub import Scrubber
from wire import Exchange

# A status may take so many times as long here as there, or the other way round. Durations at AWS vary by as much.
TIMES = 5.0
# Shorter ones are too close to the time between two looks.
SECONDS_MIN = 60.0


class Behaviour:
    """What a set of recordings says of a service."""

    def __init__(self) -> None:
        self.operations: set[str] = set()
        self.codes: dict[str, set[str]] = defaultdict(set)
        self.types: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        # Of each member that is a status: which word came after which, and how long each lasted.
        self.steps: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self.seconds: dict[tuple[str, str], list[float]] = defaultdict(list)

    def read(self, lines: Iterable[dict[str, Any]]) -> None:
        last: dict[tuple[str, str], tuple[str, float]] = {}
        for line in lines:
            name = line["operation"]
            self.operations.add(name)
            if line["status"] >= 300:
                self.codes[name].add(line.get("code", ""))
                continue
            for path, value in leaves(line.get("answer")):
                self.types[name][path].add(value if value[0] not in "=#" else "string")
            for which, path, word in statuses(line.get("answer")):
                key, status = (path, which), f"{name.split(':')[0]} {path}"
                before = last.get(key)
                if before and before[0] != word:
                    self.steps[status].add((before[0], word))
                    self.seconds[status, before[0]].append(line["second"] - before[1])
                if not before or before[0] != word:
                    last[key] = (word, line["second"])


def leaves(value: Any, path: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from leaves(part, f"{path}.{name}")
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part, f"{path}[]")
    elif isinstance(value, str):
        yield path, value


def statuses(value: Any, path: str = "") -> Iterable[tuple[str, str, str]]:
    """Object, member and word of each status: the object is the first number beside it."""
    if isinstance(value, dict):
        which = next((part for part in value.values() if isinstance(part, str) and part.startswith("#")), "")
        for name, part in value.items():
            if isinstance(part, str) and part.startswith("=") and name.endswith(("Status", "State")) and which:
                yield which, name, part[1:]
            else:
                yield from statuses(part, f"{path}.{name}")
    elif isinstance(value, list):
        for part in value:
            yield from statuses(part, path)


def lines(file: Path) -> list[dict[str, Any]]:
    """The lines of a recording, scrubbed if they are not."""
    texts = [text for text in file.read_text().splitlines() if text]
    if not texts or "second" in json.loads(texts[0]):
        return [json.loads(text) for text in texts]
    scrubber = Scrubber()
    found = (scrubber.line(Exchange.load(text)) for text in texts)
    return [line for line in found if line]


def compare(aws: Behaviour, sandbox: Behaviour) -> list[str]:
    told = []
    for name in sorted(aws.operations - sandbox.operations):
        told.append(f"{name}: not asked of the sandbox")
    for name in sorted(aws.operations & sandbox.operations):
        for code in sorted(aws.codes[name] - sandbox.codes[name]):
            told.append(f"{name}: AWS refuses with {code}, the sandbox never did")
        for path, types in sorted(aws.types[name].items()):
            other = sandbox.types[name].get(path)
            if other and not types & other:
                told.append(f"{name}{path}: {'/'.join(sorted(types))} at AWS, {'/'.join(sorted(other))} in the sandbox")
        for path in sorted(sandbox.types[name].keys() - aws.types[name].keys()):
            if aws.types[name]:
                told.append(f"{name}{path}: the sandbox says it, AWS did not")
    for status, steps in sorted(aws.steps.items()):
        for before, after in sorted(steps - sandbox.steps.get(status, set())):
            told.append(f"{status}: AWS goes from {before} to {after}, the sandbox never did")
    for (status, word), seconds in sorted(aws.seconds.items()):
        other = sandbox.seconds.get((status, word))
        if not other or max(*seconds, *other) < SECONDS_MIN:
            continue
        there, here = sum(seconds) / len(seconds), sum(other) / len(other)
        if not 1 / TIMES <= max(there, 1) / max(here, 1) <= TIMES:
            told.append(f"{status}: {word} for {there:.0f} s at AWS, {here:.0f} s in the sandbox")
    return told


def main() -> int:
    split = sys.argv.index("--")
    sides = []
    for files in (sys.argv[1:split], sys.argv[split + 1 :]):
        sides.append(Behaviour())
        for file in files:
            sides[-1].read(lines(Path(file)))
    if not sides[0].operations:
        print("aws: there are no recordings of AWS to compare with (tests/aws/run.sh makes them)")
        return 0
    told = compare(*sides)
    print("\n".join(told))
    print(f"aws: {len(sides[0].operations)} operations compared with the sandbox, {len(told)} differences")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())

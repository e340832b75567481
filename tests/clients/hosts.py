"""The hosts that the pipelines of templates/ talk to, as far as their scripts do.

usage: hosts.py gh|curl|aws|git <its arguments>

AURORAML_TEST_HOSTS names the folder for what the hosts keep. What they are asked is written to requests.txt there. Answers have the shapes of the REST references
of GitHub (docs.github.com/rest) and GitLab (docs.gitlab.com/api); a path or command that is not known is an error, so
that a script cannot ask for something that is not there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

KEPT = Path(os.environ["AURORAML_TEST_HOSTS"])
# The author whom GitHub names for whoever comes with a workflow's own token.
BOT = "github-actions[bot]"


def comments() -> list[dict[str, Any]]:
    file = KEPT / "comments.json"
    # Somebody else's stands first: a script must not write over it.
    first = {"id": 1, "body": "Looks good", "system": False, "user": {"login": "ada"}}
    return json.loads(file.read_text()) if file.exists() else [first]


def write(body: str, number: str | None) -> dict[str, Any]:
    if len(body) > 65_536:
        sys.exit("422: body is too long (maximum is 65536 characters)")
    all_of_them = comments()
    if number is None:
        comment = {"id": len(all_of_them) + 1, "system": False, "user": {"login": BOT}}
        all_of_them.append(comment)
    else:
        comment = next(comment for comment in all_of_them if comment["id"] == int(number))
    comment["body"] = body
    (KEPT / "comments.json").write_text(json.dumps(all_of_them))
    return comment


def answer(method: str, path: str, body: str | None) -> Any:
    """What a path of either API answers; each host knows its own paths only."""
    path = path.split("?")[0]
    routes: list[tuple[str, str, Any]] = [
        # GitHub: "Issue comments", "List pull requests associated with a commit".
        ("GET", r"repos/acme/shop/issues/7/comments", lambda: comments()),
        ("POST", r"repos/acme/shop/issues/7/comments", lambda: write(body or "", None)),
        ("PATCH", r"repos/acme/shop/issues/comments/(\d+)", lambda number: write(body or "", number)),
        ("GET", r"repos/acme/shop/commits/merged/pulls", lambda: [{"number": 7, "head": {"sha": "head"}}]),
        # GitLab: "Notes", "List merge requests associated with a commit", "List merge request pipelines", "List
        # pipeline jobs".
        ("GET", r"projects/3/merge_requests/7/notes", lambda: comments()),
        ("POST", r"projects/3/merge_requests/7/notes", lambda: write(body or "", None)),
        ("PUT", r"projects/3/merge_requests/7/notes/(\d+)", lambda number: write(body or "", number)),
        (
            "GET",
            r"projects/3/repository/commits/merged/merge_requests",
            lambda: [{"iid": 6, "state": "closed"}, {"iid": 7, "state": "merged"}],
        ),
        (
            "GET",
            r"projects/3/merge_requests/7/pipelines",
            lambda: [{"id": 91, "source": "push"}, {"id": 90, "source": "merge_request_event"}],
        ),
        ("GET", r"projects/3/pipelines/90/jobs", lambda: [{"id": 900, "name": "lint"}, {"id": 901, "name": "plan"}]),
        ("GET", r"projects/3/jobs/901/artifacts/plan.json", lambda: (KEPT / "plan.json").read_text()),
    ]
    for its_method, pattern, of in routes:
        if its_method == method and (found := re.fullmatch(pattern, path)):
            return of(*found.groups())
    sys.exit(f"404: {method} {path}")


def flags(words: list[str], with_value: set[str]) -> tuple[dict[str, str], list[str]]:
    found, rest = {}, []
    words = list(words)
    while words:
        word = words.pop(0)
        if word in with_value:
            found[word] = words.pop(0)
        elif word.startswith("-"):
            found[word] = ""
        else:
            rest.append(word)
    return found, rest


def filtered(value: Any, expression: str | None) -> str:
    text = json.dumps(value)
    if expression is None:
        return text
    jq = subprocess.run(["jq", "-r", expression], input=text, text=True, capture_output=True, check=True)
    return jq.stdout


def gh(words: list[str]) -> None:
    valued = {"--method", "--field", "--jq", "--json", "--repo", "--workflow", "--event", "--commit", "--status"}
    valued |= {"--limit", "--name", "--state", "--search", "--title", "--body-file", "--comment"}
    given, rest = flags(words, valued)
    issue = KEPT / "issue.md"
    match rest:
        case ["api", path]:
            field = given.get("--field", "")
            body = Path(field.removeprefix("body=@")).read_text() if field else None
            value = answer(given.get("--method", "GET"), path, body)
            if "--silent" not in given:
                print(filtered(value, given.get("--jq")), end="")
        case ["run", "list"]:
            assert (given["--commit"], given["--status"], given["--event"]) == ("head", "success", "pull_request")
            print(filtered([{"databaseId": 55}], given["--jq"]), end="")
        case ["run", "download", "55"]:
            assert given["--name"] == "auroraml-plan"
            shutil.copy(KEPT / "plan.json", "plan.json")
        case ["issue", "list"]:
            print(filtered([{"number": 12}] if issue.exists() else [], given["--jq"]), end="")
        case ["issue", "create"]:
            assert not issue.exists()
            shutil.copy(given["--body-file"], issue)
        case ["issue", "edit", "12"]:
            shutil.copy(given["--body-file"], issue)
        case ["issue", "close", "12"]:
            issue.unlink()
        case _:
            sys.exit(f"unknown: gh {words}")


def curl(words: list[str]) -> None:
    given, rest = flags(words, {"--header", "--request", "--data", "--form", "--output"})
    assert "--fail" in given, "a refusal would go unnoticed"
    (url,) = rest
    path = url.removeprefix("https://api.github.com/").removeprefix("https://gitlab.example/api/v4/")
    body = None
    if "--data" in given:
        body = json.loads(Path(given["--data"].removeprefix("@")).read_text())["body"]
    if "--form" in given:
        body = Path(given["--form"].removeprefix("body=<")).read_text()
    value = answer(given.get("--request", "GET"), path, body)
    text = value if isinstance(value, str) else json.dumps(value)
    if "--output" in given:
        Path(given["--output"]).write_text(text)
    else:
        print(text, end="")


def aws(words: list[str]) -> None:
    place = KEPT / "bucket"
    given, rest = flags(words, {"--secret-id", "--query", "--output"})
    local = lambda uri: place / uri.removeprefix("s3://plans/")  # noqa: E731
    match rest:
        case ["s3", "rm", uri]:
            # No error where there is none: DeleteObject succeeds all the same.
            local(uri).unlink(missing_ok=True)
        case ["s3", "cp", source, uri] if uri.startswith("s3://"):
            local(uri).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, local(uri))
        case ["s3", "cp", uri, target]:
            shutil.copy(local(uri), target)
        case ["secretsmanager", "get-secret-value"]:
            assert given["--query"] == "SecretString"
            print("token")
        case _:
            sys.exit(f"unknown: aws {words}")


def git(words: list[str]) -> None:
    match words:
        case ["fetch", "--quiet", "origin", "refs/heads/main"] | ["checkout", "--quiet", "FETCH_HEAD"]:
            pass
        case _:
            sys.exit(f"unknown: git {words}")


if __name__ == "__main__":
    program, *words = sys.argv[1:]
    with (KEPT / "requests.txt").open("a") as requests:
        requests.write(f"{program} {' '.join(words)}\n")
    {"gh": gh, "curl": curl, "aws": aws, "git": git}[program](words)

"""Stands between a client and AWS, and records what goes by, scrubbed.

usage: record.py <recording> [--to <endpoint>] -- <command...>

Runs the command with `AWS_ENDPOINT_URL` set to this proxy on a loopback port, and with an access key that is good for
nothing but the proxy. The proxy signs each request anew, with the credentials of whoever started it, and sends it to
AWS (or to `--to`, such as a sandbox's listener). Only what `scrub.py` lets through is written.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import botocore.session
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from scrub import MODELS, Scrubber
from wire import Exchange

# Of the client's connection or its signature; the rest of the headers goes on to AWS.
OWN = {"authorization", "host", "connection", "content-length", "expect", "transfer-encoding", "x-amz-content-sha256",
       "x-amz-date", "x-amz-security-token", "amz-sdk-invocation-id", "amz-sdk-request"}  # fmt: skip


class Recorder:
    """Signs, forwards and records. One for all requests of a command."""

    def __init__(self, recording: Path, to: str | None) -> None:
        self.to = to
        # Who does not have it is nobody that we started.
        self.access_key = "AKID" + secrets.token_hex(8).upper()
        self.session = botocore.session.get_session()
        self.http = URLLib3Session(timeout=120)
        self.file = recording.open("w")
        self.scrubber, self.lock = Scrubber(), threading.Lock()

    def forward(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        scope = headers.get("authorization", "").partition("Credential=")[2].split(",")[0].split("/")
        if len(scope) != 5 or scope[0] != self.access_key or scope[3] not in MODELS:
            return 403, {"content-type": "text/plain"}, b"this proxy serves the command that it was started for"
        region, service = scope[2], scope[3]
        kept = {name: value for name, value in headers.items() if name not in OWN}
        if self.to:
            request = AWSRequest(method, self.to + path, headers | {"host": urlsplit(self.to).netloc}, body)
        else:
            client = self.session.create_client(MODELS[service], region_name=region)
            # Global services are signed for one region, whatever the client's is.
            signed_for = client._client_config.region_name if service != "iam" else "us-east-1"
            request = AWSRequest(method, client.meta.endpoint_url + path, kept, body)
            sign = S3SigV4Auth if service == "s3" else SigV4Auth
            sign(self.session.get_credentials(), service, signed_for).add_auth(request)
        began = time.time()
        answer = self.http.send(request.prepare())
        given = {name.lower(): value for name, value in answer.headers.items()}
        parts = urlsplit(path)
        self.keep(Exchange(service, method, parts.path, parts.query, headers, body, answer.status_code, given,
                           answer.content, region, "tool", int(began * 1000)))  # fmt: skip
        return answer.status_code, given, answer.content

    def keep(self, exchange: Exchange) -> None:
        with self.lock:
            line = self.scrubber.line(exchange)
            if line is not None:
                self.file.write(json.dumps(line) + "\n")
                self.file.flush()


def handler(recorder: Recorder) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            try:
                status, given, content = recorder.forward(self.command, self.path, headers, body)
            except Exception as error:  # noqa: BLE001: whatever it is, the client is told, and asks again
                status, given, content = 502, {}, type(error).__name__.encode()
            self.send_response(status)
            for name, value in given.items():
                if name not in ("connection", "content-length", "transfer-encoding", "content-encoding"):
                    self.send_header(name, value)
            self.send_header(
                "content-length", given.get("content-length", "0") if self.command == "HEAD" else str(len(content))
            )
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else content)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

        def log_message(self, *_: object) -> None:
            """Says nothing: addresses hold names."""

    return Handler


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--to")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    recorder = Recorder(given.recording, given.to)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(recorder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # The command gets no credentials of AWS's, only ours.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": recorder.access_key,
        "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
    }
    command = subprocess.Popen(given.command, env=environment)
    # Whoever is stopped takes down what it made, and needs this proxy for that: it ends when the command has ended.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: command.terminate())
    return command.wait()


if __name__ == "__main__":
    sys.exit(main())

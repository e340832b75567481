"""TLS in front of a plain listener, and a proxy that reaches it, for the tests of how our requests travel.

usage: tls.py <host:port of the listener> <folder>

Writes <folder>/ca.pem, the authority that signed the certificate of `aurora.test`, and prints the ports of the TLS
front and of the proxy. The proxy knows one name, `aurora.test`, which no resolver does (RFC 6761 reserves `.test`).
"""

from __future__ import annotations

import asyncio
import datetime
import pathlib
import ssl
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOST = "aurora.test"
LONGEST_HEAD = 16384


def certificate(name: str, signer=None, *, authority: bool):
    """A certificate with its key; signed by itself unless somebody signs it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    issuer, issuer_key = (signer[0].subject, signer[1]) if signer else (subject, key)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
    made = made.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    if not authority:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return made.sign(issuer_key, hashes.SHA256()), key


def pem(made) -> bytes:
    return made[0].public_bytes(serialization.Encoding.PEM)


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


def forward(host: str, port: int):
    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(host, port)
        await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))

    return served


def proxy(port: int):
    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        if method != "CONNECT" or not target.startswith(f"{HOST}:"):
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await forward("127.0.0.1", port)(reader, writer)

    return served


async def main(listener: str, folder: pathlib.Path) -> None:
    host, port = listener.rsplit(":", 1)
    authority = certificate("authority of a test", authority=True)
    ours = certificate(HOST, authority, authority=False)
    (folder / "ca.pem").write_bytes(pem(authority))
    key = ours[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(pem(ours) + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    front = await asyncio.start_server(forward(host, int(port)), "127.0.0.1", 0, ssl=context)
    tls = front.sockets[0].getsockname()[1]
    way = await asyncio.start_server(proxy(tls), "127.0.0.1", 0, limit=LONGEST_HEAD)
    print(tls, way.sockets[0].getsockname()[1], flush=True)
    await asyncio.gather(front.serve_forever(), way.serve_forever())


asyncio.run(main(sys.argv[1], pathlib.Path(sys.argv[2])))

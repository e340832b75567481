"""What went over the wire, read by AWS's own models (botocore ships them), strictly.

Clients forgive: botocore's parsers skip what they do not know, and before sending it checks types and a part of the
ranges only. Here everything that a model says is checked: unknown and missing members, types, enum, pattern, length and
range. One reader for each wire format turns text into values; `check` judges the values.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

# Name in the signature of a request -> name of botocore's model.
MODELS = {
    "cloudformation": "cloudformation",
    "comprehend": "comprehend",
    "ec2": "ec2",
    "iam": "iam",
    "kms": "kms",
    "rds": "rds",
    "rds-data": "rds-data",
    "s3": "s3",
    "sagemaker": "sagemaker",
    "sagemaker-runtime": "sagemaker-runtime",
    "secretsmanager": "secretsmanager",
    "servicequotas": "service-quotas",
    "sts": "sts",
}

# Headers and query parameters that belong to HTTP, the signature or the SDK, not to an operation.
TRANSPORT = re.compile(
    r"(?i)accept|accept-encoding|amz-sdk-.*|authorization|connection|content-(encoding|length|type)|expect|host|"
    r"transfer-encoding|user-agent|x-amz-(content-sha256|date|decoded-content-length|security-token|trailer|"
    r"user-agent|target|checksum-mode|checksum-.*|sdk-checksum-algorithm|te)|x-id"
)


@dataclass
class Exchange:
    """One request and its answer."""

    service: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer_headers: dict[str, str]
    answer: bytes
    region: str = ""
    who: str = ""
    at: int = 0

    @staticmethod
    def load(line: str) -> Exchange:
        value = json.loads(line)
        value.pop("operation", None)
        for name in ("body", "answer"):
            value[name] = base64.b64decode(value[name])
        for name in ("headers", "answer_headers"):
            value[name] = {key.lower(): text for key, text in value[name].items()}
        return Exchange(**value)


@dataclass
class Reading:
    """What a request or an answer says, and where it breaks its model."""

    value: Any = None
    problems: list[str] = field(default_factory=list)

    def problem(self, path: str, what: str) -> None:
        self.problems.append(f"{path.lstrip('.') or 'body'}: {what}")


@cache
def model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(MODELS[service])


# ---- which operation ------------------------------------------------------------------------------------------------


def operation(exchange: Exchange) -> tuple[OperationModel | None, dict[str, str]]:
    """The operation that a request is for, and what its address says (bucket and key)."""
    service = model(exchange.service)
    if service.protocol in ("query", "ec2"):
        name = form(exchange).get("Action", "")
    elif service.protocol == "json":
        prefix, _, name = exchange.headers.get("x-amz-target", "").rpartition(".")
        if prefix != service.metadata["targetPrefix"]:
            return None, {}
    else:
        return by_address(service, exchange)
    return (service.operation_model(name), {}) if name in service.operation_names else (None, {})


def by_address(service: ServiceModel, exchange: Exchange) -> tuple[OperationModel | None, dict[str, str]]:
    path, query = exchange.path, dict(parse_qsl(exchange.query, keep_blank_values=True))
    if exchange.service == "s3":
        host = exchange.headers.get("host", "")
        bucket = host.split(".s3.")[0] if ".s3." in host else ""
        path = f"/{bucket}{path}" if bucket else path
    best: tuple[int, OperationModel | None, dict[str, str]] = (-1, None, {})
    for name in service.operation_names:
        candidate = service.operation_model(name)
        if candidate.http["method"] != exchange.method:
            continue
        template, _, fixed_text = candidate.http["requestUri"].partition("?")
        fixed = dict(parse_qsl(fixed_text, keep_blank_values=True))
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
        pattern = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", pattern)
        found = re.fullmatch(pattern + "/?", path)
        if not found or any(query.get(key) != value for key, value in fixed.items()):
            continue
        score = len(fixed)
        required = candidate.input_shape.required_members if candidate.input_shape else []
        for member in required:
            where = candidate.input_shape.members[member].serialization
            present = query if where.get("location") == "querystring" else exchange.headers
            if where.get("location") in ("querystring", "header"):
                score = score + 1 if where["name"].lower() in {key.lower() for key in present} else -100
        if score > best[0]:
            best = (score, candidate, {key: unquote(value) for key, value in found.groupdict().items()})
    return best[1], best[2]


def form(exchange: Exchange) -> dict[str, str]:
    text = exchange.body.decode() or exchange.query
    return dict(parse_qsl(text, keep_blank_values=True))


# ---- requests -------------------------------------------------------------------------------------------------------


def read_request(exchange: Exchange) -> tuple[OperationModel | None, Reading]:
    reading = Reading()
    found, address = operation(exchange)
    if found is None:
        reading.problem("", f"{exchange.service} has no such operation: {exchange.method} {exchange.path}")
        return None, reading
    shape = found.input_shape
    protocol = found.service_model.protocol
    if protocol in ("query", "ec2"):
        left = form(exchange)
        left.pop("Action")
        # A request that a test wrote by hand may say no version.
        version = left.pop("Version", None if exchange.who == "tool" else found.service_model.api_version)
        left = {name: value for name, value in left.items() if not name.startswith("X-Amz-")}  # presigned
        if version != found.service_model.api_version:
            reading.problem("Version", f"not {found.service_model.api_version}")
        reading.value = flat(shape, left, "", protocol, reading) if shape else {}
        for name in left:
            reading.problem(name, "unknown member")
    elif protocol == "json" or (protocol == "rest-json" and shape and not raw(shape)):
        reading.value = from_json(shape, parse_json(exchange.body, reading), "", reading)
    else:
        reading.value = rest_request(found, exchange, address, reading)
    if shape:
        check(shape, reading.value, "", reading)
    return found, reading


def raw(shape: Shape | None) -> bool:
    """Whether the body is one member as it is, such as the rows that are sent to an endpoint."""
    return bool(shape and shape.serialization.get("payload"))


def flat(shape: Shape, left: dict[str, str], prefix: str, protocol: str, reading: Reading) -> Any:
    """Takes what belongs to `shape` out of a query request's parameters, as botocore.serialize would write them."""
    if isinstance(shape, StructureShape):
        value = {}
        for name, member in shape.members.items():
            wire = member.serialization.get("name", name)
            if protocol == "ec2":
                wire = member.serialization.get("queryName") or wire[0].upper() + wire[1:]
            wire = f"{prefix}.{wire}" if prefix else wire
            if any(key == wire or key.startswith(wire + ".") or is_flattened(member) for key in left):
                found = flat(member, left, wire, protocol, reading)
                if found is not None:
                    value[name] = found
        return value if value or not prefix else None
    if isinstance(shape, ListShape):
        start = prefix
        if protocol == "query":
            item = shape.member.serialization.get("name")
            if not is_flattened(shape):
                start = f"{prefix}.{item or 'member'}"
            elif item:
                start = ".".join([*prefix.split(".")[:-1], item])
        if left.get(prefix) == "":  # an empty list
            left.pop(prefix)
            return []
        return [flat(shape.member, left, at, protocol, reading) for at in numbered(left, start)] or None
    if isinstance(shape, MapShape):
        start = prefix if is_flattened(shape) else f"{prefix}.entry"
        key, value = (
            part.serialization.get("name", name) for part, name in ((shape.key, "key"), (shape.value, "value"))
        )
        return {
            left.pop(f"{at}.{key}", ""): flat(shape.value, left, f"{at}.{value}", protocol, reading)
            for at in numbered(left, start)
        } or None
    return scalar(shape, left.pop(prefix), prefix, reading) if prefix in left else None


def numbered(left: dict[str, str], prefix: str) -> list[str]:
    numbers = {found[1] for key in left if (found := re.match(re.escape(prefix) + r"\.(\d+)(?:\.|$)", key))}
    return [f"{prefix}.{number}" for number in sorted(numbers, key=int)]


def is_flattened(shape: Shape) -> bool:
    return bool(shape.serialization.get("flattened"))


def rest_request(found: OperationModel, exchange: Exchange, address: dict[str, str], reading: Reading) -> Any:
    shape = found.input_shape
    query = dict(parse_qsl(exchange.query, keep_blank_values=True))
    for fixed in dict(parse_qsl(found.http["requestUri"].partition("?")[2], keep_blank_values=True)):
        query.pop(fixed, None)
    headers, value = dict(exchange.headers), {}
    for name, member in (shape.members if shape else {}).items():
        where = member.serialization
        wire = where.get("name", name)
        match where.get("location"):
            case "uri" if wire in address:
                value[name] = scalar(member, address[wire], name, reading)
            case "querystring" if wire in query:
                value[name] = scalar(member, query.pop(wire), name, reading)
            case "header" if wire.lower() in headers:
                value[name] = scalar(member, headers.pop(wire.lower()), name, reading)
            case "headers":
                taken = [key for key in headers if key.startswith(wire.lower())]
                value[name] = {key[len(wire) :]: headers.pop(key) for key in taken}
            case None if name == (shape.serialization or {}).get("payload") and exchange.body:
                value[name] = payload(member, exchange.body, name, reading)
    for name in [*query, *headers]:
        if not TRANSPORT.fullmatch(name):
            reading.problem(name, "unknown member")
    return value


def payload(shape: Shape, body: bytes, path: str, reading: Reading) -> Any:
    if not isinstance(shape, StructureShape):
        return body if shape.type_name == "blob" else body.decode()  # an object, or a policy document
    root = parse_xml(body, reading)
    expected = shape.serialization.get("name")
    if root is not None and expected and tag(root) != expected:
        reading.problem(path, f"<{tag(root)}> instead of <{expected}>")
    return None if root is None else from_xml(shape, [root], path, reading)


# ---- answers --------------------------------------------------------------------------------------------------------


def read_answer(found: OperationModel, exchange: Exchange) -> Reading:
    """The answer to an operation; of a refusal its value is {"Error": {"Code", "Message"}}."""
    reading = Reading()
    protocol, shape = found.service_model.protocol, found.output_shape
    if exchange.status >= 300:
        return read_error(protocol, exchange)
    if protocol in ("json", "rest-json") and not raw(shape):
        if exchange.answer or shape:
            parsed = parse_json(exchange.answer or b"{}", reading)
            reading.value = from_json(shape, parsed, "", reading) if shape else {}
            if not shape and parsed:
                reading.problem("", "an answer with members, and the model has none")
    elif protocol in ("query", "ec2"):
        root = parse_xml(exchange.answer, reading)
        if root is None:
            return reading
        if tag(root) != f"{found.name}Response":
            reading.problem("", f"<{tag(root)}> instead of <{found.name}Response>")
        inside = [child for child in root if tag(child) not in ("ResponseMetadata", "requestId")]
        wrapper = shape and shape.serialization.get("resultWrapper")
        if wrapper:
            for child in inside:
                if tag(child) != wrapper:
                    reading.problem(tag(child), f"beside <{wrapper}>")
            inside = [item for child in inside for item in child]
        elif protocol == "query" and not shape:
            inside = [item for child in inside for item in child]
        reading.value = members(shape, inside, "", reading) if shape else {}
        # An operation without an output may still say so: EC2's <return>true</return>.
        if not shape and any(tag(child) != "return" for child in inside):
            reading.problem("", "an answer with members, and the model has none")
    elif shape:
        reading.value = rest_answer(shape, exchange, reading)
    if shape:
        check(shape, reading.value, "", reading)
    return reading


def read_error(protocol: str, exchange: Exchange) -> Reading:
    reading = Reading()
    if protocol in ("json", "rest-json"):
        body = parse_json(exchange.answer or b"{}", reading) or {}
        code = exchange.answer_headers.get("x-amzn-errortype") or body.get("__type", "")
        code, message = code.rsplit("#", 1)[-1].split(":")[0], body.get("message", body.get("Message", ""))
    elif not exchange.answer:  # HEAD, 304
        code, message = str(exchange.status), ""
    else:
        root = parse_xml(exchange.answer, reading)
        texts = {tag(item): item.text or "" for item in root.iter()} if root is not None else {}
        code, message = texts.get("Code", ""), texts.get("Message", "")
    if not code:
        reading.problem("", f"a refusal ({exchange.status}) without a code")
    reading.value = {"Error": {"Code": code, "Message": message}}
    return reading


def rest_answer(shape: StructureShape, exchange: Exchange, reading: Reading) -> Any:
    body = shape.serialization.get("payload")
    value: dict[str, Any] = {}
    rest: dict[str, Shape] = {}
    for name, member in shape.members.items():
        where = member.serialization
        wire = where.get("name", name).lower()
        match where.get("location"):
            case "header" if wire in exchange.answer_headers:
                value[name] = scalar(member, exchange.answer_headers[wire], name, reading)
            case "headers":
                taken = {key: text for key, text in exchange.answer_headers.items() if key.startswith(wire)}
                value[name] = {key[len(wire) :]: text for key, text in taken.items()}
            case None if name == body and exchange.answer:
                value[name] = payload(member, exchange.answer, name, reading)
            case None if name != body:
                rest[name] = member
    if rest and not body and exchange.answer:
        root = parse_xml(exchange.answer, reading)
        if root is not None and len(rest) == 1 and tag(root) in rest and not len(root):
            # GetBucketLocation: the only member is the root itself (botocore.handlers.parse_get_bucket_location).
            value[tag(root)] = root.text or None
        elif root is not None:
            value |= members(shape, list(root), "", reading, rest)
    return {key: part for key, part in value.items() if part is not None}


# ---- the formats ----------------------------------------------------------------------------------------------------


def parse_json(body: bytes, reading: Reading) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        reading.problem("", f"not JSON: {error}")
        return None


def parse_xml(body: bytes, reading: Reading) -> ElementTree.Element | None:
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        reading.problem("", f"not XML: {error}")
        return None


def tag(element: ElementTree.Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def from_json(shape: Shape, value: Any, path: str, reading: Reading) -> Any:
    """Timestamps and blobs become what they stand for; members that the model does not know are told."""
    if value is None or shape is None:
        return None
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        known = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        for name in value.keys() - known.keys():
            reading.problem(f"{path}.{name}", "unknown member")
        pairs = ((*known[wire], part) for wire, part in value.items() if wire in known)
        read = {name: from_json(member, part, f"{path}.{name}", reading) for name, member, part in pairs}
        return {name: part for name, part in read.items() if part is not None}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [from_json(shape.member, part, f"{path}[{n}]", reading) for n, part in enumerate(value)]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: from_json(shape.value, part, f"{path}[{key}]", reading) for key, part in value.items()}
    if shape.type_name == "timestamp" and isinstance(value, (int, float)):
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
    if shape.type_name in ("timestamp", "blob") and isinstance(value, str):
        return scalar(shape, value, path, reading)
    return value


def from_xml(shape: Shape, elements: list[ElementTree.Element], path: str, reading: Reading) -> Any:
    """The value of a member; several elements only where a list is flattened."""
    if is_flattened(shape) and isinstance(shape, ListShape):
        return [from_xml(shape.member, [item], f"{path}[{n}]", reading) for n, item in enumerate(elements)]
    if len(elements) > 1:
        reading.problem(path, "more than once")
    element = elements[0]
    if isinstance(shape, StructureShape):
        attributes = {key.rsplit("}", 1)[-1]: text for key, text in element.attrib.items()}
        return members(shape, list(element), path, reading, attributes=attributes)
    if isinstance(shape, ListShape):
        wire = shape.member.serialization.get("name", "member")
        for item in element:
            if tag(item) != wire:
                reading.problem(path, f"<{tag(item)}> in a list of <{wire}>")
        return [from_xml(shape.member, [item], f"{path}[{n}]", reading) for n, item in enumerate(element)]
    if isinstance(shape, MapShape):
        entries = elements if is_flattened(shape) else list(element)
        read = {}
        for entry in entries:
            parts = {tag(part): part for part in entry}
            key = parts.get(shape.key.serialization.get("name", "key"))
            value = parts.get(shape.value.serialization.get("name", "value"))
            if key is None or value is None:
                reading.problem(path, "an entry without key or value")
            else:
                read[key.text or ""] = from_xml(shape.value, [value], f"{path}[{key.text}]", reading)
        return read
    if len(element):
        reading.problem(path, f"<{tag(element[0])}> inside a {shape.type_name}")
    return scalar(shape, element.text or "", path, reading)


def members(
    shape: StructureShape,
    elements: list[ElementTree.Element],
    path: str,
    reading: Reading,
    only: dict[str, Shape] | None = None,
    attributes: dict[str, str] | None = None,
) -> dict[str, Any]:
    by_tag: dict[str, list[ElementTree.Element]] = {}
    for element in elements:
        by_tag.setdefault(tag(element), []).append(element)
    value: dict[str, Any] = {}
    for name, member in (only or shape.members).items():
        wire = member.serialization.get("name", name)
        if is_flattened(member) and isinstance(member, ListShape):
            wire = member.serialization.get("name") or member.member.serialization.get("name", name)
        if member.serialization.get("xmlAttribute"):
            text = (attributes or {}).get(wire.split(":")[-1])
            if text is not None:
                value[name] = text
        elif wire in by_tag:
            value[name] = from_xml(member, by_tag.pop(wire), f"{path}.{name}", reading)
    for unknown in by_tag:
        reading.problem(f"{path}.{unknown}", "unknown member")
    return value


def scalar(shape: Shape, text: str, path: str, reading: Reading) -> Any:
    try:
        match shape.type_name:
            case "boolean":
                return {"true": True, "false": False}[text]
            case "integer" | "long":
                return int(text)
            case "float" | "double":
                return float(text)
            case "timestamp":
                return moment(text)
            case "blob":
                return base64.b64decode(text, validate=True)
            case _:
                return text
    except (KeyError, ValueError, binascii.Error):
        reading.problem(path, f"{text!r} is no {shape.type_name}")
        return None


def moment(text: str) -> datetime.datetime:
    if text.endswith("GMT"):
        return datetime.datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=datetime.timezone.utc)
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


# ---- judging --------------------------------------------------------------------------------------------------------

TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "character": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "timestamp": datetime.datetime,
    "blob": bytes,
}


def check(shape: Shape, value: Any, path: str, reading: Reading) -> None:
    """Everything that the model says of a value."""
    if value is None:
        return
    if not isinstance(value, TYPES[shape.type_name]) or (isinstance(value, bool) and shape.type_name != "boolean"):
        reading.problem(path, f"{type(value).__name__} instead of {shape.type_name}")
        return
    rules = shape.metadata
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            if value.get(name) is None:
                reading.problem(f"{path}.{name}", "missing")
        if rules.get("union") and len(value) != 1:
            reading.problem(path, f"{len(value)} members of a union")
        for name, part in value.items():
            check(shape.members[name], part, f"{path}.{name}", reading)
    elif isinstance(shape, MapShape):
        for key, part in value.items():
            check(shape.key, key, f"{path} (key)", reading)
            check(shape.value, part, f"{path}[{key}]", reading)
    elif isinstance(shape, ListShape):
        for n, part in enumerate(value):
            check(shape.member, part, f"{path}[{n}]", reading)
    # An enum of the model is closed for requests; the empty text is never in one.
    if isinstance(value, str) and shape.metadata.get("enum") and value not in rules["enum"]:
        reading.problem(path, f"{value!r} is none of {', '.join(rules['enum'][:12])}")
    if isinstance(value, str) and "pattern" in rules and not matches(rules["pattern"], value):
        reading.problem(path, f"{shorten(value)!r} does not match {rules['pattern']}")
    if "min" in rules or "max" in rules:
        size = value if isinstance(value, (int, float)) else len(value)
        low, high = rules.get("min"), rules.get("max")
        if (low is not None and size < low) or (high is not None and size > high):
            what = "value" if isinstance(value, (int, float)) else "length"
            reading.problem(path, f"{what} {size} is not within {low} and {high}")


# Unicode categories of Java's regular expressions, as far as the models use them, as ranges of Python's.
CATEGORIES = {
    "L": r"A-Za-z\u00aa-\u02ff\u0370-\uffff",
    "M": r"\u0300-\u036f",
    "N": r"0-9\u00b2-\u00be",
    "P": r"!-#%-*,-/:;?@\[-\]_{}\u00a1-\u00bf\u2010-\u2027",
    "S": r"$+<->^`|~\u00a2-\u00b4",
    "Z": r"\s",
    "Alnum": "A-Za-z0-9",
}


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    pattern = pattern.replace(r"\p{ASCII}", r"[\x00-\x7F]")  # a class of its own; the others stand inside of one
    python = re.sub(r"\\p\{(\w+)\}", lambda found: CATEGORIES[found[1]], pattern)
    # UTF-16 halves and a length after the end: Java's, without a meaning in Python.
    python = python.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
    return re.compile(re.sub(r"\$\{\d+,\d+\}", "$", python))


def matches(pattern: str, value: str) -> bool:
    return compiled(pattern).fullmatch(value) is not None


def shorten(value: str) -> str:
    return value if len(value) <= 80 else value[:77] + "..."

"""What may be kept of a request and its answer at AWS: their shape, no more.

Nothing is blacked out: what is not known to be harmless is not written at all. Kept are the operation, the status and
code of the answer, the names of members, values of AWS's own enums and words of status; objects are numbered. Account,
names, ARNs, addresses, tags, messages, passwords and secrets have no place in it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

sys.path.insert(0, str(Path(__file__).parent.parent / "clients"))

from wire import MODELS, Exchange, read_answer, read_request  # noqa: E402

# Members whose words are AWS's, though the model has no enum for them.
STATUS = re.compile(r"(DBInstance|DBClusterParameterGroup|ParameterApply|Secret|SubnetGroup|Subnet)?(Status|State)")
WORD = re.compile(r"[A-Za-z]+(-[A-Za-z]+)*")
WORDS = frozenset(
    """active available adding-role associated associating attached backing-up configuring-enhanced-monitoring
    configuring-log-exports creating deleted deleting detached detaching disassociated disassociating failed failing-over
    in-sync applying pending pending-reboot maintenance modifying rebooting removing renaming resetting-master-credentials
    starting stopped stopping storage-optimization upgrading InService Creating Updating Deleting Failed OutOfService
    SystemUpdating RollingBack Pending Stopped Stopping ACTIVE PENDING INVALID Active""".split()
)
# Members that say which object something is about.
NAMES = re.compile(
    r"(DBCluster|DBInstance|DBSubnetGroup|DBClusterParameterGroup|Endpoint|EndpointConfig|Model|NotebookInstance|Role|"
    r"Vpc|Subnet|VpcEndpoint|NatGateway|RouteTable|InternetGateway|Group|Allocation)?(Identifier|Name|Id)"
)


class Scrubber:
    """Scrubs the exchanges of one recording; the same object has the same number in all of it."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.began: int | None = None

    def line(self, exchange: Exchange) -> dict[str, Any] | None:
        """One line of a recording; none for what is not of a service that is judged."""
        if exchange.service not in MODELS:
            return None
        self.began = exchange.at if self.began is None else self.began
        found, request = read_request(exchange)
        if found is None:
            return None
        line: dict[str, Any] = {
            "second": round((exchange.at - self.began) / 1000, 1),
            "operation": f"{exchange.service}:{found.name}",
            "request": self.shape(found.input_shape, request.value),
            "status": exchange.status,
        }
        answer = read_answer(found, exchange).value
        if exchange.status >= 300:
            code = (answer or {}).get("Error", {}).get("Code", "")
            line["code"] = code if re.fullmatch(r"[A-Za-z0-9]+(\.[A-Za-z0-9]+)*", code) else ""
        else:
            line["answer"] = self.shape(found.output_shape, answer)
        return line

    def shape(self, shape: Shape | None, value: Any, name: str = "") -> Any:
        if shape is None or value is None:
            return None
        if isinstance(shape, StructureShape):
            return {key: self.shape(shape.members[key], part, key) for key, part in sorted(value.items())}
        if isinstance(shape, ListShape):
            return [self.shape(shape.member, part, name) for part in value]
        if isinstance(shape, MapShape):
            return "map"
        if shape.metadata.get("sensitive") or not isinstance(value, str):
            return shape.type_name
        if value in shape.metadata.get("enum", ()):
            return f"={value}"
        if STATUS.fullmatch(name) and WORD.fullmatch(value) and value in WORDS:
            return f"={value}"
        if NAMES.fullmatch(name):
            return f"#{self.numbers.setdefault(value, len(self.numbers) + 1)}"
        return shape.type_name

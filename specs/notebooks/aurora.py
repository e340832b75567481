"""SQL in the stack's Aurora cluster through the RDS Data API: no driver, no open connection, and no password here.

`cloudformation_values.py`, which the stack writes at each start of the notebook, says where everything is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import boto3
import cloudformation_values as values
import pandas as pd
from botocore.config import Config
from botocore.exceptions import ClientError

# Seconds between two looks at something that takes minutes.
POLL_SECONDS = float(os.environ.get("POLL_SECONDS", "15"))
RESUME_SECONDS = 180.0

# A statement may run for 45 seconds before the Data API answers. One that was sent twice would run twice.
_client = boto3.client(
    "rds-data", region_name=values.REGION, config=Config(read_timeout=70, retries={"total_max_attempts": 1})
)


def sql(statement: str, **parameters: Any) -> pd.DataFrame | int:
    """Runs one statement: a table for what answers with rows, else the number of rows that it changed.

    `:name` in the statement stands for the parameter of that name."""
    deadline = time.monotonic() + RESUME_SECONDS
    while True:
        try:
            answer = _client.execute_statement(
                resourceArn=values.DBCLUSTER,
                secretArn=values.DBSECRET,
                database=values.DATABASE,
                sql=statement,
                parameters=[{"name": name, "value": _field(value)} for name, value in parameters.items()],
                includeResultMetadata=True,
                # Loading may take longer than the Data API waits, and must not be cut off in the middle.
                continueAfterTimeout=True,
            )
            break
        except _client.exceptions.DatabaseResumingException:
            # A cluster that scales to zero wakes up in about fifteen seconds.
            if time.monotonic() > deadline:
                raise
            time.sleep(min(5.0, POLL_SECONDS))
    if not answer.get("columnMetadata"):
        return answer.get("numberOfRecordsUpdated", 0)
    names = [column["label"] for column in answer["columnMetadata"]]
    return pd.DataFrame([[_value(field) for field in row] for row in answer["records"]], columns=names)


def one(statement: str, **parameters: Any) -> Any:
    """The only value of the only row."""
    return sql(statement, **parameters).iat[0, 0]


def wait(what: str, look: Callable[[], str], until: set[str], minutes: float = 60.0) -> str:
    """Looks until the status is one of `until`; prints each status once."""
    deadline, last = time.monotonic() + 60.0 * minutes, None
    while (status := look()) not in until:
        if status != last:
            print(f"{what}: {status}")
            last = status
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} is still {status} after {minutes:.0f} minutes")
        time.sleep(POLL_SECONDS)
    print(f"{what}: {status}")
    return status


def repeat(call: Callable[[], Any], while_told: str, minutes: float = 2.0) -> Any:
    """Makes a call again while AWS does not see yet what was made a moment ago."""
    deadline = time.monotonic() + 60.0 * minutes
    while True:
        try:
            return call()
        except ClientError as error:
            if while_told not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(min(5.0, POLL_SECONDS))


def _field(value: Any) -> dict[str, Any]:
    if value is None:
        return {"isNull": True}
    if isinstance(value, bool):
        return {"booleanValue": value}
    if isinstance(value, int):
        return {"longValue": value}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": str(value)}


def _value(field: dict[str, Any]) -> Any:
    if field.get("isNull"):
        return None
    value = next(iter(field.values()))
    # Functions of Aurora machine learning answer in bytes.
    return value.decode() if isinstance(value, bytes) else value

"""Firehose: delivery to S3 as Firehose delivers.

moto writes each PutRecord as an object of its own, at once, as it came. Firehose collects records until there are
enough of them or the first has waited long enough, puts a delimiter behind each if a processor says so, compresses the
whole, and names the object by the prefix with its timestamps filled in.
https://docs.aws.amazon.com/firehose/latest/dev/basic-deliver.html
https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html

`POST firehose/{region}/{stream}/flush` delivers what a stream holds now, for whoever does not want to wait.
"""

from __future__ import annotations

import gzip
import re
import sys
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.firehose.exceptions import InvalidArgumentException, ValidationException
from moto.firehose.models import FirehoseBackend as MotoFirehoseBackend
from moto.firehose.models import firehose_backends
from moto.firehose.responses import FirehoseResponse as MotoFirehoseResponse
from moto.s3.models import s3_backends
from werkzeug.wrappers import Request

from . import registry
from .registry import PageError
from .turns import TURN

# https://docs.aws.amazon.com/firehose/latest/dev/limits.html
MAX_RECORD_BYTES = 1_000 * 1024
MAX_BATCH_BYTES = 4 * 1024 * 1024
MAX_BATCH_RECORDS = 500

DEFAULT_BUFFER_SECONDS = 300
DEFAULT_BUFFER_MEGABYTES = 5
DEFAULT_PREFIX_TIME = "!{timestamp:yyyy/MM/dd/HH}/"
"""What Firehose adds to a prefix that has no expression of its own."""

EXPRESSION = re.compile(r"!\{(?P<namespace>[\w-]+):(?P<value>[^}]*)\}")
# Java's DateTimeFormatter, as far as dates and times go.
JAVA_DATE = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}


@dataclass
class Buffer:
    """What a stream has taken and not yet delivered."""

    records: list[bytes] = field(default_factory=list)
    size: int = 0
    timer: threading.Timer | None = None


class FirehoseBackend(MotoFirehoseBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._buffers: dict[str, Buffer] = {}

    def put_record(self, delivery_stream_name: str, record: dict[str, bytes]) -> dict[str, Any]:
        if len(record["Data"]) > MAX_RECORD_BYTES:
            raise ValidationException(
                "1 validation error detected: Value at 'record.data' failed to satisfy constraint: "
                f"Member must have length less than or equal to {MAX_RECORD_BYTES}"
            )
        return super().put_record(delivery_stream_name, record)

    def put_record_batch(self, delivery_stream_name: str, records: list[dict[str, bytes]]) -> dict[str, Any]:
        if not 1 <= len(records) <= MAX_BATCH_RECORDS:
            raise ValidationException(
                "1 validation error detected: Value at 'records' failed to satisfy constraint: "
                f"Member must have length between 1 and {MAX_BATCH_RECORDS}"
            )
        sizes = [len(record["Data"]) for record in records]
        if max(sizes) > MAX_RECORD_BYTES:
            position = sizes.index(max(sizes)) + 1
            raise ValidationException(
                f"1 validation error detected: Value at 'records.{position}.member.data' failed to satisfy constraint: "
                f"Member must have length less than or equal to {MAX_RECORD_BYTES}"
            )
        if sum(sizes) > MAX_BATCH_BYTES:
            raise InvalidArgumentException("Records size exceeds 4 MB limit")
        return super().put_record_batch(delivery_stream_name, records)

    def put_s3_records(
        self,
        delivery_stream_name: str,
        version_id: str,
        s3_destination: dict[str, Any],
        records: list[dict[str, bytes]],
    ) -> list[dict[str, str]]:
        delimiter = delimiter_of(s3_destination)
        hints = s3_destination.get("BufferingHints") or {}
        buffer = self._buffers.setdefault(delivery_stream_name, Buffer())
        for record in records:
            data = bytes(record["Data"]) + delimiter
            buffer.records.append(data)
            buffer.size += len(data)
        full = buffer.size >= hints.get("SizeInMBs", DEFAULT_BUFFER_MEGABYTES) * 1024 * 1024
        if buffer.timer is None and not full:
            self._deliver_later(delivery_stream_name, buffer, hints)
        if full:
            self.deliver(delivery_stream_name)
        return [{"RecordId": str(uuid.uuid4())} for _ in records]

    def _deliver_later(self, name: str, buffer: Buffer, hints: dict[str, Any]) -> None:
        seconds = hints.get("IntervalInSeconds", DEFAULT_BUFFER_SECONDS)
        buffer.timer = threading.Timer(seconds, self._deliver_in_turn, [name])
        buffer.timer.daemon = True
        buffer.timer.start()

    def _deliver_in_turn(self, name: str) -> None:
        with TURN:
            self.deliver(name)

    def deliver(self, name: str) -> int:
        """Write what the stream `name` holds as one object; the number of records in it. What cannot be written is kept
        and tried again when the interval is over once more, as Firehose does for 24 hours."""
        buffer = self._buffers.pop(name, None)
        stream = self.delivery_streams.get(name)
        if buffer is None or stream is None:
            return 0
        if buffer.timer is not None:
            buffer.timer.cancel()
        destination = next(found for each in stream.destinations if (found := each.get("ExtendedS3") or each.get("S3")))
        bucket = destination["BucketARN"].rsplit(":", 1)[-1]
        compressed = destination.get("CompressionFormat") == "GZIP"
        content = b"".join(buffer.records)
        key = object_key(destination.get("Prefix") or "", name, stream.version_id, datetime.now(UTC))
        try:
            s3_backends[self.account_id][self.partition].put_object(
                bucket, f"{key}.gz" if compressed else key, gzip.compress(content) if compressed else content
            )
        except Exception as error:
            print(
                f"firehose: {name} cannot deliver to {bucket}, and tries again: {error!r}", file=sys.stderr, flush=True
            )
            waiting = self._buffers.setdefault(name, Buffer())
            waiting.records[:0] = buffer.records
            waiting.size += buffer.size
            if waiting.timer is None:
                self._deliver_later(name, waiting, destination.get("BufferingHints") or {})
            return 0
        return len(buffer.records)

    def delete_delivery_stream(self, delivery_stream_name: str) -> None:
        super().delete_delivery_stream(delivery_stream_name)
        buffer = self._buffers.pop(delivery_stream_name, None)
        if buffer is not None and buffer.timer is not None:
            buffer.timer.cancel()


class FirehoseResponse(MotoFirehoseResponse):
    """As moto's, on our backend."""


def delimiter_of(destination: dict[str, Any]) -> bytes:
    """What the processor AppendDelimiterToRecord puts behind each record; its escapes are those of a string literal."""
    for processor in (destination.get("ProcessingConfiguration") or {}).get("Processors", []):
        if processor["Type"] == "AppendDelimiterToRecord":
            parameters = {each["ParameterName"]: each["ParameterValue"] for each in processor.get("Parameters", [])}
            text: str = parameters.get("Delimiter", "\\n")
            return text.encode().decode("unicode_escape").encode()
    return b""


def object_key(prefix: str, stream: str, version: str, now: datetime) -> str:
    """https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html"""

    def evaluate(expression: re.Match[str]) -> str:
        namespace, value = expression["namespace"], expression["value"]
        if namespace == "timestamp":
            for java, python in JAVA_DATE.items():
                value = value.replace(java, python)
            return now.strftime(value)
        if (namespace, value) == ("firehose", "random-string"):
            return uuid.uuid4().hex[:11]
        raise NotImplementedError(f"the prefix expression {expression[0]}")

    if "!{timestamp" not in prefix:
        prefix += DEFAULT_PREFIX_TIME
    return f"{EXPRESSION.sub(evaluate, prefix)}{stream}-{version}-{now:%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}"


def flush(request: Request, region: str, stream: str) -> dict[str, int]:
    backend = firehose_backends[DEFAULT_ACCOUNT_ID][region]
    assert isinstance(backend, FirehoseBackend)  # by `install`
    if stream not in backend.delivery_streams:
        raise PageError(404, f"There is no stream '{stream}' in {region}")
    return {"records": backend.deliver(stream)}


def install() -> None:
    registry.replace("firehose", FirehoseResponse, backend=FirehoseBackend)
    registry.add_page("POST", r"firehose/(?P<region>[^/]+)/(?P<stream>[^/]+)/flush", flush)

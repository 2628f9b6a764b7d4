"""What a front door is, and what it adds to or takes from the one API behind it."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class Capability(enum.Enum):
    """What holds only behind some front doors. A case that needs nothing of this holds behind every one."""

    KEY = "a missing or wrong x-api-key is refused"
    BYTES = "the request's bytes reach the service as they are"
    ENCODINGS = "charset and content encoding reach the service as they are"
    ROUTES = "every path and method reaches the service"
    NOT_FOUND = "an unknown path is answered in the service's words, whoever answers"
    STATUS = "the service's own /status, /openapi.json and /docs can be reached"
    LARGE = "JSON bodies up to 10 MB, text of any size"
    STREAMING = "text goes out before the last of it has come in"
    EXACT = "an error's body is byte for byte as documented, not only in its `message`"


CAPABILITIES: Mapping[str, frozenset[Capability]] = {
    "container": frozenset(Capability),
    # A load balancer passes on what it gets, but is free to re-frame a stream.
    "alb": frozenset(Capability) - {Capability.STREAMING},
    # The gateway checks the key, answers undefined routes, reads bodies as text and has limits of its own.
    "gateway": frozenset({Capability.KEY, Capability.ENCODINGS, Capability.NOT_FOUND}),
    # A gateway too, but bodies pass as bytes both ways, and undefined routes have words of their own. The service's own
    # status is behind the token.
    "private": frozenset({Capability.KEY, Capability.BYTES, Capability.ENCODINGS, Capability.EXACT}),
    # The bare function: keys and limits are the gateway's, which is not there.
    "lambda": frozenset({Capability.ENCODINGS, Capability.ROUTES, Capability.NOT_FOUND, Capability.EXACT}),
}


@dataclass(frozen=True)
class FrontDoor:
    """Where the API is, what a request must carry to be let in, and what can be expected of it."""

    url: str
    headers: Mapping[str, str]
    capabilities: frozenset[Capability]

"""The API that the commands talk to: where it is, the key or token to it, and one way to send a request."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from urllib.parse import urlsplit

from switchyard.failure import NO_ANSWER, REFUSED, WRONG_USE, Failure

TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """What the API answered."""

    status: int
    reason: str
    body: bytes

    @property
    def ok(self) -> bool:
        """A 2xx. A redirect is not: this client follows none."""
        return 200 <= self.status < 300

    def show(self) -> int:
        """Prints the body, and a status that is no 2xx on standard error; returns the exit code."""
        if not self.ok:
            print(f"HTTP {self.status} {self.reason}", file=sys.stderr)
        # Bytes, because the answer is UTF-8 whatever the terminal's encoding is.
        sys.stdout.flush()
        sys.stdout.buffer.write(self.body)
        if not self.body.endswith(b"\n"):
            sys.stdout.buffer.write(b"\n")
        return 0 if self.ok else REFUSED


@dataclass(frozen=True)
class Endpoint:
    """A base URL without a trailing slash, and the header that lets one in. The header is left out of `repr`."""

    url: str
    credentials: Mapping[str, str] = field(repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Endpoint":
        """Reads `API_ENDPOINT` (`http(s)://host[:port][/base]`, or a bare host name, meaning https) and `API_KEY`."""
        missing = [name for name in ("API_ENDPOINT", "API_KEY") if not environment.get(name, "").strip()]
        if missing:
            names = " and ".join(missing)
            verb = "is" if len(missing) == 1 else "are"
            raise Failure(
                f"{names} {verb} not set. Use, for example:\n"
                "  export API_ENDPOINT=http://127.0.0.1:8080   # or a bare host name, which means https\n"
                "  export API_KEY=...                          # the key that the service prints or was given",
                WRONG_USE,
            )
        key = _visible("API_KEY", environment["API_KEY"].strip())
        return cls(_base_url(environment["API_ENDPOINT"].strip()), {"x-api-key": key})

    @classmethod
    def with_token(cls, environment: Mapping[str, str]) -> "Endpoint":
        """Reads `API_ENDPOINT`, and `API_TOKEN`, which `API_TOKEN_HEADER` brings; without a token none is sent."""
        endpoint = environment.get("API_ENDPOINT", "").strip()
        if not endpoint:
            raise Failure(
                "API_ENDPOINT is not set. Use, for example:\n"
                "  export API_ENDPOINT=https://...   # `terraform output publish` shows it as url\n"
                "  export API_TOKEN=sy_...           # `main.py token create` shows it",
                WRONG_USE,
            )
        token = environment.get("API_TOKEN", "").strip()
        header = environment.get("API_TOKEN_HEADER", "").strip() or "AuthDetails"
        if not re.fullmatch(r"[A-Za-z0-9-]+", header):
            raise Failure(f"API_TOKEN_HEADER={header!r} cannot be used: it should be a header's name", WRONG_USE)
        credentials = {header: f"Bearer {_visible('API_TOKEN', token)}"} if token else {}
        return cls(_base_url(endpoint), credentials)

    def send(
        self, method: str, path: str, body: bytes | None, content_type: str | None, timeout: float = TIMEOUT_SECONDS
    ) -> Answer:
        """Sends one request; any answer is returned, whatever its status."""
        requests = _requests()
        headers = dict(self.credentials)
        if content_type is not None:
            headers["Content-Type"] = content_type
        try:
            # A redirect is answered as it is: following one would hand the key to whatever host it names.
            response = requests.request(
                method,
                f"{self.url}/{path.lstrip('/')}",
                data=body,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            )
        except requests.Timeout as error:
            raise Failure(f"no answer from {self.url} within {timeout:g} s", NO_ANSWER) from error
        except ValueError as error:  # what cannot be put into a request: all of requests' Invalid... are ValueErrors
            raise Failure(f"the request to {self.url} could not be made: {_root_cause(error)}", WRONG_USE) from error
        except requests.RequestException as error:
            raise Failure(f"no answer from {self.url}: {_root_cause(error)}", NO_ANSWER) from error
        return Answer(response.status_code, response.reason, response.content)


def _base_url(endpoint: str) -> str:
    url = endpoint if "://" in endpoint else f"https://{endpoint}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"\s", url) or parts.query or parts.fragment or parts.username is not None:
        shown = re.sub(r"//[^/]*@", "//...@", endpoint)  # somebody's password, if they put one there
        raise Failure(
            f"API_ENDPOINT={shown!r} cannot be used: it should be http(s)://host[:port][/base] or a host name",
            WRONG_USE,
        )
    return url.rstrip("/")


def _visible(variable: str, secret: str) -> str:
    # Checked here because the HTTP library would repeat it in its own complaint.
    if not re.fullmatch(r"[\x21-\x7e]+", secret):
        raise Failure(f"{variable} cannot be used: it should be visible ASCII characters, without spaces", WRONG_USE)
    return secret


def _root_cause(error: BaseException) -> str:
    """The innermost reason, such as `[Errno 111] Connection refused`, without the layers wrapped around it."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error) or type(error).__name__


def _requests() -> ModuleType:
    """Imported when it is needed, so that `--help` works, and a missing package is explained, without it."""
    try:
        import requests
    except ModuleNotFoundError as error:
        raise Failure(
            "the Python package 'requests' is missing. Get it with:\n  python3 -m pip install -r requirements.txt",
            WRONG_USE,
        ) from error
    return requests

"""The one function of all cases: a custom runtime that does what its environment variable BEHAVIOUR says.

Python's standard library alone, so that a process is there within milliseconds. `function.py` packs this file as
`bootstrap`; README.md lists the behaviours. Each event is reported to the recorder before anything is done with it.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import http.client
import json
import os
import time
from typing import Any

RUNTIME_API = os.environ["AWS_LAMBDA_RUNTIME_API"]
RECORDER = os.environ["RECORDER"]
NAME = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
BEHAVIOUR: dict[str, Any] = json.loads(os.environ["BEHAVIOUR"])


def main() -> None:
    if "at_init" in BEHAVIOUR:
        act(BEHAVIOUR["at_init"], {})
    runtime = http.client.HTTPConnection(RUNTIME_API)
    while True:
        runtime.request("GET", "/2018-06-01/runtime/invocation/next")
        invocation = runtime.getresponse()
        event = json.loads(invocation.read())
        report(event)
        kind, payload = act(chosen(event), event)
        path = f"/2018-06-01/runtime/invocation/{invocation.headers['Lambda-Runtime-Aws-Request-Id']}/{kind}"
        runtime.request("POST", path, payload, {"Content-Type": "application/json"})
        runtime.getresponse().read()


def report(event: Any) -> None:
    recorder = http.client.HTTPConnection(RECORDER)
    recorder.request("POST", f"/_events/{NAME}", json.dumps(event))
    recorder.getresponse().read()
    recorder.close()


def chosen(event: Any) -> dict[str, Any]:
    """The action for this event: the first of `when` whose `event` is part of it, else `otherwise`."""
    for candidate in BEHAVIOUR.get("when", []):
        if part_of(candidate["event"], event):
            return dict(candidate["action"])
    return dict(BEHAVIOUR.get("otherwise", BEHAVIOUR))


def part_of(part: Any, whole: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(part_of(value, whole.get(name)) for name, value in part.items())
    return bool(part == whole)


def act(action: dict[str, Any], event: Any) -> tuple[str, bytes]:
    """Returns whether it is a response or an error, and its payload."""
    match action:
        case {"echo": "event"}:
            return "response", json.dumps(event).encode()
        case {"proxies": "event"}:
            return "response", proxied(json.dumps(event))
        case {"pads": int(size)}:
            return "response", proxied("a" * size)
        case {"returns": result}:
            return "response", json.dumps(result).encode()
        case {"answers": str(text)}:
            return "response", text.encode()
        case {"policy": dict(policy)}:
            return "response", json.dumps(authorized(policy, event)).encode()
        case {"raises": str(message)}:
            return "error", json.dumps({"errorMessage": message, "errorType": "Error", "stackTrace": []}).encode()
        case {"hangs": float(seconds) | int(seconds)}:
            time.sleep(seconds)
            return "response", proxied("late")
        case {"exits": int(code)}:
            os._exit(code)
        case {"aborts": True}:
            os.abort()
    raise ValueError(f"no such behaviour: {action}")


def proxied(body: str) -> bytes:
    return json.dumps({"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}).encode()


def authorized(policy: dict[str, Any], event: Any) -> dict[str, Any]:
    """An authorizer's output. `{methodArn}` and `{stageArn}` in a resource stand for the request's."""
    method_arn = event["methodArn"]
    stage_arn = "/".join(method_arn.split("/")[:2])
    resources = policy.get("resources", ["{methodArn}"])
    statement = {
        "Action": policy.get("action", "execute-api:Invoke"),
        "Effect": policy["effect"],
        "Resource": [text.replace("{methodArn}", method_arn).replace("{stageArn}", stage_arn) for text in resources],
    }
    output = {
        "principalId": policy.get("principalId", "user"),
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement, *policy.get("more", [])]},
    }
    return output | {name: policy[name] for name in ("context", "usageIdentifierKey") if name in policy}


if __name__ == "__main__":
    main()

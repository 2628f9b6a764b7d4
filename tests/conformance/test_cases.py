"""Every recorded case, against the data plane."""

import pytest

from conformance.case import Case
from conformance.deployment import Account, Deployments
from conformance.exchange import check_answer, check_forwarded, check_functions, send
from conformance.upstream import Upstream
from harness.data_plane import DataPlane
from harness.waiting import eventually

STATE_SECONDS = 10
"""How long a service's state may take to become what `then` says: some integrations are answered before the work."""


def test_case(
    recorded: Case, deployed: Deployments, data_plane: DataPlane, account: Account, upstream: Upstream
) -> None:
    case = deployed[recorded.id]
    upstream.forget()
    for number, request in enumerate(case.content["requests"], start=1):
        answer = send(data_plane.url, case.prefix, request)
        wrong = check_answer(request["response"], answer)
        wrong += check_functions(request, upstream, case.functions)
        wrong += check_forwarded(request["forwarded"], upstream.forwarded) if "forwarded" in request else []
        if not wrong and "logged" in request:
            data_plane.wait_for_line(request["logged"])
        if wrong:
            what = f"{recorded.content['title']}\n({recorded.content['source']})"
            pytest.fail(f"{what}\nrequest {number}:\n" + "\n".join(wrong), pytrace=False)
    for call in case.content.get("then", []):

        def as_said(call: dict[str, object] = call) -> bool:
            wrong = account.call(call)
            assert not wrong, "\n".join(wrong)
            return True

        eventually(recorded.content["title"], as_said, STATE_SECONDS)

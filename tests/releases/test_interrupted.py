"""A command that is ended after any of its changes, and run again, ends in the state of one that was not."""

import json
import signal
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from releases.definition import with_cancellation, without_search
from releases.interruption import KILLED, run_and_kill, run_and_kill_at_line
from releases.shop import Shop

MOST_CHANGES = 40


def prepare_release(shop: Shop) -> list[str]:
    shop.apply(with_cancellation())
    return ["api-release", "lambda", "prod", "1.1.0"]


def prepare_recording(shop: Shop) -> list[str]:
    """Of the stage that follows every change."""
    shop.apply(with_cancellation())
    return ["api-release", "lambda", "test", "1.1.0"]


def prepare_rollback(shop: Shop) -> list[str]:
    prepare_release(shop)
    assert shop.run("api-release", "lambda", "prod", "1.1.0") == 0
    shop.apply(without_search())
    assert shop.run("api-release", "lambda", "prod", "2.0.0", "--breaking") == 0
    return ["api-rollback", "lambda", "prod", "1.1.0"]


def prepare_making_again(shop: Shop) -> list[str]:
    """A rollback to a release whose deployment is gone: the definition is another for a while."""
    command = prepare_rollback(shop)
    gone = next(key for key, description in shop.deployments().items() if description.startswith("release 1.1.0"))
    shop.apigateway.delete_deployment(restApiId=shop.api, deploymentId=gone)
    return command


def prepare_letting_go(shop: Shop) -> list[str]:
    """A release of a stage that was held at an earlier one, and follows every change from then on."""
    assert shop.run("api-release", "lambda", "test", "1.0.1") == 0
    shop.apply(with_cancellation())
    assert shop.run("api-rollback", "lambda", "test", "1.0.1") == 0
    return ["api-release", "lambda", "test", "1.1.0"]


PREPARATIONS = [prepare_release, prepare_recording, prepare_rollback, prepare_making_again, prepare_letting_go]


@pytest.mark.parametrize("prepare", PREPARATIONS)
def test_ended_after_any_change_and_run_again(shops: Callable[[], Shop], prepare: Callable[[Shop], list[str]]) -> None:
    undisturbed = shops()
    command = prepare(undisturbed)
    assert undisturbed.run(*command) == 0
    expected = state(undisturbed)

    for change in range(1, MOST_CHANGES):
        shop = shops()
        command = prepare(shop)
        code = run_and_kill(partial(shop.run, *command), change)
        if code == 0:
            break
        assert code == KILLED
        assert shop.run(*command) == 0
        assert state(shop) == expected, f"ended after change {change}"
    assert 3 <= change < MOST_CHANGES - 1, "so many changes there are"


def test_killed_at_any_line_that_it_prints_and_run_again(shops: Callable[[], Shop]) -> None:
    undisturbed = shops()
    with undisturbed.start(*prepare_release(undisturbed)) as process:
        assert process.stdout
        lines = list(process.stdout)
    assert process.returncode == 0
    expected = state(undisturbed)

    ended_early = 0
    for number, line in enumerate(lines, 1):
        shop = shops()
        command = prepare_release(shop)
        # Behind its last lines it may be quicker than the signal.
        ended_early += run_and_kill_at_line(partial(shop.run, *command), number) == -signal.SIGKILL
        assert shop.run(*command) == 0
        assert state(shop) == expected, f"killed after {line!r}"
    assert ended_early > 0


def state(shop: Shop) -> Any:
    """All that a command leaves behind, with names in place of what is random."""
    text = json.dumps(
        {
            "stages": {name: _settings(shop.stage(name)) for name in sorted(shop.stages())},
            "served": {name: shop.serves(name) for name in sorted(shop.stages())},
            "deployments": sorted(shop.deployments().values()),
            "definition": shop.definition(),
            "ledger": json.loads(shop.file.read_text()),
            "archive": {
                str(path.relative_to(shop.archive)): path.read_text() for path in sorted(shop.archive.rglob("*.*"))
            },
        },
        sort_keys=True,
    )
    return json.loads(shop.anonymous(text))


def _settings(stage: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in stage.items() if key not in ("createdDate", "lastUpdatedDate")}

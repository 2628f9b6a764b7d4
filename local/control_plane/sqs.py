"""SQS: queue attributes that moto loses or writes differently, and queues of many messages.

- SetQueueAttributes changes the attributes that it is given and no others; moto drops the policy of a queue whenever
  any other attribute is set.
- RedriveAllowPolicy is stored by moto and never returned; "" removes it.
- SendMessage only sends. In moto it also takes messages off the queue and tries to run the functions of its event
  source mappings, in Docker; here whoever runs functions polls the queue, as AWS does.
- AWS returns RedrivePolicy as compact JSON, and Terraform compares it as text.
- A queue of thousands answers: moto asks a calendar for the time, once for each message in the queue, many times a
  request.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

from __future__ import annotations

import json
import time
from typing import Any

from moto.sqs import models

from . import registry
from .turns import others_first


class Message(models.Message):
    # Milliseconds since 1970.
    @property
    def visible(self) -> bool:
        return time.time() * 1000 > self.visible_at

    @property
    def delayed(self) -> bool:
        return time.time() * 1000 < self.delayed_until


class Queue(models.Queue):
    BASE_ATTRIBUTES = [*models.Queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]  # noqa: RUF012 (as moto has it)
    redrive_allow_policy: str | None = None

    @property
    def messages(self) -> list[models.Message]:
        now = time.time() * 1000
        return [message for message in self._messages if message.visible_at < now and message.delayed_until <= now]

    @property
    def approximate_number_of_messages_delayed(self) -> int:
        now = time.time() * 1000
        return sum(1 for message in self._messages if message.delayed_until > now)

    @property
    def approximate_number_of_messages_not_visible(self) -> int:
        now = time.time() * 1000
        return sum(1 for message in self._messages if message.visible_at >= now)

    @property
    def lambda_event_source_mappings(self) -> dict[str, Any]:
        """The mappings that moto's SendMessage would run: none."""
        return {}

    @lambda_event_source_mappings.setter
    def lambda_event_source_mappings(self, mappings: dict[str, Any]) -> None:
        pass

    def _set_attributes(self, attributes: dict[str, Any], now: float | None = None) -> None:
        policy = getattr(self, "policy", None)
        super()._set_attributes(attributes, now)
        if "Policy" not in attributes:
            self.policy = policy

    def wait_for_messages(self, timeout: int) -> None:
        with others_first():
            super().wait_for_messages(timeout)

    @property
    def attributes(self) -> dict[str, Any]:
        attributes = dict(super().attributes)
        if self.redrive_policy:
            attributes["RedrivePolicy"] = json.dumps(self.redrive_policy, separators=(",", ":"))
        if not attributes.get("RedriveAllowPolicy"):
            attributes["RedriveAllowPolicy"] = None
        return attributes


def install() -> None:
    registry.substitute(models, Message)
    registry.substitute(models, Queue)

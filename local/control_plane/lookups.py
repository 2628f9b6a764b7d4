"""What moto looks up again for each request, and never changes: here it is looked up once."""

from __future__ import annotations

from moto.core import responses, utils
from moto.sqs import models as sqs

from . import registry


def install() -> None:
    # A new loader lists all of botocore's folders, once for each service.
    registry.remember(utils, "create_loader")
    # Which operations a response class has, by all of its members.
    registry.remember(responses, "method_names_from_class")
    # Python's name of an operation or an attribute.
    for module in (responses, sqs):
        registry.remember(module, "camelcase_to_underscores")

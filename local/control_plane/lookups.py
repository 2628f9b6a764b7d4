"""What moto looks up again for each request, and never changes: here it is looked up once.

Together this was more than a third of what the control plane has to do in an apply.
"""

from __future__ import annotations

from moto.core import responses, utils

from . import registry


def install() -> None:
    # A new loader lists all of botocore's folders, once for each service.
    registry.remember(utils, "create_loader")
    # Which operations a response class has, by all of its members.
    registry.remember(responses, "method_names_from_class")

"""Lambda: members of a function's configuration that moto drops, and event source mappings to an alias.

AWS returns DeadLetterConfig and LoggingConfig as they were given, and UpdateFunctionConfiguration changes every member
that it is given; moto forgets the former two and changes nine members. A mapping made for an alias keeps the alias in
its FunctionArn; moto cuts it off, so that Terraform would make the mapping again on every apply.
https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
"""

from __future__ import annotations

from typing import Any

from moto.awslambda import models

from . import registry

PASSED_THROUGH = ("DeadLetterConfig", "LoggingConfig")


class LambdaFunction(models.LambdaFunction):
    def __init__(self, account_id: str, spec: dict[str, Any], region: str, version: str | int = 1) -> None:
        super().__init__(account_id, spec, region, version)
        self.passed_through = {name: spec[name] for name in PASSED_THROUGH if spec.get(name)}
        self.passed_through.setdefault("LoggingConfig", {"LogFormat": "Text", "LogGroup": self.logs_group_name})

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        return {**super().get_configuration(on_create), **self.passed_through}

    def update_configuration(self, config_updates: dict[str, Any]) -> dict[str, Any]:
        # A new dict, not a changed one: published versions are shallow copies and keep theirs.
        self.passed_through = {
            **self.passed_through,
            **{name: config_updates[name] for name in PASSED_THROUGH if name in config_updates},
        }
        if "TracingConfig" in config_updates:
            self.tracing_config = config_updates["TracingConfig"]
        if "EphemeralStorage" in config_updates:
            self.ephemeral_storage = config_updates["EphemeralStorage"]["Size"]
        if "KMSKeyArn" in config_updates:
            self.kms_key_arn = config_updates["KMSKeyArn"]
        super().update_configuration(config_updates)
        return self.get_configuration()


class EventSourceMapping(models.EventSourceMapping):
    def get_configuration(self) -> dict[str, Any]:
        configuration = super().get_configuration()
        if self.function_name.startswith("arn:"):
            configuration["FunctionArn"] = self.function_name
        return configuration


def install() -> None:
    registry.substitute(models, LambdaFunction)
    registry.substitute(models, EventSourceMapping)

"""EC2: the description of a security group's rule.

A rule has one whatever it refers to; moto returns it only where that is a CIDR block, so that a rule for another group,
or for a prefix list, would be planned to change for ever.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import security_groups

from . import registry


class SecurityGroupRule(security_groups.SecurityGroupRule):
    def __init__(
        self,
        ec2_backend: Any,
        ip_protocol: str,
        group_id: str,
        from_port: str | None,
        to_port: str | None,
        ip_range: dict[str, str] | None,
        source_group: dict[str, str] | None = None,
        prefix_list_id: dict[str, str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            ec2_backend, ip_protocol, group_id, from_port, to_port, ip_range, source_group, prefix_list_id, **options
        )
        self.prefix_list_description = (prefix_list_id or {}).get("Description")

    @property
    def description(self) -> str | None:
        # moto writes a changed description to `ip_range`, whatever the rule refers to.
        return self.ip_range.get("Description") or self.source_group.get("Description") or self.prefix_list_description


def install() -> None:
    registry.substitute(security_groups, SecurityGroupRule)

"""A network load balancer in the local account, in front of what listens on this machine."""

from collections.abc import Mapping

from harness.control_plane import ControlPlane


def network_load_balancer(control_plane: ControlPlane, targets: Mapping[int, str]) -> tuple[str, str]:
    """ARN and host name of one whose listeners, by their ports, each pass their connections on to an address."""
    elb, ec2 = control_plane.client("elbv2"), control_plane.client("ec2")
    subnets = ec2.describe_subnets()["Subnets"][:2]
    (balancer,) = elb.create_load_balancer(
        Name="private", Type="network", Scheme="internal", Subnets=[subnet["SubnetId"] for subnet in subnets]
    )["LoadBalancers"]
    for listener, address in targets.items():
        host, _, port = address.partition(":")
        (group,) = elb.create_target_group(
            Name=f"private-{listener}", Protocol="TCP", Port=int(port), TargetType="ip", VpcId=subnets[0]["VpcId"]
        )["TargetGroups"]
        elb.register_targets(TargetGroupArn=group["TargetGroupArn"], Targets=[{"Id": host, "Port": int(port)}])
        elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="TCP",
            Port=listener,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}],
        )
    return balancer["LoadBalancerArn"], balancer["DNSName"]

"""Every service that this package changes or adds, by the module that does it."""

from __future__ import annotations

from . import (
    apigateway,
    application_autoscaling,
    awslambda,
    changes,
    cloudwatch,
    codebuild,
    codeconnections,
    codedeploy,
    codepipeline,
    codestar_notifications,
    data_plane,
    ec2,
    ecs,
    elb,
    faults,
    firehose,
    logs,
    lookups,
    pages,
    s3,
    sqs,
    vtl,
)

MODULES = (
    apigateway,
    application_autoscaling,
    awslambda,
    changes,
    cloudwatch,
    codebuild,
    codeconnections,
    codedeploy,
    codepipeline,
    codestar_notifications,
    data_plane,
    ec2,
    ecs,
    elb,
    faults,
    firehose,
    logs,
    lookups,
    pages,
    s3,
    sqs,
    vtl,
)


def install() -> None:
    """Change moto, once per process, before the first request."""
    for module in MODULES:
        module.install()

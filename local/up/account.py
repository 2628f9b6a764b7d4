"""The environment of what talks to the local AWS account, and nothing else of the user's own."""

from __future__ import annotations

import os

PASSED_ON = (
    "HOME",
    "LANG",
    "PATH",
    "TERM",
    "TMPDIR",
    # Terraform's own settings, and the way to its providers.
    "TF_CLI_CONFIG_FILE",
    "TF_PLUGIN_CACHE_DIR",
    # How seldom Terraform and its provider look for garbage: with 400 an apply of everything takes a fifth less of the
    # processors' time, no less of the user's, and 1.5 GB of memory instead of 0.8.
    # https://pkg.go.dev/runtime#hdr-Environment_Variables
    "GOGC",
    "GOMEMLIMIT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
    "https_proxy",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
)
"""No AWS_ of the user's: a profile or an endpoint for one service would lead to the real account."""

LOOPBACK = "127.0.0.1,localhost"


def credentials(endpoint: str, region: str) -> dict[str, str]:
    """What an AWS client needs to talk to the control plane. Without a bound on attempts Terraform's provider repeats a
    failing call for minutes; without the metadata service switched off it looks for one first."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "2",
    }


def bare() -> dict[str, str]:
    """The user's environment without any account."""
    return {
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": LOOPBACK,
        "no_proxy": LOOPBACK,
    }


def environment(endpoint: str, region: str) -> dict[str, str]:
    return {**bare(), **credentials(endpoint, region)}


def forget_accounts() -> None:
    """Takes what the user has set for AWS from this process too: a profile that does not exist here is an error to
    boto3, whatever keys it is given."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)

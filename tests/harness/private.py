"""How private is deployed where all of it is tested."""

from harness.https_upstream import HttpsUpstream

ORIGINS = ("https://app.example.com", "https://admin.example.com")
"""Whose pages may call it."""

CONTACT = "platform@example.com"

SETTINGS = {"allowed_cidr_blocks": ["127.0.0.1/32"], "contact": CONTACT, "cors": {"origins": ORIGINS}}
"""The variable `private` of the Terraform root."""

EXTERNAL_PORTS = {"billing": 9001, "impostor": 9002, "away": 9003}
"""Services outside AWS, and the port of each one's listener."""


def external_services(upstreams: dict[str, HttpsUpstream]) -> dict[str, dict[str, object]]:
    """The variable `external_services`: of each, the certificate of `billing` is what is believed."""
    return {
        name: {
            "port": port,
            # Nobody has port 1 (tcpmux).
            "upstream": upstreams[name].url if name in upstreams else "https://127.0.0.1:1",
            "server_name": upstreams["billing"].name,
            "certificate_authority": upstreams["billing"].certificate.read_text(),
        }
        for name, port in EXTERNAL_PORTS.items()
    }

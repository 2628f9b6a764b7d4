"""How private is deployed where all of it is tested."""

ORIGINS = ("https://app.example.com", "https://admin.example.com")
"""Whose pages may call it."""

CONTACT = "platform@example.com"

SETTINGS = {"allowed_cidr_blocks": ["127.0.0.1/32"], "contact": CONTACT, "cors": {"origins": ORIGINS}}
"""The variable `private` of the Terraform root."""

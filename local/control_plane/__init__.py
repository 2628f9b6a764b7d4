"""A local AWS control plane for this repository's Terraform root: moto, plus what moto lacks or gets wrong for it.

`python -m local.control_plane` starts it; README.md in this folder says what is moto and what is ours.
"""

ACCOUNT = "123456789012"
"""There is one, whoever asks."""

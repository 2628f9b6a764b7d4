"""What `scripts/main.py` and `scripts/release.py` are made of."""

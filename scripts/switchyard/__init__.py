"""What `scripts/main.py` is made of."""

"""What ends `make local` with exit code 1."""


class Failure(Exception):
    """The message says what was wrong and what would be right."""

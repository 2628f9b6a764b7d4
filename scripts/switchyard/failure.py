"""How a command fails: with a sentence for the person at the keyboard and an exit code for the script around it."""

EXIT_CODES = """\
exit codes:
  0  done: the API answered with 2xx
  1  refused: by the API with another status (it is on stderr, the body on stdout), or by AWS
  2  wrong use: a bad argument, a missing or bad variable, a missing Python package
  3  no answer: the connection failed or took too long"""

REFUSED = 1
WRONG_USE = 2
NO_ANSWER = 3


class Failure(Exception):
    """Ends the command. The message says what was wrong and what would be right, and never holds a secret."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code

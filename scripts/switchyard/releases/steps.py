"""What a command has done so far, said to the person who waits for it."""

from __future__ import annotations


class Steps:
    def __init__(self, command: str) -> None:
        self.command = command

    def say(self, text: str) -> None:
        """At once: whoever sees the line may rely on the step being done."""
        print(f"{self.command}: {text}", flush=True)

    def show(self, lines: list[str]) -> None:
        for line in lines:
            print(f"  {line}", flush=True)

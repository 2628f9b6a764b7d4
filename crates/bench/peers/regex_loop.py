"""The classic loop: one regular expression per rule, compiled once. Prints the CPU nanoseconds of one pass."""

import json
import re
import sys
import time

given = json.load(sys.stdin)
rules = [(re.compile(r"\b" + re.escape(key) + r"\b", re.IGNORECASE), value) for key, value in given["rules"].items()]


def replace(text):
    for pattern, value in rules:
        text = pattern.sub(lambda _, value=value: value, text)
    return text


replace(given["text"])
times = []
for _ in range(3):
    start = time.process_time_ns()
    replace(given["text"])
    times.append(time.process_time_ns() - start)
print(sorted(times)[1])

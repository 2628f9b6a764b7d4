"""The service as a process: faults, limits, logs and ends, seen from outside."""

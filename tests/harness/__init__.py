"""Starts what the tests need, beside the tests: the built binaries, a Runtime API for the Lambda, an SSM that can fail.

Everything listens on 127.0.0.1 on a free port, and ends with the test that started it.
"""

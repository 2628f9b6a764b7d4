"""The one contract suite: what every front door of the API must answer.

pytest tests/contract                                       the built binaries, container and Lambda
pytest tests/contract --base-url URL --api-key KEY          a container, wherever it runs
pytest tests/contract --base-url URL --header name=value --front-door gateway
"""

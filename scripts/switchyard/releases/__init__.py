"""Releases: of API definitions, stage by stage, and of function versions. What `scripts/release.py` is made of.

An API's definition is released as what API Gateway says that a stage serves: its export, kept as
`releases/<api>/<version>.yaml` with a manifest beside it (`archive`, `export`, `manifest`).
`terraform/releases.json` says which release each stage serves (`ledger`), and Terraform reads it. `release`,
`rollback`, `restore` and `status` are the four commands; each can be killed anywhere and run again.
"""

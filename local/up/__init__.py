"""`make local`: build, start the local control plane, apply the Terraform root into it, serve what was deployed.

`steps` is the order of things; every other module is one noun of it. Nothing here knows what the root deploys.
"""

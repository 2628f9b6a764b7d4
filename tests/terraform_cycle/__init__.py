"""The root applied for real, with the real provider, against the local control plane."""

//! A client of AWS's wire protocols, for the local control plane.

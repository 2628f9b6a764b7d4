//! Web ACLs of WAFv2, evaluated.

//! REST API Gateway on a laptop, driven by deployments.

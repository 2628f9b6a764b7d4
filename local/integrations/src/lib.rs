//! API Gateway's integrations: parameter mapping, templates, AWS services, HTTP, mocks.

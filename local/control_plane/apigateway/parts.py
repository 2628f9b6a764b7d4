"""What the methods of an API refer to: models, request validators, authorizers; and its gateway responses."""

from __future__ import annotations

from moto.apigateway.exceptions import ConflictException
from moto.core.common_types import TYPE_RESPONSE

from .model import find, new_id
from .patch import patch
from .request import Request, answer, delete, items


class Parts(Request):
    def create_model(self) -> TYPE_RESPONSE:
        given, api = self.given, self.api
        if given["name"] in api.models:
            raise ConflictException(f"Model name already exists for this REST API: {given['name']}")
        return answer(api.put_model(**{"schema": "{}", **given}), 201)

    def get_model(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return answer(find(self.api.models, self.path_value("model_name"), "Model"))

    def get_models(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return items(self.api.models.values())

    def update_model(self) -> TYPE_RESPONSE:
        model = find(self.api.models, self.path_value("model_name"), "Model")
        patch(model, self.operations, "Model")
        return answer(model)

    def delete_model(self) -> TYPE_RESPONSE:
        return delete(self.api.models, self.path_value("model_name"), "Model")

    def create_request_validator(self) -> TYPE_RESPONSE:
        validator = {"id": new_id(6), "validateRequestBody": False, "validateRequestParameters": False, **self.given}
        self.api.request_validators[validator["id"]] = validator
        return answer(validator, 201)

    def get_request_validator(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return answer(find(self.api.request_validators, self.path_value("requestvalidator_id"), "Request Validator"))

    def get_request_validators(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return items(self.api.request_validators.values())

    def update_request_validator(self) -> TYPE_RESPONSE:  # type: ignore[override]
        validator = find(self.api.request_validators, self.path_value("requestvalidator_id"), "Request Validator")
        patch(validator, self.operations, "RequestValidator")
        return answer(validator)

    def delete_request_validator(self) -> TYPE_RESPONSE:
        return delete(self.api.request_validators, self.path_value("requestvalidator_id"), "Request Validator")

    def create_authorizer(self) -> TYPE_RESPONSE:
        authorizer = {"id": new_id(6), "authorizerResultTtlInSeconds": 300, **self.given}
        self.api.authorizers[authorizer["id"]] = authorizer
        return answer(authorizer, 201)

    def get_authorizer(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return answer(find(self.api.authorizers, self.path_value("authorizer_id"), "Authorizer"))

    def get_authorizers(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return items(self.api.authorizers.values())

    def update_authorizer(self) -> TYPE_RESPONSE:  # type: ignore[override]
        authorizer = find(self.api.authorizers, self.path_value("authorizer_id"), "Authorizer")
        patch(authorizer, self.operations, "Authorizer")
        return answer(authorizer)

    def delete_authorizer(self) -> TYPE_RESPONSE:
        return delete(self.api.authorizers, self.path_value("authorizer_id"), "Authorizer")

    def put_gateway_response(self) -> TYPE_RESPONSE:
        response = {
            "responseParameters": {},
            "responseTemplates": {},
            **self.given,
            "responseType": self.path_value("response_type"),
            "defaultResponse": False,
        }
        self.api.gateway_responses[response["responseType"]] = response
        return answer(response, 201)

    def get_gateway_response(self) -> TYPE_RESPONSE:
        return answer(find(self.api.gateway_responses, self.path_value("response_type"), "Gateway Response"))

    def get_gateway_responses(self) -> TYPE_RESPONSE:
        return items(self.api.gateway_responses.values())

    def update_gateway_response(self) -> TYPE_RESPONSE:
        response = find(self.api.gateway_responses, self.path_value("response_type"), "Gateway Response")
        patch(response, self.operations, "GatewayResponse")
        return answer(response)

    def delete_gateway_response(self) -> TYPE_RESPONSE:
        return delete(self.api.gateway_responses, self.path_value("response_type"), "Gateway Response")

"""`/openapi.json`: the HTTP interface in OpenAPI 3.1, made from the operations, their parameters and the types of their answers."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from connectors.delivery.http.operations import OPERATIONS, Operation
from connectors.delivery.http.parameters import Offer, Parameter
from connectors.delivery.http.problems import CONTENT_TYPE, Problem
from connectors.delivery.http.schemas import RECORDS, Schema, components
from connectors.delivery.udf.answers import UdfError

REF = "#/components/schemas/{name}"
ABOUT = "Bars and technical indicators as they are computed. Times are epoch milliseconds (UTC); an error is a problem document (RFC 9457)."
_PROBLEM = "Problem"
_UDF_ERROR = "UdfError"
_UNREADY = "ReadyAnswer"
_TEXT = {"type": "string"}
_HEADERS = {
    "ETag": {"description": "Of this content; `If-None-Match` with it is answered by 304.", "schema": _TEXT},
    "Cache-Control": {"description": "`immutable` once no tick can change the answer.", "schema": _TEXT},
}
_BUSY = {429: "Too many requests wait for the store.", 503: "The store cannot be read."}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}


def openapi_document(version: str, offer: Offer, *, with_keys: bool) -> Schema:
    """The document of an instance that serves `offer`; `with_keys` when it asks for keys."""
    bodies = [body for operation in OPERATIONS for types in operation.answers.values() for body in types]
    schemas, named = components([*bodies, Problem, UdfError], REF)
    by_body = iter(schemas)
    paths: dict[str, Schema] = {}
    for operation in OPERATIONS:
        answers = {kind: [next(by_body) for _ in types] for kind, types in operation.answers.items()}
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, answers, offer, with_keys=with_keys)
    return {
        "openapi": "3.1.1",
        "info": {"title": "Tickloom delivery", "version": version, "description": ABOUT, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {"schemas": named, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    }


def _operation(operation: Operation, answers: dict[str, list[Schema]], offer: Offer, *, with_keys: bool) -> Schema:
    described: Schema = {
        "operationId": operation.name,
        "summary": operation.about,
        "tags": [operation.path.split("/")[1] if operation.path.startswith(("/v1/", "/udf/")) else "process"],
        "responses": {str(status): response for status, response in _responses(operation, answers, with_keys=with_keys)},
        "security": [{"key": []}] if with_keys and not operation.is_open else [],
    }
    parameters = [*_path_parameters(operation), *(_parameter(each, offer) for each in operation.parameters)]
    if parameters:
        described["parameters"] = parameters
    if operation.form:
        described["requestBody"] = {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": _form(operation, with_keys=with_keys)}},
        }
    return described


def _parameter(parameter: Parameter, offer: Offer) -> Schema:
    described: Schema = {
        "name": parameter.name,
        "in": "query",
        "description": parameter.about,
        "required": parameter.required,
        "schema": parameter.schema(offer),
    }
    return described | {"style": "form", "explode": False} if parameter.listed else described


def _path_parameters(operation: Operation) -> list[Schema]:
    if "{name}" not in operation.path:
        return []
    return [{"name": "name", "in": "path", "required": True, "schema": {"type": "string", "enum": [*RECORDS]}}]


def _form(operation: Operation, *, with_keys: bool) -> Schema:
    fields = {name: {"type": "string", "description": about} for name, about in operation.form.items()}
    return {"type": "object", "properties": fields, "required": [*fields] if with_keys else []}


def _responses(operation: Operation, answers: dict[str, list[Schema]], *, with_keys: bool) -> Iterator[tuple[int, Schema]]:
    yield operation.success, _success(operation, answers)
    if operation.has_etag:
        yield 304, {"description": "What the client has is still right.", "headers": _HEADERS}
    if operation.may_be_unready:
        yield 503, {"description": "They may not be sent here.", "content": _json(REF.format(name=_UNREADY))}
    if operation.method == "post":
        yield 303, {"description": "As 204, where a browser has sent the form itself: back to the page."}
    yield from ((status, _refusal(operation, status, about)) for status, about in _refusals(operation, with_keys=with_keys).items())


def _success(operation: Operation, answers: dict[str, list[Schema]]) -> Schema:
    content = {kind: {"schema": _one_of(schemas)} for kind, schemas in answers.items()}
    described: Schema = {"description": HTTPStatus(operation.success).phrase}
    if content:
        described["content"] = content
    if operation.has_etag:
        described["headers"] = _HEADERS
    return described


def _refusals(operation: Operation, *, with_keys: bool) -> dict[int, str]:
    is_strict = not operation.in_udf and (operation.has_etag or operation.path.startswith("/v1/"))
    wrong = {400: "A parameter is missing, unknown or wrong; `parameter` names it."} if operation.parameters or is_strict else {}
    no_key = {401: "A key that may read is needed."} if with_keys and not operation.is_open else {}
    foreign = {403: "The host or the origin is not ours."}
    return wrong | no_key | foreign | (_BUSY if operation.reads_store else {}) | dict(operation.problems)


def _refusal(operation: Operation, status: int, about: str) -> Schema:
    in_udf = operation.in_udf and status == HTTPStatus.BAD_REQUEST
    content = _json(REF.format(name=_UDF_ERROR)) if in_udf else {CONTENT_TYPE: {"schema": {"$ref": REF.format(name=_PROBLEM)}}}
    described: Schema = {"description": about, "content": content}
    return described | {"headers": _RETRY_AFTER} if status in _BUSY else described


def _json(ref: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": ref}}}


def _one_of(schemas: list[Schema]) -> Schema:
    if not schemas:
        return _TEXT
    return schemas[0] if len(schemas) == 1 else {"oneOf": schemas}

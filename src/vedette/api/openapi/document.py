"""OpenAPI 3.1 documents of the resource APIs: the operations table, said in another way."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

import vedette
from vedette.api.openapi.bodies import BodySchemas
from vedette.api.openapi.errors import ERRORS, error_responses
from vedette.api.openapi.schemas import PRIMITIVES, AnswerSchemas, Schema
from vedette.contracts.answers import NO_CONTENT, AnswerContract, load_answer_types, load_answers
from vedette.contracts.operations import OperationContract, OperationsDocument, load_operations
from vedette.contracts.permissions import load_resources
from vedette.errors import ContractError

OPENAPI = "3.1.0"
APPLICATION, DELEGATED = "application", "delegated"
LOGIN = "https://login.microsoftonline.com"

_PARAMETER = re.compile(r"\{(\w+)\}")
_OPTIONS: Mapping[str, Schema] = {
    "filter": {"type": "string"},
    "orderby": {"type": "string"},
    "select": {"type": "string"},
    "expand": {"type": "string"},
    "search": {"type": "string"},
    "skiptoken": {"type": "string"},
    "top": {"type": "integer", "minimum": 0},
    "skip": {"type": "integer", "minimum": 0},
    "count": {"type": "boolean"},
}


class ApiFamily(msgspec.Struct, frozen=True):
    """One document: which operations of a surface it describes, by where these are documented."""

    name: str
    title: str
    surface: str
    host: str
    sources: str = ""
    """Pattern of the sources of its operations."""

    def operations(self) -> Sequence[OperationContract]:
        """Its operations, as the table has them."""
        found = load_operations()[self.surface].operations
        return [each for each in found if re.search(self.sources, each.source)]


FAMILIES: Mapping[str, ApiFamily] = {
    family.name: family
    for family in (
        ApiFamily(
            "defender-xdr",
            "Microsoft Defender XDR API",
            "defender",
            "https://api.security.microsoft.com",
            r"^MicrosoftDocs/defender-docs defender-xdr/",
        ),
        ApiFamily(
            "defender-endpoint",
            "Microsoft Defender for Endpoint API",
            "defender",
            "https://api.securitycenter.microsoft.com",
            r"^(?!MicrosoftDocs/defender-docs defender-xdr/)",
        ),
        ApiFamily(
            "graph", "Microsoft Graph: security, and the identities behind it", "graph", "https://graph.microsoft.com"
        ),
    )
}


def openapi_document(family: ApiFamily, base_url: str = "", login_url: str = LOGIN) -> Schema:
    """The document of a family, for a server at `base_url` (else the real service's)."""
    table, answers, operations = load_operations()[family.surface], load_answers(family.surface), family.operations()
    described = [answers[operation.handler] for operation in operations]
    schemas = AnswerSchemas(
        load_answer_types(),
        partial=frozenset(answer.element for answer in described if "select" in answer.options),
        expand={answer.element: answer.expand for answer in described if answer.expand},
    )
    bodies = BodySchemas(family.surface, [operation.handler for operation in operations])
    paths: dict[str, Schema] = {}
    for operation, answer in zip(operations, described, strict=True):
        template = next(table.templates(operation))
        entry = _operation(table, operation, answer, schemas, bodies)
        if paths.setdefault(template, {}).setdefault(operation.method.lower(), entry) is not entry:
            raise ContractError(f"{family.name}: {operation.method} {template} is described twice")
    servers = [base_url or family.host, *(f"https://{host}" for host in table.hosts)]
    return {
        "openapi": OPENAPI,
        "info": {"title": family.title, "version": vedette.__version__},
        "servers": [{"url": url} for url in dict.fromkeys(servers)],
        "paths": paths,
        "components": {
            "schemas": {
                **dict(sorted(schemas.components.items())),
                **bodies.components,
                "Error": ERRORS[family.surface],
            },
            "responses": error_responses(),
            "securitySchemes": _security_schemes(table, login_url),
        },
    }


def _operation(
    table: OperationsDocument,
    operation: OperationContract,
    answer: AnswerContract,
    schemas: AnswerSchemas,
    bodies: BodySchemas,
) -> Schema:
    template, *others = table.templates(operation)
    body = bodies.of(operation.handler)
    return {
        "operationId": f"{table.surface}.{operation.handler}",
        "tags": [_tag(operation.path)],
        "parameters": [*_path_parameters(template), *_query_parameters(answer)],
        **({"requestBody": body} if body else {}),
        "responses": _responses(operation, answer, schemas),
        "security": list(_security(operation)),
        "x-status": operation.status,
        "x-source": operation.source,
        "x-quota": operation.quota,
        **({"x-note": operation.note} if operation.note else {}),
        **({"x-also-at": others} if others else {}),
    }


def _tag(path: str) -> str:
    words = [part for part in path.split("/") if part and not part.startswith(("{", "$"))]
    return (words[1] if words[:1] == ["security"] and len(words) > 1 else words[0] if words else "batch").partition(
        "("
    )[0]


def _path_parameters(template: str) -> Iterator[Schema]:
    for name in _PARAMETER.findall(template):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _query_parameters(answer: AnswerContract) -> Iterator[Schema]:
    for option in answer.options:
        yield {"name": f"${option}", "in": "query", "schema": dict(_OPTIONS[option])}
    for name, type_name in answer.parameters.items():
        required = {"required": True} if type_name.endswith("!") else {}
        yield {"name": name, "in": "query", **required, "schema": dict(PRIMITIVES[type_name.rstrip("!")])}


def _responses(operation: OperationContract, answer: AnswerContract, schemas: AnswerSchemas) -> Schema:
    responses: Schema = {}
    if operation.status != "planned":
        for status in answer.statuses:
            responses[str(status)] = {"description": "Done.", **_content(status, answer, schemas)}
    return responses | {status: {"$ref": f"#/components/responses/{status}"} for status in error_responses()}


def _content(status: int, answer: AnswerContract, schemas: AnswerSchemas) -> Schema:
    if status == NO_CONTENT or answer.is_empty:
        return {}
    return {"content": {answer.media: {"schema": _answer(answer, schemas)}}}


def _answer(answer: AnswerContract, schemas: AnswerSchemas) -> Schema:
    if not answer.type:
        return {}
    if answer.media != "application/json":
        return schemas.of(answer.type)
    if answer.type in PRIMITIVES:
        return _enveloped(schemas.of(answer.type))
    if not answer.is_collection:
        return schemas.of(answer.type)
    links: Schema = {}
    if "skiptoken" in answer.options:
        links["@odata.nextLink"] = {"type": "string"}
    if "count" in answer.options:
        links["@odata.count"] = {"type": "integer"}
    return _enveloped(schemas.of(answer.type), links)


def _enveloped(value: Schema, more: Mapping[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": {"@odata.context": {"type": "string"}, "value": value, **(more or {})},
        "required": ["value"],
        "additionalProperties": False,
    }


def _security(operation: OperationContract) -> Iterator[Schema]:
    """Alternatives, of which any one is enough; what one of them lists is needed together."""
    if operation.authentication == "token":
        yield from ({APPLICATION: []}, {DELEGATED: []})
    for scheme, wanted in ((APPLICATION, operation.application), (DELEGATED, operation.delegated)):
        for permission, besides in itertools.product(wanted, operation.besides or ("",)):
            yield {scheme: [permission, besides] if besides else [permission]}


def _security_schemes(table: OperationsDocument, login_url: str) -> Schema:
    resources = [load_resources()[key] for key in table.audiences]
    roles = {role.value: role.display for resource in resources for role in resource.app_roles}
    scopes = {scope.value: scope.display for resource in resources for scope in resource.scopes}
    place = f"{login_url}/organizations/oauth2/v2.0"
    token = {"tokenUrl": f"{place}/token"}
    return {
        APPLICATION: {"type": "oauth2", "flows": {"clientCredentials": {**token, "scopes": roles}}},
        DELEGATED: {
            "type": "oauth2",
            "flows": {"authorizationCode": {"authorizationUrl": f"{place}/authorize", **token, "scopes": scopes}},
        },
    }

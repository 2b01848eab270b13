"""schemathesis over the OpenAPI documents: no server error, no answer off its schema, no secret in an answer.

The cases are the same in every run. VEDETTE_FUZZ says how many are made of an operation (`make fuzz`: 100).
"""

import base64
import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

import pytest
import schemathesis
from anyio.from_thread import BlockingPortal, start_blocking_portal
from schemathesis import GenerationMode
from sqlalchemy import select

from tests.contract.fuzzing import Fuzzer, operations
from tests.contract.seeded_tenant import SeededTenant, make_seeded_tenant
from vedette.api.openapi.document import FAMILIES, ApiFamily, openapi_document
from vedette.contracts.answers import load_answers
from vedette.contracts.operations import load_operations
from vedette.store.metadata import METADATA

EXAMPLES = int(os.environ.get("VEDETTE_FUZZ", "3"))
MARKERS = (b"PRIVATE KEY", b"$argon2", b'"secret_hash"', b'"sealed')
"""What shows that a key or a hash got out, whichever it is."""
_SECRET = re.compile(r"secret_hash|password_hash|sealed_.*|client_state|token_hash|code_hash|browser_hash")


@pytest.fixture(scope="module")
def tenant() -> Iterator[SeededTenant]:
    """To be changed at random."""
    tenant = make_seeded_tenant("changed")
    yield tenant
    tenant.close()


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as running:
        yield running


def kept_secrets(tenant: SeededTenant) -> Iterator[bytes]:
    """Everything in the store that is a hash of a secret or a sealed one, in each way it could be written."""
    columns = [
        column for table in METADATA.tables.values() for column in table.columns if _SECRET.fullmatch(column.name)
    ]
    with tenant.world.store.connect() as connection:
        for column in columns:
            for value in connection.scalars(select(column).where(column.is_not(None))):
                if isinstance(value, str):
                    yield value.encode()
                else:
                    yield from (value.hex().encode(), base64.b64encode(value), base64.urlsafe_b64encode(value))


def objects(tenant: SeededTenant, operation_id: str) -> Mapping[str, str]:
    """The path parameters of an operation, of objects that exist."""
    surface, _, handler = operation_id.partition(".")
    table = load_operations()[surface]
    [operation] = [each for each in table.operations if each.handler == handler]
    template = re.escape(next(table.templates(operation)))
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", template)
    match = re.fullmatch(pattern, tenant.path_of(surface, operation))
    assert match is not None
    return {name: unquote(value) for name, value in match.groupdict().items()}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_answers_hold_whatever_is_asked(tenant: SeededTenant, portal: BlockingPortal, family: ApiFamily) -> None:
    kept = [secret for secret in kept_secrets(tenant) if len(secret) > 16]
    assert len(kept) > 5
    fuzzer = Fuzzer(
        tenant.client(family.surface),
        portal,
        lambda operation_id: objects(tenant, operation_id),
        lambda: [*tenant.secrets, *kept, *MARKERS],
        {f"{family.surface}.{name}": answer for name, answer in load_answers(family.surface).items()},
        tenant.names(),
    )
    for operation in operations(openapi_document(family)):
        fuzzer.run(operation, EXAMPLES, GenerationMode.POSITIVE)
        if operation.body or operation.query:  # else there is nothing to get wrong but the address
            fuzzer.run(operation, EXAMPLES, GenerationMode.NEGATIVE)


def test_a_secret_in_an_answer_is_seen(tenant: SeededTenant, portal: BlockingPortal) -> None:
    [operation] = [each for each in operations(openapi_document(FAMILIES["graph"])) if each.path == "/v1.0/users"][:1]
    answers = {f"graph.{name}": answer for name, answer in load_answers("graph").items()}
    fuzzer = Fuzzer(tenant.client("graph"), portal, lambda _: {}, lambda: [b"error", b"ada@contoso"], answers, {})
    with pytest.raises((AssertionError, BaseExceptionGroup)):
        fuzzer.run(operation, 10, GenerationMode.POSITIVE)


def test_an_answer_off_its_schema_is_seen(seeded: SeededTenant, portal: BlockingPortal) -> None:
    document = openapi_document(FAMILIES["graph"])
    document["components"]["schemas"]["microsoft.graph.group"]["properties"]["displayName"] = {"type": "integer"}
    [operation] = [each for each in operations(document) if each.path == "/v1.0/groups/{id}" and each.method == "get"]
    answers = {f"graph.{name}": answer for name, answer in load_answers("graph").items()}
    known = objects(seeded, "graph.get_group")
    fuzzer = Fuzzer(seeded.client("graph"), portal, lambda _: known, list, answers, {})
    with pytest.raises((schemathesis.errors.SchemathesisError, BaseExceptionGroup)):
        fuzzer.run(operation, 40, GenerationMode.POSITIVE)

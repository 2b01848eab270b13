"""The coverage page: what is built of what is documented, from the contract data alone."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from vedette.contracts.functions import FunctionContract
from vedette.contracts.hunting_answers import HuntingAnswers
from vedette.contracts.operations import OperationContract, OperationsDocument
from vedette.contracts.tables import TableContract
from vedette.contracts.user_rights import load_user_limits, load_user_rights, roles_with

HEADER = """# Coverage

This page is generated from the contract data (`src/vedette/contracts/data`, `src/vedette/kql/functions/signatures`);
a test compares it. *implemented*: works as documented. *partial*: works, the note says what is missing. *planned*:
known, answered 501 with the surface's own error body.
"""


def render_coverage(
    operations: Mapping[str, OperationsDocument],
    tables: Mapping[str, TableContract],
    functions: Sequence[FunctionContract],
    answers: HuntingAnswers,
    unsupported: Mapping[str, str],
) -> str:
    """The page. `unsupported`: functions that the engine refuses by name, with the reason."""
    parts = itertools.chain(
        [HEADER],
        _summary(operations.values()),
        itertools.chain.from_iterable(_surface(document) for document in operations.values()),
        _user_rights(),
        _answers(answers),
        _functions(functions, unsupported),
        _tables(tables.values()),
    )
    return "\n".join(parts).rstrip() + "\n"


def _summary(documents: Iterable[OperationsDocument]) -> Iterator[str]:
    yield "## Operations\n"
    yield "| surface | implemented | partial | planned |"
    yield "|---|---|---|---|"
    for document in documents:
        count = Counter(operation.status for operation in document.operations)
        yield f"| {document.surface} | {count['implemented']} | {count['partial']} | {count['planned']} |"
    yield ""


def _surface(document: OperationsDocument) -> Iterator[str]:
    yield f"### {document.surface}\n"
    if document.hosts:
        yield f"Hosts: {', '.join(f'`{host}`' for host in document.hosts)}.\n"
    yield "| operation | application permissions | delegated permissions | status | note | source |"
    yield "|---|---|---|---|---|---|"
    for operation in document.operations:
        yield _operation(document, operation)
    yield ""


def _operation(document: OperationsDocument, operation: OperationContract) -> str:
    templates = list(document.templates(operation))
    cells = (
        f"{operation.method} `{templates[0]}`" + "".join(f"<br>`{template}`" for template in templates[1:]),
        ", ".join(operation.application) or "–",
        ", ".join(operation.delegated) or "–",
        operation.status,
        operation.note,
        operation.source,
    )
    return f"| {' | '.join(cells)} |"


def _user_rights() -> Iterator[str]:
    yield "## What people's roles allow\n"
    yield "Who acts for a person needs, besides the delegated permission, a role of theirs with the right.\n"
    yield "| right | delegated permissions | directory roles |"
    yield "|---|---|---|"
    for right in load_user_rights().values():
        roles = "everybody" if right.everyone else ", ".join(sorted(roles_with(right).values()))
        yield f"| {right.name} | {', '.join((*right.graph, *right.defender))} | {roles} |"
    yield ""
    yield from (f"- {limit.name} ({limit.status}): {limit.note}" for limit in load_user_limits())
    yield ""


def _answers(answers: HuntingAnswers) -> Iterator[str]:
    yield "## Hunting answers\n"
    yield "| KQL type | Defender | Graph | known by | note |"
    yield "|---|---|---|---|---|"
    for name, fact in answers.type_names.items():
        yield f"| {name} | {fact.defender} | {fact.graph} | {fact.evidence} | {fact.note} |"
    for name, other in (("values of dynamic", answers.dynamic_values), ("statistics", answers.statistics)):
        yield f"| *{name}* | {other.defender} | {other.graph} | {other.evidence} | {other.note} |"
    yield ""


def _functions(functions: Sequence[FunctionContract], unsupported: Mapping[str, str]) -> Iterator[str]:
    yield "## Functions and operators of the query language\n"
    for group, members in itertools.groupby(functions, key=lambda function: function.group):
        names = [_function(function, unsupported) for function in members]
        yield f"**{group}** ({len(names)}): {', '.join(names)}\n"
    refused = dict(sorted(unsupported.items()))
    if refused:
        yield "Refused by name:\n"
        yield from (f"- `{name}`: {reason}" for name, reason in refused.items())
        yield ""


def _function(function: FunctionContract, unsupported: Mapping[str, str]) -> str:
    status = "refused" if function.name in unsupported else function.status
    return f"`{function.name}`" if status == "implemented" else f"`{function.name}` ({status})"


def _tables(tables: Iterable[TableContract]) -> Iterator[str]:
    yield "## Hunting tables\n"
    yield "| table | columns | product | availability |"
    yield "|---|---|---|---|"
    for table in sorted(tables, key=lambda table: table.name):
        yield f"| {table.name} | {len(table.columns)} | {table.product} | {table.availability} |"

"""Rule files against what they run in: a file's rule runs in every tenant, so its query has to bind in every one.

Tenants may store functions of their own, so a rule can bind in one and not in another.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from vedette.context import Tenant
from vedette.detections.custom_rules import CustomRules
from vedette.detections.errors import RuleError
from vedette.detections.rules import Rule, load_rule
from vedette.hunting.catalog import ContractCatalog
from vedette.kql.binder.bind import analyze
from vedette.kql.catalog import Catalog
from vedette.kql.errors import KqlError
from vedette.kql.parser import parse
from vedette.server.wiring import Services


class CheckedRule(msgspec.Struct, frozen=True):
    """A rule of a file. By tenant's domain: why it cannot run there, and the tenant's own rule that is the same."""

    rule: Rule
    faults: Mapping[str, str]
    twins: Mapping[str, str]


def check_everywhere(services: Services, path: Path) -> CheckedRule:
    """A user's rule in every tenant. Raises RuleError for one that can run in none of them."""
    rule, tenants = load_rule(path), services.tenants()
    if not tenants:
        check_rule(path, ContractCatalog())
    errors = {tenant.domain: _fault(path, services.catalog(tenant.tenant_id)) for tenant in tenants}
    faults = {domain: error for domain, error in errors.items() if error is not None}
    if faults and len(faults) == len(tenants):
        raise next(iter(faults.values()))
    reasons = {domain: str(error) for domain, error in faults.items()}
    return CheckedRule(rule, reasons, dict(_twins(services, rule, tenants)))


def check_rule(path: Path, catalog: Catalog) -> Rule:
    """A user's rule, its query bound to what it can name. Raises RuleError."""
    rule = load_rule(path)
    try:
        bound, diagnostics = analyze(parse(rule.query), rule.query, catalog)
    except KqlError as error:
        raise RuleError(str(path), "query", str(error)) from error
    for diagnostic in diagnostics:
        if diagnostic.severity == "error":
            place = f"line {diagnostic.line}, column {diagnostic.column}"
            raise RuleError(str(path), "query", f"{diagnostic.message} ({place})")
    missing = rule.columns - {column.name for column in bound.relation.columns}
    if missing and not bound.open:
        raise RuleError(str(path), "entities", f"the query does not return {', '.join(sorted(missing))}")
    return rule


def _fault(path: Path, catalog: Catalog) -> RuleError | None:
    try:
        check_rule(path, catalog)
    except RuleError as error:
        return error
    return None


def _twins(services: Services, rule: Rule, tenants: Sequence[Tenant]) -> Iterator[tuple[str, str]]:
    """Tenants' own rules that are the same again: of the same title, or asking the same."""
    for tenant in tenants:
        with services.store.connect() as connection:
            own = CustomRules(connection, tenant.tenant_id).all()
        for each in own:
            query = each.definition.query_condition.query_text
            if each.display_name.casefold() == rule.title.casefold() or query.split() == rule.query.split():
                yield tenant.domain, each.display_name
                break

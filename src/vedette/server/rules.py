"""What the `vedette rules` commands do: list, run, check and apply detection rules."""

import datetime
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from vedette.clock import TICKS_PER_SECOND, now_ticks
from vedette.detections.durations import parse_duration
from vedette.detections.errors import RuleError
from vedette.detections.evaluate import RuleRuns, RunOutcome, Window
from vedette.detections.rules import Rule, load_rule
from vedette.errors import UsageError
from vedette.hunting.catalog import ContractCatalog
from vedette.kql.binder.bind import analyze
from vedette.kql.catalog import Catalog
from vedette.kql.errors import KqlError
from vedette.kql.parser import parse
from vedette.server.data_folder import existing_data_folder
from vedette.server.wiring import Services
from vedette.settings import load_settings

COLUMNS = ("rule", "severity", "every", "enabled", "last run", "hits", "alerts", "outcome")


def rule_table(data: Path) -> tuple[Sequence[str], list[Sequence[object]]]:
    """Every rule and how its last run in the home tenant went."""
    services = Services(load_settings({"data": data}, os.environ), existing_data_folder(data))
    try:
        tenant, rules = services.tenant(None), services.rules.all()
        if tenant is None:
            runs = {}
        else:
            with services.store.connect() as connection:
                runs = RuleRuns(connection, tenant.tenant_id).all()
    finally:
        services.close()
    rows: list[Sequence[object]] = []
    for rule in rules.values():
        run = runs.get(rule.id)
        row: list[object] = [rule.id, rule.severity, rule.schedule.frequency, "yes" if rule.enabled else "no"]
        if run is not None:
            row += [_moment(run.last_run_at), run.last_hits, run.alerts, run.last_error or run.last_status]
        rows.append(row + [None] * (len(COLUMNS) - len(row)))
    return COLUMNS, rows


def run_rules(data: Path, rule_ids: Sequence[str], tenant_name: str | None, since: str) -> list[RunOutcome]:
    """Run rules over the last `since` in one tenant."""
    try:
        seconds = parse_duration(since)
    except ValueError as error:
        raise UsageError(f"--since: {error}.") from error
    services = Services(load_settings({"data": data}, os.environ), existing_data_folder(data))
    try:
        tenant = services.tenant(tenant_name)
        if tenant is None:
            raise UsageError(f"There is no tenant {tenant_name}." if tenant_name else "There is no tenant yet.")
        known = services.rules.all()
        rules = [_known(known, rule_id) for rule_id in rule_ids] or [rule for rule in known.values() if rule.enabled]
        now = now_ticks(services.clock)
        window = Window(max(0, now - seconds * TICKS_PER_SECOND), now + 1)
        return [services.evaluator.evaluate(tenant, rule, window) for rule in rules]
    finally:
        services.close()


def apply_rules(data: Path, paths: Sequence[Path]) -> list[Rule]:
    """Take rules in, all or none: a running server follows within half a minute. Raises RuleError."""
    services = Services(load_settings({"data": data}, os.environ), existing_data_folder(data))
    try:
        catalog = _home_catalog(services)
        for path in paths:
            check_rule(path, catalog)
        rules = services.rules.put(paths)
        for tenant in services.tenants():
            with services.store.begin() as connection:
                runs = RuleRuns(connection, tenant.tenant_id)
                for rule in rules:
                    runs.set_enabled(rule.id, enabled=rule.enabled)
        return rules
    finally:
        services.close()


def check_rules(data: Path | None, paths: Sequence[Path]) -> Mapping[Path, RuleError | None]:
    """What is wrong with each rule; with a server's data folder they may call the functions of its home tenant."""
    catalog: Catalog = ContractCatalog()
    if data is not None:
        services = Services(load_settings({"data": data}, os.environ), existing_data_folder(data))
        try:
            catalog = _home_catalog(services)
        finally:
            services.close()
    found: dict[Path, RuleError | None] = {}
    for path in paths:
        try:
            check_rule(path, catalog)
            found[path] = None
        except RuleError as error:
            found[path] = error
    return found


def _home_catalog(services: Services) -> Catalog:
    """What queries of the home tenant can name."""
    tenant = services.tenant(None)
    return services.catalog(tenant.tenant_id) if tenant is not None else ContractCatalog()


def check_rule(path: Path, catalog: Catalog) -> Rule:
    """A user's rule, its query bound to what it can name. Raises RuleError."""
    rule = load_rule(path)
    try:
        bound, diagnostics = analyze(parse(rule.query), rule.query, catalog)
    except KqlError as error:
        raise RuleError(str(path), "query", str(error)) from error
    for diagnostic in diagnostics:
        if diagnostic.severity == "error":
            raise RuleError(str(path), "query", str(diagnostic))
    missing = rule.columns - {column.name for column in bound.relation.columns}
    if missing and not bound.open:
        raise RuleError(str(path), "entities", f"the query does not return {', '.join(sorted(missing))}")
    return rule


def _known(rules: Mapping[str, Rule], rule_id: str) -> Rule:
    rule = rules.get(rule_id)
    if rule is None:
        raise UsageError(f"There is no rule {rule_id}; see: vedette rules list.")
    return rule


def _moment(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M:%SZ")

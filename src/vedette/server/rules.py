"""What the `vedette rules` commands do: list, run, check and apply detection rules."""

import contextlib
import datetime
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vedette.clock import TICKS_PER_SECOND, now_ticks
from vedette.context import Tenant
from vedette.detections.durations import parse_duration
from vedette.detections.errors import RuleError
from vedette.detections.evaluate import RuleRuns, RunOutcome, Window
from vedette.detections.rules import Rule
from vedette.errors import UsageError
from vedette.hunting.catalog import ContractCatalog
from vedette.server.data_folder import existing_data_folder
from vedette.server.rule_checks import CheckedRule, check_everywhere, check_rule
from vedette.server.wiring import Services
from vedette.settings import load_settings

COLUMNS = ("rule", "severity", "every", "enabled", "fails in", "last run", "hits", "alerts", "outcome")


@contextlib.contextmanager
def _services(data: Path) -> Iterator[Services]:
    services = Services(load_settings({"data": data}, os.environ), existing_data_folder(data))
    try:
        yield services
    finally:
        services.close()


def rule_table(data: Path, tenant_name: str | None = None) -> tuple[Sequence[str], list[Sequence[object]]]:
    """Every rule, in which tenants its last run failed, and how that went in one tenant."""
    with _services(data) as services:
        tenants, tenant = services.tenants(), _tenant(services, tenant_name) if tenant_name else services.tenant(None)
        rules, left_out = services.rules.all(), services.rules.left_out
        runs = {each.domain: _runs(services, each) for each in tenants}
    own = runs.get(tenant.domain, {}) if tenant is not None else {}
    rows: list[Sequence[object]] = [_row(rule, own.get(rule.id), _failing(rule, runs)) for rule in rules.values()]
    blank = [None] * (len(COLUMNS) - 2)
    return COLUMNS, [*rows, *([name, *blank, f"left out: {why}"] for name, why in left_out.items())]


def _runs(services: Services, tenant: Tenant) -> Mapping[str, Any]:
    with services.store.connect() as connection:
        return RuleRuns(connection, tenant.tenant_id).all()


def _row(rule: Rule, run: Any, failing: str | None) -> list[object]:
    row: list[object] = [rule.id, rule.severity, rule.schedule.frequency, "yes" if rule.enabled else "no", failing]
    if run is not None:
        row += [_moment(run.last_run_at), run.last_hits, run.alerts, run.last_error or run.last_status]
    return row + [None] * (len(COLUMNS) - len(row))


def _failing(rule: Rule, runs: Mapping[str, Mapping[str, Any]]) -> str | None:
    failed = (domain for domain, own in runs.items() if rule.id in own and own[rule.id].last_status == "failed")
    return ", ".join(failed) or None


def run_rules(data: Path, rule_ids: Sequence[str], tenant_name: str | None, since: str) -> list[RunOutcome]:
    """Run rules over the last `since` in one tenant."""
    try:
        seconds = parse_duration(since)
    except ValueError as error:
        raise UsageError(f"--since: {error}.") from error
    with _services(data) as services:
        tenant, known = _tenant(services, tenant_name), services.rules.all()
        rules = [_known(known, rule_id) for rule_id in rule_ids] or [rule for rule in known.values() if rule.enabled]
        now = now_ticks(services.clock)
        window = Window(max(0, now - seconds * TICKS_PER_SECOND), now + 1)
        return [services.evaluator.evaluate(tenant, rule, window) for rule in rules]


def apply_rules(data: Path, paths: Sequence[Path]) -> list[CheckedRule]:
    """Take rules in, all or none: a running server follows within half a minute.

    In a tenant in which its query does not bind a rule stands as failed. Raises RuleError for one that binds in none.
    """
    with _services(data) as services:
        checked = [check_everywhere(services, path) for path in paths]
        services.rules.put(paths)
        for tenant in services.tenants():
            with services.store.begin() as connection:
                runs = RuleRuns(connection, tenant.tenant_id)
                for each in checked:
                    if reason := each.faults.get(tenant.domain):
                        runs.record(RunOutcome(each.rule.id, error=reason), services.clock.time())
                    runs.set_enabled(each.rule.id, enabled=each.rule.enabled)
    return checked


def check_rules(data: Path | None, paths: Sequence[Path]) -> Mapping[Path, Sequence[str]]:
    """What is wrong with each rule; with a server's data folder, in each tenant: there it may call stored functions."""
    if data is None:
        return {path: _faults(path) for path in paths}
    with _services(data) as services:
        return {path: _faults_by_tenant(services, path) for path in paths}


def _faults(path: Path) -> Sequence[str]:
    try:
        check_rule(path, ContractCatalog())
    except RuleError as error:
        return [str(error)]
    return []


def _faults_by_tenant(services: Services, path: Path) -> Sequence[str]:
    try:
        checked = check_everywhere(services, path)
    except RuleError as error:
        return [str(error)]
    return [f"{domain}: {reason}" for domain, reason in checked.faults.items()]


def _tenant(services: Services, name: str | None) -> Tenant:
    tenant = services.tenant(name)
    if tenant is None:
        raise UsageError(f"There is no tenant {name}." if name else "There is no tenant yet.")
    return tenant


def _known(rules: Mapping[str, Rule], rule_id: str) -> Rule:
    rule = rules.get(rule_id)
    if rule is None:
        raise UsageError(f"There is no rule {rule_id}; see: vedette rules list.")
    return rule


def _moment(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M:%SZ")

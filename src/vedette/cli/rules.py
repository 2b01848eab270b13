"""Commands about detection rules."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vedette.cli.locate import data_path
from vedette.cli.output import DONE, FAILED, PARTIAL, USAGE, print_table, say
from vedette.cli.parameters import ServerFolder, Tenant
from vedette.errors import UsageError


def list_(*, tenant: Tenant = None, data: ServerFolder = None) -> int:
    """List the rules, in which tenants they fail, and how their last runs in one tenant went."""
    from vedette.server.rules import rule_table

    columns, rows = rule_table(data_path(data), tenant)
    print_table(columns, rows)
    return DONE


def run(
    *rules: str,
    tenant: Tenant = None,
    since: str = "P30D",
    data: ServerFolder = None,
) -> int:
    """Run rules now, over the events of a span of time, and print what they found. Repeating it makes no new alerts.

    Parameters
    ----------
    rules
        Ids of the rules (default: all that are enabled).
    since
        How far back, as an ISO 8601 duration.
    """
    from vedette.server.rules import run_rules

    outcomes = run_rules(data_path(data), rules, tenant, since)
    rows = [(outcome.rule_id, outcome.hits, len(outcome.alerts), outcome.error) for outcome in outcomes]
    print_table(("rule", "hits", "new alerts", "error"), rows)
    failed = sum(1 for outcome in outcomes if outcome.error)
    if not failed:
        return DONE
    return FAILED if failed == len(outcomes) else PARTIAL


def apply(*paths: Annotated[Path, Parameter(help="YAML files of rules.")], data: ServerFolder = None) -> int:
    """Add rules of one's own, or new versions of them, all or none. A running server takes them up by itself.

    They run in every tenant. Where a query does not bind the rule stands as failed, and the exit code is 3.
    """
    from vedette.detections.errors import RuleError
    from vedette.server.rules import apply_rules

    if not paths:
        raise UsageError("Name at least one file of a rule.")
    try:
        rules = apply_rules(data_path(data), paths)
    except RuleError as error:
        say(f"vedette: {error}")
        return USAGE
    for each in rules:
        rule = each.rule
        say(f"{rule.id}: {'every ' + rule.schedule.frequency if rule.enabled else 'not enabled'}")
        for domain, reason in each.faults.items():
            say(f"{rule.id}: does not run in {domain}: {reason}")
        for domain, name in each.twins.items():
            say(f"{rule.id}: {domain} has it as its own rule {name!r} too; both raise alerts")
    return PARTIAL if any(each.faults for each in rules) else DONE


def check(*paths: Annotated[Path, Parameter(help="YAML files of rules.")], data: Path | None = None) -> int:
    """Check rule files: their form, and that their queries bind to the hunting schema and return what they must.

    Parameters
    ----------
    data
        A server's data folder: rules may then call the functions that its tenants store, and are checked for each.
    """
    from vedette.server.rules import check_rules

    found = check_rules(data, paths)
    for path, faults in found.items():
        for line in faults or [f"{path}: ok"]:
            say(line)
    return FAILED if any(found.values()) else DONE

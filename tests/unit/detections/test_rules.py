"""The rule format: what is accepted, what is refused and with which words; and that the packaged rules are sound."""

from pathlib import Path

import pytest

from vedette.detections.durations import parse_duration
from vedette.detections.errors import RuleError
from vedette.detections.rules import Rule, load_rule, packaged_rules, parse_rule
from vedette.testing import analyze_kql

GOOD = """
id: a-rule
title: A rule
description: What it finds.
severity: low
category: Execution
techniques: [T1059.001]
query: DeviceProcessEvents
schedule: {frequency: PT1H, lookback: PT4H}
entities:
  - {type: device, impacted: true, columns: {device_id: DeviceId}}
  - {type: user, columns: {account_name: AccountName}}
"""


def test_a_good_rule_is_read() -> None:
    rule = parse_rule(GOOD, "a-rule.yaml")
    assert (rule.schedule.frequency_seconds, rule.schedule.lookback_seconds) == (3600, 14400)
    assert rule.columns == {"DeviceId", "AccountName"}
    assert rule.enabled


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("severity: low", "severity: severe", "severity", "Invalid enum value"),
        ("title:", "titel:", "", "unknown field `titel`"),
        ("id: a-rule", "id: A Rule", "id", "lower-case"),
        ("[T1059.001]", "[mimikatz]", "techniques", "ATT&CK"),
        ("frequency: PT1H", "frequency: hourly", "schedule.frequency", "PT1H or P7D"),
        ("lookback: PT4H", "lookback: PT1M", "schedule.lookback", "shorter"),
        ("device_id: DeviceId", "device_name: DeviceName", "entities[0]", "needs 'device_id'"),
        ("account_name: AccountName", "account_name: A, hair: Hair", "entities[1]", "no field 'hair'"),
        ("impacted: true, ", "", "entities", "impacted"),
        ("category: Execution", "category: [", "line", ""),
    ],
)
def test_a_bad_rule_is_refused_with_place_and_reason(old: str, new: str, place: str, words: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rule(GOOD.replace(old, new), "a-rule.yaml")
    assert caught.value.source == "a-rule.yaml"
    assert place in caught.value.place
    assert words in caught.value.reason


def test_yaml_cannot_run_anything() -> None:
    with pytest.raises(RuleError):
        parse_rule("!!python/object/apply:os.getcwd []", "x")


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="cannot be read"):
        load_rule(tmp_path / "none.yaml")


def test_durations() -> None:
    assert [parse_duration(text) for text in ("PT15M", "PT1H30M", "P7D", "P1DT1S")] == [900, 5400, 604_800, 86_401]
    for text in ("", "P", "PT", "PT0S", "P1M", "1H", "PT1H "):
        with pytest.raises(ValueError, match="not a duration"):
            parse_duration(text)


def test_there_are_packaged_rules_for_both_demo_attacks() -> None:
    assert 6 <= len(packaged_rules()) <= 20


@pytest.mark.parametrize("rule", packaged_rules().values(), ids=lambda rule: rule.id)
def test_packaged_rules_are_tested_both_ways_and_described(rule: Rule) -> None:
    assert rule.enabled
    assert rule.techniques
    assert len(rule.description) > 40
    assert any(test.expect for test in rule.tests)
    if rule.id != "security-log-cleared":  # there is no innocent event of that kind
        assert any(not test.expect for test in rule.tests)


@pytest.mark.parametrize("rule", packaged_rules().values(), ids=lambda rule: rule.id)
def test_packaged_rules_bind_and_return_the_columns_of_their_entities(rule: Rule) -> None:
    analysis = analyze_kql(rule.query)
    assert analysis.errors == []
    columns = {name for name, _ in analysis.columns}
    assert rule.columns <= columns
    assert {"Timestamp", "ReportId", "DeviceId"} <= columns


@pytest.mark.parametrize("text", ["id: 2025-02-30", f"id: {'9' * 6_000}", "[" * 3_000, "id: !!python/name:os.system"])
def test_what_yaml_cannot_say_is_refused(text: str) -> None:
    with pytest.raises(RuleError):
        parse_rule(text, "rule.yaml")

"""Secure scores: how well machines comply with their security settings, day by day, from ingested assessments.

A control is one setting. Its score is its impact times the share of applicable machines that comply, as of the end of
a day; there is a score for every day on which an assessment came.
"""

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import Row as StoredRow

from vedette.clock import TICKS_PER_SECOND
from vedette.context import Tenant
from vedette.machines.tables import SCORE_CONTROL_UPDATES
from vedette.machines.telemetry import Row, Telemetry, number_of, text_of, truth_of
from vedette.store.tenancy import TenantRepository

DAY = 86_400 * TICKS_PER_SECOND
MAX_DAYS = 90
"""How far back scores go (microsoft-graph-docs-contrib api-reference/v1.0/api/security-list-securescores.md)."""


class Control(msgspec.Struct, frozen=True):
    """A setting that counts. `impact` is the most it can bring. `last_modified` is its newest assessment."""

    control_id: str
    name: str | None
    description: str | None
    risk: str | None
    remediation: str | None
    category: str | None
    subcategory: str | None
    impact: float
    has_user_impact: bool
    last_modified: int


class ControlScore(msgspec.Struct, frozen=True):
    """What a control brings on a day."""

    control: Control
    score: float
    complying: int
    machines: int


class SecureScore(msgspec.Struct, frozen=True):
    """The score of a day. `day` is its start in ticks."""

    day: int
    controls: tuple[ControlScore, ...]
    machines: int

    @property
    def current(self) -> float:
        """What was reached."""
        return round(sum(each.score for each in self.controls), 2)

    @property
    def best(self) -> float:
        """What could be reached."""
        return round(sum(each.control.impact for each in self.controls), 2)


class SecureScores:
    """Answers about one tenant."""

    def __init__(self, telemetry: Telemetry, tenant: Tenant) -> None:
        self._telemetry = telemetry
        self._tenant = tenant

    def controls(self) -> list[Control]:
        """Every setting that machines were assessed for, by id."""
        rows = self._telemetry.rows(
            self._tenant,
            "let known = DeviceTvmSecureConfigurationAssessmentKB | summarize take_any(ConfigurationName,"
            " ConfigurationDescription, RiskDescription, RemediationOptions) by ConfigurationId;\n"
            "DeviceTvmSecureConfigurationAssessment | where isnotempty(ConfigurationId) and IsApplicable == true"
            " | summarize LastModified = max(Timestamp), Impact = max(ConfigurationImpact),"
            " UserImpact = countif(IsExpectedUserImpact == true),"
            " take_any(ConfigurationCategory, ConfigurationSubcategory) by ConfigurationId"
            " | join kind=leftouter known on ConfigurationId | sort by ConfigurationId asc",
        )
        return [_control(row) for row in rows]

    def days(self, now: int) -> list[SecureScore]:
        """The scores of the days on which assessments came, newest first."""
        rows = self._telemetry.rows(
            self._tenant,
            "DeviceTvmSecureConfigurationAssessment | where isnotempty(ConfigurationId) and isnotempty(DeviceId)"
            " | extend Day = startofday(Timestamp)"
            " | summarize arg_max(Timestamp, IsCompliant, IsApplicable) by DeviceId, ConfigurationId, Day"
            " | sort by Day asc",
        )
        controls = {each.control_id: each for each in self.controls()}
        scores = list(_by_day(rows, controls))
        return [each for each in reversed(scores) if each.day > now - MAX_DAYS * DAY]


class ControlUpdate(msgspec.Struct, frozen=True):
    """What somebody decided about a control. `state`: Default, Ignored, ThirdParty or Reviewed."""

    state: str
    assigned_to: str | None
    comment: str | None
    updated_by: str
    updated: int


class ControlUpdates(TenantRepository):
    """The decisions of one tenant."""

    def of_controls(self) -> dict[str, list[ControlUpdate]]:
        """By control, oldest first."""
        found: dict[str, list[ControlUpdate]] = {}
        table = SCORE_CONTROL_UPDATES
        for row in self.connection.execute(self.select(table).order_by(table.c.updated)):
            found.setdefault(row.control_id, []).append(_to_update(row))
        return found

    def add(self, control_id: str, update: ControlUpdate) -> None:
        """One more decision. Times of one control always differ."""
        table = SCORE_CONTROL_UPDATES
        last = [each.updated for each in self.of_controls().get(control_id, ())]
        updated = max([update.updated, *(moment + 1 for moment in last)])
        values = {**msgspec.structs.asdict(update), "updated": updated}
        self.insert(table, control_id=control_id, **values)


def _by_day(rows: Iterable[Row], controls: Mapping[str, Control]) -> Iterable[SecureScore]:
    """Scores of the days in order: what was assessed stands until it is assessed again."""
    state: dict[tuple[str, str], bool | None] = {}
    day: int | None = None
    for row in rows:
        moment = number_of(row, "Day")
        if moment is None:
            continue
        if day is not None and moment != day:
            yield _score(day, state, controls)
        day = moment
        key = (str(row["DeviceId"]).lower(), str(row["ConfigurationId"]))
        state[key] = truth_of(row, "IsCompliant") if truth_of(row, "IsApplicable") else None
    if day is not None:
        yield _score(day, state, controls)


def _score(day: int, state: Mapping[tuple[str, str], bool | None], controls: Mapping[str, Control]) -> SecureScore:
    found: dict[str, list[bool]] = {}
    for (_, control_id), complies in state.items():
        if complies is not None and control_id in controls:
            found.setdefault(control_id, []).append(complies)
    scores = tuple(
        ControlScore(
            controls[control_id],
            round(controls[control_id].impact * sum(answers) / len(answers), 2),
            sum(answers),
            len(answers),
        )
        for control_id, answers in sorted(found.items())
    )
    return SecureScore(day, scores, len({device_id for device_id, _ in state}))


def _control(row: Row) -> Control:
    impact = row.get("Impact")
    return Control(
        control_id=str(row["ConfigurationId"]),
        name=text_of(row, "ConfigurationName"),
        description=text_of(row, "ConfigurationDescription"),
        risk=text_of(row, "RiskDescription"),
        remediation=text_of(row, "RemediationOptions"),
        category=text_of(row, "ConfigurationCategory"),
        subcategory=text_of(row, "ConfigurationSubcategory"),
        impact=float(impact) if isinstance(impact, int | float) else 0.0,
        has_user_impact=bool(number_of(row, "UserImpact")),
        last_modified=number_of(row, "LastModified") or 0,
    )


def _to_update(row: StoredRow[tuple[object, ...]]) -> ControlUpdate:
    return ControlUpdate(**{name: getattr(row, name) for name in ControlUpdate.__struct_fields__})

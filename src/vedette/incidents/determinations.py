"""Which determinations go with which classification.

Source: MicrosoftDocs/defender-docs, defender-xdr/api-update-incidents.md.
"""

from collections.abc import Mapping

from vedette.errors import InvalidRequestError

ANY_CLASSIFICATION = frozenset({"unknown", "other", "apt", "securityPersonnel"})
"""Determinations that say nothing against any classification; two of them are no longer offered to people."""

DETERMINATIONS: Mapping[str, frozenset[str]] = {
    "truePositive": frozenset(
        {
            "multiStagedAttack",
            "maliciousUserActivity",
            "compromisedAccount",
            "malware",
            "phishing",
            "unwantedSoftware",
        }
    ),
    "informationalExpectedActivity": frozenset({"securityTesting", "lineOfBusinessApplication", "confirmedActivity"}),
    "falsePositive": frozenset({"notMalicious", "notEnoughDataToValidate"}),
}


class AssessmentError(InvalidRequestError):
    """A determination that contradicts the classification. Fields: `classification`, `determination`."""

    code = "DeterminationContradicts"


def checked_assessment(classification: str, determination: str, values: Mapping[str, object]) -> dict[str, object]:
    """As `recalculated`, for incidents: theirs have to agree.

    Raises AssessmentError if the determination among `values` contradicts the classification.
    """
    wanted = str(values.get("classification", classification))
    given = values.get("determination")
    if given is not None and not goes_with(wanted, str(given)):
        raise AssessmentError(classification=wanted, determination=given)
    return recalculated(determination, values)


def recalculated(determination: str, values: Mapping[str, object]) -> dict[str, object]:
    """What else changes with `values`: a determination that a new classification rules out is forgotten.

    One that is given beside it is taken as it is: Defender for Endpoint documents an alert that is a false positive and
    malware (defender-endpoint/api/update-alert.md).
    """
    if "classification" not in values or "determination" in values:
        return {}
    return {} if goes_with(str(values["classification"]), determination) else {"determination": "unknown"}


def goes_with(classification: str, determination: str) -> bool:
    """Whether a determination may stand beside a classification; an incident without one takes any."""
    if classification not in DETERMINATIONS or determination in ANY_CLASSIFICATION:
        return True
    return determination in DETERMINATIONS[classification]

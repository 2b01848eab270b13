"""The rules of an installation: those that come with Vedette and those that its owner applied, files in `DIR/rules`."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from vedette.detections.errors import RuleError
from vedette.detections.rules import Rule, load_rule, packaged_rules
from vedette.observability.logs import get_logger

LOG = get_logger(__name__)

Signature = tuple[tuple[str, int, int], ...]


class RuleFolder:
    """All rules by id; files are read again when one has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: Signature | None = None
        self._rules: Mapping[str, Rule] = {}
        self.left_out: Mapping[str, str] = {}
        """Files that are no rules any more, and why, as of the last reading."""

    def all(self) -> Mapping[str, Rule]:
        """Every rule. A file that has become unreadable is left out and logged."""
        files = self._files()
        signature = tuple((path.name, status.st_mtime_ns, status.st_size) for path, status in files)
        if signature != self._seen:
            own, self.left_out = _loaded([path for path, _ in files])
            self._rules = {**packaged_rules(), **own}
            self._seen = signature
        return self._rules

    def put(self, paths: Sequence[Path]) -> list[Rule]:
        """Take in a user's rules, or new versions of them, all or none.

        Raises RuleError. Their queries are for the caller to check.
        """
        rules = [load_rule(path) for path in paths]
        for path, rule in zip(paths, rules, strict=True):
            if rule.id in packaged_rules():
                raise RuleError(str(path), "id", "is the id of a rule that comes with Vedette")
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for path, rule in zip(paths, rules, strict=True):
            draft = self._folder / f".{rule.id}.new"
            draft.write_bytes(path.read_bytes())
            draft.replace(self._folder / f"{rule.id}.yaml")
        return rules

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        paths = sorted(path for path in self._folder.glob("*.yaml") if not path.name.startswith("."))
        return [(path, path.stat()) for path in paths]


def _loaded(paths: list[Path]) -> tuple[dict[str, Rule], dict[str, str]]:
    rules, left_out = {}, {}
    for path in paths:
        try:
            rule = load_rule(path)
        except RuleError as error:
            LOG.error("rule left out", file=str(path), reason=str(error))
            left_out[path.name] = error.reason
        else:
            rules[rule.id] = rule
    return rules, left_out

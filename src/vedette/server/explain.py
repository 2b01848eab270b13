"""`vedette explain`: what an error means and which command mends it. Tokens are explained by `explain_token`."""

import json
import re
import shlex
import string
from collections.abc import Iterable, Mapping

from vedette.contracts.faults import FaultContract, load_faults
from vedette.contracts.login_faults import LoginFaultContract, load_login_faults
from vedette.contracts.remedies import RemedyContract, load_remedies
from vedette.kql.diagnostics import diagnostic_facts
from vedette.server.explain_token import explain_token
from vedette.server.explanation import Explanation, Section

SURFACES = {"graph": "Microsoft Graph", "defender": "Defender APIs", "ingest": "ingest"}

_AADSTS = re.compile(r"(?:AADSTS)?(\d{4,8})", re.IGNORECASE)
_AADSTS_INSIDE = re.compile(r"AADSTS(\d{4,8})")
_FIELD = re.compile(r"\{(\w+)\}")
_COMMAND_NAMES = {"app_id": "APP", "user": "USER", "least": "PERMISSION"}
"""What stands in a command for a field that the error did not name; others stand there in capitals."""


def explain_code(code: str, said: str = "") -> list[Explanation]:
    """What a code means, wherever it is used; `said` is the text that came with it. Empty: nobody here uses it."""
    code = code.strip()
    if match := _AADSTS.fullmatch(code):
        fault = load_login_faults().get(int(match[1]))
        if fault is not None:
            return [_login(fault, said)]
    return [*_api(code, said), *_kql(code)]


def explain_text(text: str, now: float) -> list[Explanation]:
    """What a token allows, or what an error body means."""
    text = text.strip().strip('"').removeprefix("Bearer ").strip()
    if text.startswith("{"):
        return _body(text, now)
    if match := _AADSTS_INSIDE.search(text):
        return explain_code(match[0], text)
    explanation = explain_token(text, now)
    return [] if explanation is None else [explanation]


def _body(text: str, now: float) -> list[Explanation]:
    """An error body, or the answer of a token endpoint."""
    try:
        body = json.loads(text)
    except ValueError:
        return []
    if isinstance(token := body.get("access_token"), str):
        explanation = explain_token(token, now)
        return [] if explanation is None else [explanation]
    if match := _AADSTS_INSIDE.search(text):
        return explain_code(match[0], str(body.get("error_description", text)))
    error = body.get("error")
    return explain_code(str(error.get("code")), str(error.get("message", ""))) if isinstance(error, dict) else []


def _login(fault: LoginFaultContract, said: str) -> Explanation:
    remedy = load_remedies().login[fault.key]
    fields = read_fields(fault.text, said)
    travels = f"HTTP {fault.status}" if fault.status else "On a page or in a redirect"
    name = f" ({fault.name})" if fault.name else ""
    known = [f"{travels}, error {fault.error}.", f"Known: {fault.confidence}."]
    if fault.unreachable:
        known.append(f"This server never answers it: {fault.unreachable}.")
    sections = (*_remedied(remedy, fields), Section("On the wire", (fault.text.format_map(_Shown(fields)), *known)))
    return Explanation(f"AADSTS{fault.code}{name}: {fault.when}", sections)


def _api(code: str, said: str) -> list[Explanation]:
    found = {
        name: [
            (surface, fault) for surface, fault in _worded(name) if code.lower() in (name.lower(), fault.code.lower())
        ]
        for name in load_faults("graph")
    }
    matching = {name: uses for name, uses in found.items() if uses}
    if said and (exact := [name for name, uses in matching.items() if any(_fits(fault, said) for _, fault in uses)]):
        matching = {name: matching[name] for name in exact}
    return [_api_fault(name, uses, said) for name, uses in matching.items()]


def _worded(name: str) -> Iterable[tuple[str, FaultContract]]:
    for surface in SURFACES:
        if (fault := load_faults(surface).get(name)) is not None:
            yield surface, fault


def _api_fault(name: str, uses: list[tuple[str, FaultContract]], said: str) -> Explanation:
    remedy = load_remedies().api.get(name)
    fields = next((fields for _, fault in uses if (fields := read_fields(fault.message, said))), {})
    if "required" in fields:
        fields = {**fields, "least": fields["required"].partition(",")[0].strip()}
    wording = [
        f"{SURFACES[surface]}: HTTP {fault.status}, {fault.code or 'no code'}. "
        + fault.message.format_map(_Shown(fields))
        for surface, fault in uses
    ]
    remedied = () if remedy is None else _remedied(remedy, fields)
    return Explanation(name, (*remedied, Section("On the wire", tuple(dict.fromkeys(wording)))))


def _kql(code: str) -> list[Explanation]:
    return [
        Explanation(f"{fact.code}: a mistake in a query", (Section("What it means", (fact.message,)),))
        for fact in diagnostic_facts().values()
        if fact.code.lower() == code.lower()
    ]


def _remedied(remedy: RemedyContract, fields: Mapping[str, str]) -> tuple[Section, ...]:
    settings = (f"The setting is `{remedy.setting}`.",) if remedy.setting else ()
    return (
        Section("What it means", (remedy.means,)),
        Section(
            "What mends it",
            (remedy.mend.format_map(_Shown(fields)), *settings),
            tuple(command.format_map(_InCommand(fields)) for command in remedy.commands),
        ),
    )


def read_fields(template: str, said: str) -> dict[str, str]:
    """The fields of a text that was made from a template; none if it was not."""
    pattern = ""
    for literal, field, _, _ in string.Formatter().parse(template):
        pattern += re.escape(literal)
        if field:
            pattern += f"(?P={field})" if f"(?P<{field}>" in pattern else f"(?P<{field}>.+?)"
    match = re.search(pattern + r"(?=\s*Trace ID|\s*$)", said, re.DOTALL) if said else None
    return {} if match is None else match.groupdict()


def _fits(fault: FaultContract, said: str) -> bool:
    pattern = "".join(
        re.escape(part) if number % 2 == 0 else ".+?" for number, part in enumerate(_FIELD.split(fault.message))
    )
    return bool(fault.message) and re.fullmatch(pattern, said.strip(), re.DOTALL) is not None


class _Shown(dict[str, str]):
    """A field that is not known stands there as its own name."""

    def __missing__(self, field: str) -> str:
        return f"<{field.replace('_', ' ')}>"


class _InCommand(dict[str, str]):
    """The same in a command, in capitals; what is known is quoted where a shell needs it."""

    def __getitem__(self, field: str) -> str:
        value = super().get(field)
        if value is None:
            return _COMMAND_NAMES.get(field, field.upper())
        return shlex.quote(value)

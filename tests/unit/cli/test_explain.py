"""`vedette explain`: codes, bodies and tokens in plain words, with commands that exist."""

import base64
import io
import json
import re
import shlex
import string

import pytest

from vedette.cli.main import build_app, run
from vedette.contracts.faults import load_faults
from vedette.contracts.login_faults import load_login_faults
from vedette.contracts.permissions import directory_role, load_directory_roles, load_resources
from vedette.contracts.remedies import RemedyContract, load_remedies
from vedette.server.explain import explain_code, read_fields
from vedette.server.explain_token import explain_token
from vedette.settings import setting_descriptions

NOW = 1_800_000_000
APP = "5d6b6bb7-de71-4623-b4af-96380a352509"


def token(**claims: object) -> str:
    parts = ({"alg": "RS256", "kid": "k"}, {"exp": NOW + 3599, "tid": "t", **claims})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2ln"])


def explained(**claims: object) -> dict[str, str]:
    """Sections of a token by heading."""
    explanation = explain_token(token(**claims), NOW)
    assert explanation is not None
    return {each.heading: " ".join([*each.sentences, *each.commands]) for each in explanation.sections}


def tell(text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert run(["explain", "-", *options]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("code", ["AADSTS7000215", "7000215", "aadsts7000215"])
def test_an_aadsts_number(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", code]) == 0
    shown = capsys.readouterr().out
    assert "AADSTS7000215" in shown
    assert "vedette app secret add APP" in shown


def test_every_refusal_of_the_login_service_is_explained() -> None:
    assert set(load_remedies().login) == {fault.key for fault in load_login_faults().values()}
    for number in load_login_faults():
        [explanation] = explain_code(str(number))
        assert [section.heading for section in explanation.sections[:2]] == ["What it means", "What mends it"]


def test_every_remedy_is_of_something_and_its_commands_are_commands() -> None:
    remedies = load_remedies()
    assert set(remedies.api) <= set(load_faults("graph"))
    commands = [command for each in (*remedies.login.values(), *remedies.api.values()) for command in each.commands]
    for command in commands:
        words = shlex.split(re.sub(r"\{\w+\}", "x", command))
        assert words[0] == "vedette"
        build_app().parse_args(words[1:], exit_on_error=False, print_error=False)


@pytest.mark.parametrize("surface", ["login", "api"])
def test_remedies_use_only_fields_that_the_refusal_has(surface: str) -> None:
    if surface == "login":
        templates = {fault.key: fault.text for fault in load_login_faults().values()}
        remedies = load_remedies().login
    else:
        templates = {name: fault.message + "{least}" for name, fault in load_faults("graph").items()}
        remedies = load_remedies().api
    for key, remedy in remedies.items():
        assert fields_of(remedy) <= named(templates[key]), key
        assert not remedy.setting or remedy.setting in setting_descriptions()


def fields_of(remedy: RemedyContract) -> set[str]:
    return set().union(*(named(text) for text in (remedy.means, remedy.mend, *remedy.commands))) - {"app_id"}


def named(template: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(template) if field}


def test_a_code_of_an_api(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "TooManyRequests"]) == 0
    assert "429" in capsys.readouterr().out


def test_an_unknown_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "NoSuchThing"]) == 1
    assert "no code" in capsys.readouterr().err


def test_a_login_body_fills_in_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    text = load_login_faults()[700016].text.format(app_id=APP, tenant="Contoso")
    body = {"error": "unauthorized_client", "error_description": f"AADSTS700016: {text} Trace ID: 1 Timestamp: x"}
    assert f"vedette app consent {APP}\n" in tell(json.dumps(body), monkeypatch, capsys)


def test_an_api_body_names_the_permission_to_add(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = load_faults("graph")["MissingRoles"].message.format(required="A.Read.All,A.ReadWrite.All", present="B")
    shown = tell(json.dumps({"error": {"code": "Forbidden", "message": said}}), monkeypatch, capsys)
    assert "vedette app permission add APP A.Read.All\n" in shown
    assert "UserRoleMissing" not in shown


def test_what_came_from_others_is_quoted_in_commands() -> None:
    fault = load_login_faults()[50011]
    said = fault.text.format(redirect_uri="https://x/$(rm -rf ~)", app_id=APP)
    [explanation] = explain_code("50011", said)
    [command] = explanation.sections[1].commands
    assert shlex.split(command)[-1] == "https://x/$(rm -rf ~)"


def test_fields_are_read_only_from_texts_of_the_template() -> None:
    assert read_fields("The app '{app_id}' of {app_id}.", "The app 'a' of a.") == {"app_id": "a"}
    assert read_fields("The app '{app_id}'.", "something else") == {}


def test_an_applications_token() -> None:
    shown = explained(
        aud="https://api.security.microsoft.com",
        appid=APP,
        app_displayname="Hunter",
        idtyp="app",
        roles=["Incident.Read.All", "Made.Up"],
    )
    assert "application context" in shown["Who"]
    assert "Microsoft Threat Protection" in shown["Where"]
    assert "59 min left" in shown["Until when"]
    assert "Read all incidents" in shown["What it allows"]
    assert "GET /api/incidents" in shown["What it allows"]
    assert "not a permission of this API" in shown["What it allows"]
    assert "no person" in shown["What bounds it"]


def test_a_persons_token_is_bounded_by_their_roles() -> None:
    reader = load_directory_roles()["Security Reader"]
    assert directory_role(reader.id) is not None
    shown = explained(
        aud=load_resources()["graph"].app_id,
        azp=APP,
        scp="ThreatHunting.Read.All",
        upn="ada@contoso.example",
        wids=[reader.id],
    )
    assert "ada@contoso.example: the user context" in shown["Who"].replace("(", "").replace(")", "")
    assert "Security Reader" in shown["What bounds it"]
    assert "runHuntingQuery" in shown["What it allows"]


def test_a_token_without_permissions_says_how_to_get_one() -> None:
    shown = explained(aud="https://api.security.microsoft.com", appid=APP, oid="o", sub="o")
    assert f"vedette app permission add {APP} PERMISSION" in shown["What it allows"]


@pytest.mark.parametrize(
    ("claims", "heading", "words"),
    [
        ({"exp": NOW - 60}, "Until when", "60 s ago"),
        ({"nbf": NOW + 600, "exp": NOW + 900_000}, "Until when", "not valid yet"),
        ({"exp": "soon"}, "Until when", "does not say"),
        ({"aud": APP, "nonce": "n"}, "What it allows", "id_token"),
        ({"aud": "https://elsewhere.example", "scp": "a"}, "What it allows", "Nothing here"),
    ],
)
def test_other_tokens(claims: dict[str, object], heading: str, words: str) -> None:
    assert words in explained(**claims)[heading]


def test_a_token_for_programs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(tell(f"Bearer {token(appid=APP)}\n", monkeypatch, capsys, "-o", "json"))
    assert document["note"] == "decoded, not verified"
    assert document["claims"]["appid"] == APP


def test_the_answer_of_a_token_endpoint(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.dumps({"token_type": "Bearer", "access_token": token(appid=APP, roles=["a"], idtyp="app")})
    assert "application context" in tell(answer, monkeypatch, capsys)


def test_it_fits_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    roles = [role.value for role in load_resources()["wdatp"].app_roles]
    shown = tell(token(aud=load_resources()["wdatp"].app_id, idtyp="app", roles=roles), monkeypatch, capsys)
    for number in load_login_faults():
        run(["explain", str(number)])
    lines = (shown + capsys.readouterr().out).splitlines()
    assert max(len(line) for line in lines if not line.startswith("    ")) <= 60


@pytest.mark.parametrize("text", ["hello", "{", "a.b.c", "W10.W10.x", '{"error": "nonsense"}'])
def test_junk_on_standard_input(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert run(["explain", "-"]) == 1

"""What `vedette migrate-check` finds, in the forms that connectors are written in."""

import json
from pathlib import Path

import pytest

from vedette.cli.main import run
from vedette.client.migration import Finding, check
from vedette.contracts.migration import load_migration
from vedette.contracts.operations import load_operations
from vedette.contracts.permissions import load_resources
from vedette.errors import UsageError

HOST = "https://api.security.microsoft.com"


def calls(path: Path) -> list[tuple[str, int]]:
    return [(finding.call, finding.place.line) for finding in check(path) if finding.kind == "call"]


def tree(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.py", f'requests.get("{HOST}/api/incidents?$top=10")', "incidents_list"),
        ("a.py", f'requests.get(\n    f"{HOST}/api/incidents/{{incident_id}}")', "incident_get"),
        ("a.py", f'BASE = "{HOST}"\nself.http("PATCH", url_suffix="/api/incidents/" + str(i))', "incident_update"),
        ("a.py", f'BASE = "{HOST}"\nself.http("PATCH", f"/api/incidents/{{i}}", json=body)', "incident_update"),
        ("a.py", f'url = "{HOST}"\nclient.post("/api/advancedhunting/run", json={{"Query": q}})', "xdr_hunting"),
        ("a.js", f"axios.post(`{HOST}/api/advancedhunting/run`, body)", "xdr_hunting"),
        ("a.js", f"fetch(`{HOST}/api/incidents/${{id}}`, {{ method: 'PATCH' }})", "incident_update"),
        ("a.go", f'req, _ := http.NewRequest("GET", "{HOST}/api/incidents", nil)', "incidents_list"),
        (
            "a.go",
            f'req, _ := http.NewRequest("PATCH", fmt.Sprintf("{HOST}/api/incidents/%d", id), b)',
            "incident_update",
        ),
        ("a.ps1", f'Invoke-RestMethod -Method Get -Uri "{HOST}/api/incidents"', "incidents_list"),
        ("a.ps1", f'$uri = "{HOST}/api/incidents/$id"\nInvoke-RestMethod -Method Patch -Uri $uri', "incident_update"),
        ("a.cs", f'new HttpRequestMessage(HttpMethod.Get, "{HOST}/api/v1.0/incidents")', "incidents_list"),
        ("a.py", 'requests.post("https://api-us.securitycenter.windows.com/api/advancedqueries/run")', "mde_hunting"),
        ("a.py", 'requests.get("https://us.api.security.microsoft.com/api/alerts")', "mde_alerts_list"),
        ("a.py", 'requests.get("https://api-gcc.securitycenter.microsoft.us/api/alerts")', "mde_alerts_list"),
    ],
)
def test_calls_in_source(tmp_path: Path, name: str, text: str, found: str) -> None:
    assert [call for call, _ in calls(tree(tmp_path, name, text))] == [found]


@pytest.mark.parametrize(
    "text",
    [
        'requests.get("https://graph.microsoft.com/v1.0/security/incidents")',
        'requests.get("https://acme.test/api/incidents")',
        'SCOPE = "https://api.security.example.com/.default"',
        '"SecurityIncident.Read.All"',
        'requests.post("https://api.securitycenter.microsoft.com/api/machines/1/isolate")',
    ],
)
def test_what_is_not_old_is_not_found(tmp_path: Path, text: str) -> None:
    found = check(tree(tmp_path, "a.py", text))
    assert [each for each in found if each.kind in ("call", "permission")] == []


def test_a_method_that_nobody_names_leaves_both(tmp_path: Path) -> None:
    findings = check(tree(tmp_path, "a.py", f'url = "{HOST}/api/incidents/" + str(i)'))
    found = [(each.call, each.is_certain) for each in findings if each.kind == "call"]
    assert found == [("incident_get", False), ("incident_update", False)]


def test_permissions_resources_and_fields(tmp_path: Path) -> None:
    text = f'S = "{HOST}/.default"\nP = ["Incident.Read.All", "AdvancedHunting.Read"]\nn = i["incidentName"]\ni.tags\n'
    findings = check(tree(tmp_path, "a.py", text))
    assert [(each.kind, each.what, each.place.line) for each in findings] == [
        ("resource", "api.security.microsoft.com", 1),
        ("permission", "Incident.Read.All", 2),
        ("permission", "AdvancedHunting.Read", 2),
        ("field", "incidentName", 3),
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('10.0.0.1 - - [23/Nov/2026:08:00:00 +0000] "GET /api/incidents?$top=100 HTTP/1.1" 200 512', "incidents_list"),
        ('{"method":"PATCH","path":"/api/incidents/924565","status":200}', "incident_update"),
        (f"1763899200.1 12 10.0.0.1 TCP_MISS/200 99 POST {HOST}/api/advancedhunting/run - DIRECT", "xdr_hunting"),
        (f'DEBUG urllib3 {HOST}:443 "POST /api/advancedhunting/run HTTP/1.1" 200', "xdr_hunting"),
    ],
)
def test_calls_in_logs(tmp_path: Path, line: str, found: str) -> None:
    log = tmp_path / "access.log"
    log.write_text(f"something else\n{line}\n")
    assert calls(log) == [(found, 2)]


def test_another_method_in_a_log_is_another_api(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text('"POST /api/incidents HTTP/1.1" 200\n')
    assert calls(log) == []


def test_har_files(tmp_path: Path) -> None:
    har = tmp_path / "session.har"
    urls = [
        ("GET", "https://example.com/"),
        ("GET", f"{HOST}/api/incidents"),
        ("POST", f"{HOST}/api/advancedhunting/run"),
    ]
    entries = [{"request": {"method": method, "url": url}, "time": 3} for method, url in urls]
    har.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    assert calls(har) == [("incidents_list", 2), ("xdr_hunting", 3)]
    har.write_text("{")
    with pytest.raises(UsageError, match="damaged"):
        check(har)


def test_what_is_no_text_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "a.js").write_text(f'get("{HOST}/api/incidents")')
    (tmp_path / "a.py").write_bytes(b"\x00\x01")
    assert check(tmp_path) == []
    with pytest.raises(UsageError):
        check(tmp_path / "a.py")
    with pytest.raises(UsageError):
        check(tmp_path / "missing")


@pytest.mark.parametrize("columns", ["60", "120"])
def test_the_report(
    tmp_path: Path, columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    tree(tmp_path, "a.py", f'requests.get("{HOST}/api/incidents")\nprint(x["incidentName"])\n')
    assert run(["migrate-check", str(tmp_path)]) == 3
    report = capsys.readouterr().out
    flat = " ".join(report.split())
    for part in (
        "ends 2027-02-01",
        "SecurityIncident.Read.All",
        "found in a.py:1",
        "incidentName -> displayName a.py:2",
    ):
        assert part in flat
    words = [line for line in report.splitlines() if len(line) > int(columns)]
    assert all("https://" in line for line in words), "only an address may be wider than the terminal"


def test_the_report_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree(tmp_path, "a.py", f'requests.get("{HOST}/api/incidents")')
    assert run(["migrate-check", str(tmp_path), "-o", "json"]) == 3
    (call,) = json.loads(capsys.readouterr().out)["calls"]
    assert (call["call"], call["retires"]) == ("GET /api/incidents", "2027-02-01")
    assert call["places"] == [{"file": "a.py", "line": 1, "certain": True}]
    assert {"from": "InProgress", "to": "inProgress"} in call["values"]["incidentStatus"]
    assert run(["migrate-check", str(tmp_path.parent / tmp_path.name / "a.py")]) == 3


def test_nothing_old(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree(tmp_path, "a.py", 'requests.get("https://graph.microsoft.com/v1.0/security/incidents")')
    assert run(["migrate-check", str(tmp_path)]) == 0
    assert "No call" in capsys.readouterr().out


def test_the_facts_agree_with_the_operations_table() -> None:
    migration, surfaces = load_migration(), load_operations()
    graph = {(each.method, each.path.lower()) for each in surfaces["graph"].operations}
    graph |= {(each.method, alias.lower()) for each in surfaces["graph"].operations for alias in each.aliases}
    older = {(each.method, each.path) for each in surfaces["defender"].operations}
    known = {role.value for role in load_resources()["graph"].app_roles}
    for call in migration.calls:
        method, _, address = call.replacement.partition(" ")
        assert (method, address.partition("/v1.0")[2].lower()) in graph, call.id
        assert {*call.application, *call.delegated} <= known
        assert any(m == call.method and p.endswith(call.path) for m, p in older), call.id
    assert set(migration.permissions.values()) <= known


def test_findings_are_in_order(tmp_path: Path) -> None:
    tree(tmp_path, "b.py", f'get("{HOST}")')
    tree(tmp_path, "a.py", f'get("{HOST}")')
    assert [finding.place.file for finding in check(tmp_path)] == ["a.py", "b.py"]
    assert isinstance(check(tmp_path)[0], Finding)


MDE = 'BASE = "https://api.securitycenter.windows.com/api"\n'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{MDE}LIST = '/alerts'  # GET", ["mde_alerts_list"]),
        (f'{MDE}client.get(f"{{BASE}}/alerts")', ["mde_alerts_list"]),
        (f"{MDE}axios.get(`${{BASE}}/alerts`)", ["mde_alerts_list"]),
        (f'{MDE}client.get("/ips/{{ip}}/alerts")', []),
        (f'{MDE}client.get(f"{{BASE}}/machines/{{id}}/alerts")', []),
        (f"{MDE}# see the alerts page, /alerts", []),
    ],
)
def test_a_path_without_its_base(tmp_path: Path, text: str, found: list[str]) -> None:
    assert [call for call, _ in calls(tree(tmp_path, "consts.py", text))] == found


@pytest.mark.parametrize(
    "line",
    [
        f'{{"url": "{HOST}/api/incidents?$top=5", "method": "GET", "status": 200}}',
        "2026-11-01 10:00:00 10.0.0.1 GET /api/incidents $top=50 443 - 10.0.0.2 python-requests/2.31 200 0 0 15",
        f'DEBUG urllib3.connectionpool {HOST}:443 "GET /api/incidents HTTP/1.1" 200 12',
        f"info: System.Net.Http.HttpClient[100] Start processing HTTP request GET {HOST}/api/incidents",
        '10.0.0.1 - - [01/Nov/2026:10:00:00 +0000] "GET /api/incidents?$skip=50 HTTP/1.1" 200 512 "-" "curl/8"',
        "> GET /api/incidents HTTP/2",
        f"1667296800.123 15 10.0.0.1 TCP_MISS/200 1234 GET {HOST}/api/incidents - HIER_DIRECT/1",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_logs_of_many_programs(tmp_path: Path, line: str, encoding: str) -> None:
    path = tmp_path / "connector.log"
    path.write_bytes(f"start\n{line}\n".encode(encoding))
    assert calls(path) == [("incidents_list", 2)]
    assert calls(tmp_path) == [("incidents_list", 2)]


def test_a_har_file_by_another_name(tmp_path: Path) -> None:
    entry = {"request": {"method": "PATCH", "url": f"{HOST}/api/incidents/924565"}}
    path = tmp_path / "capture.json"
    path.write_bytes(json.dumps({"log": {"version": "1.2", "entries": [entry]}}).encode("utf-8-sig"))
    assert calls(path) == [("incident_update", 1)]


def test_the_form_may_be_asked_for_by_either_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree(tmp_path, "a.py", f'requests.get("{HOST}/api/incidents")')
    assert run(["migrate-check", str(tmp_path), "--format", "json"]) == 3
    asked = json.loads(capsys.readouterr().out)
    assert [call["call"] for call in asked["calls"]] == ["GET /api/incidents"]

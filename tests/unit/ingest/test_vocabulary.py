"""Every function of the vocabulary, as the engine computes it."""

import duckdb
import pytest

from vedette.clock import UNIX_EPOCH_TICKS
from vedette.ingest.errors import RuleError
from vedette.ingest.expressions import fields_of, parse_expression
from vedette.ingest.sql import column, render
from vedette.ingest.vocabulary import Scope, Typed, translate

SECOND = 10_000_000


def evaluated(source: str, **fields: str | None) -> object:
    expression = parse_expression(source, "test")
    known = {name: Typed(column(name), "text") for name in fields_of(expression)}
    sql = render(translate(expression, Scope("test", known)).node)
    names = sorted(known)
    relation = ", ".join(f'?::VARCHAR AS "{name}"' for name in names) or "1"
    ((value,),) = duckdb.execute(f"SELECT {sql} FROM (SELECT {relation})", [fields.get(n) for n in names]).fetchall()
    return value


@pytest.mark.parametrize(
    ("source", "x", "expected"),
    [
        ("lower(x)", "ÄB", "äb"),
        ("upper(x)", "ab", "AB"),
        ("trim(x)", "\t a \r\n", "a"),
        ("trim(x)", "  ", None),
        ("short(x)", "dc.contoso.example", "dc"),
        ("int(x)", "42", 42),
        ("int(x)", "0x2a", 42),
        ("int(x)", "many", None),
        ("hexint(x)", "0xFFFFFFFF", 4294967295),
        ("bool(x)", "True", True),
        ("bool(x)", "no", False),
        ("bool(x)", "perhaps", None),
        ("bits(x,'0x10')", "0x1410", True),
        ("bits(x,'0x20')", "0x1410", False),
        ("bits(x,'0x20')", None, None),
        ("basename(x)", r"C:\Windows\cmd.exe", "cmd.exe"),
        ("basename(x)", "/usr/bin/bash", "bash"),
        ("basename(x)", "cmd.exe", "cmd.exe"),
        ("basename(x)", "C:\\", None),
        ("dirname(x)", r"HKLM\A/B\C/D", r"HKLM\A/B"),
        ("dirname(x)", "name", None),
        ("exe(x)", r'"C:\Program Files\a b.exe" -x', r"C:\Program Files\a b.exe"),
        ("exe(x)", r"C:\Program Files\a b.exe -x", r"C:\Program Files\a b.exe"),
        ("exe(x)", "%COMSPEC% /c echo", "%COMSPEC%"),
        ("domain(x)", r"CONTOSO\ann", "CONTOSO"),
        ("domain(x)", "ann", None),
        ("account(x)", r"CONTOSO\ann", "ann"),
        ("account(x)", "ann", "ann"),
        ("hash(x,'SHA1')", "SHA1=AB01,MD5=CC", "ab01"),
        ("hash(x,'MD5')", "SHA1=AB01,MD5=CC", "cc"),
        ("hash(x,'IMPHASH')", "SHA1=AB,IMPHASH=0000", None),
        ("hash(x,'SHA256')", "SHA1=AB", None),
        ("utc(x)", "1970-01-01 00:00:01.1234567", UNIX_EPOCH_TICKS + SECOND + 1234567),
        ("utc(x)", "1970-01-01T02:00:00+02:00", UNIX_EPOCH_TICKS),
        ("utc(x)", "yesterday", None),
        ("guidtime(x)", "{b669e388-4a98-5ee0-0000-001000000000}", UNIX_EPOCH_TICKS + 0x5EE04A98 * SECOND),
        ("guidtime(x)", "{00000000-0000-0000-0000-000000000000}", None),
        ("guidtime(x)", "none", None),
        ("epoch(x)", "1.5", UNIX_EPOCH_TICKS + 15_000_000),
        ("ip(x)", "::ffff:10.0.0.1", "10.0.0.1"),
        ("ip(x)", "::1", "::1"),
        ("iptype(x)", "8.8.8.8", "Public"),
        ("iptype(x)", "10.1.2.3", "Private"),
        ("iptype(x)", "172.16.0.1", "Private"),
        ("iptype(x)", "172.32.0.1", "Public"),
        ("iptype(x)", "192.168.1.1", "Private"),
        ("iptype(x)", "127.0.0.1", "Loopback"),
        ("iptype(x)", "169.254.1.1", "LinkLocal"),
        ("iptype(x)", "239.255.255.250", "Multicast"),
        ("iptype(x)", "255.255.255.255", "Broadcast"),
        ("iptype(x)", "0.0.0.0", "Reserved"),
        ("iptype(x)", "::ffff:8.8.8.8", "FourToSixMapping"),
        ("iptype(x)", "::1", "Loopback"),
        ("iptype(x)", "fe80::1", "LinkLocal"),
        ("iptype(x)", "ff02::fb", "Multicast"),
        ("iptype(x)", "fd00::1", "Private"),
        ("iptype(x)", "2001:db8::1", "Public"),
        ("iptype(x)", "LOCAL", None),
        ("ipproto(x)", "tcp", "Tcp"),
        ("ipproto(x)", "17", "Udp"),
        ("ipproto(x)", "58", "IcmpV6"),
        ("ipproto(x)", "99", None),
        ("reg_key(x)", r"HKLM\System", r"HKEY_LOCAL_MACHINE\System"),
        ("reg_key(x)", r"HKU\S-1-5-18\A", r"HKEY_USERS\S-1-5-18\A"),
        ("reg_key(x)", r"\REGISTRY\MACHINE\X", r"HKEY_LOCAL_MACHINE\X"),
        ("reg_key(x)", r"\REGISTRY\A\{1}\X", r"\REGISTRY\A\{1}\X"),
        ("reg_value(x)", r"HKLM\A\Name", "Name"),
        ("reg_value(x)", r"HKLM\A\(Default)", None),
        ("reg_type(x)", "DWORD (0x00000001)", "Dword"),
        ("reg_type(x)", "QWORD (0x00000001-0x00000002)", "Qword"),
        ("reg_type(x)", "Binary Data", "Binary"),
        ("reg_type(x)", "text", "String"),
        ("reg_type(x)", None, None),
        ("reg_data(x)", "DWORD (0x0000000a)", "10"),
        ("reg_data(x)", "QWORD (0x00000001-0x00000002)", "4294967298"),
        ("reg_data(x)", "Binary Data", None),
        ("reg_data(x)", "text", "text"),
        ("logon_type(x)", "10", "RemoteInteractive"),
        ("logon_type(x)", "99", None),
        ("logon_failure(x,x)", "0xC0000234", "AccountLockedOut"),
        ("kerberos_failure(x)", "0x18", "WrongPassword"),
        ("elevation(x)", "%%1937", "TokenElevationTypeFull"),
        ("integrity(x)", "S-1-16-12288", "High"),
        ("integrity(x)", "Medium", "Medium"),
        ("reg_type_4657(x)", "%%1876", "Dword"),
        ("json(A=x, B='b', C=int(x))", "7", '{"A":"7","B":"b","C":7}'),
        ("json(A=x)", 'quote " and \\', '{"A":"quote \\" and \\\\"}'),
        ("json(A=x)", None, None),
        ("coalesce(x,'d')", None, "d"),
        ("concat('a',x)", "b", "ab"),
        ("concat('a',x)", None, None),
        ("eq(x,'a')", "a", True),
        ("ne(x,'a')", "a", False),
        ("isin(x,'2','3')", "3", True),
        ("has(x,'b')", "abc", True),
        ("startswith(x,'b')", "abc", False),
        ("re(x,'User = (.+?)$')", "User = ann\r", "ann"),
        ("re(x,'(z)')", "abc", None),
        ("iff(eq(x,'a'),'yes','no')", "a", "yes"),
        ("iff(eq(x,'a'),'yes','no')", None, "no"),
        ("pick(x,'a','1','b','2','3')", "b", "2"),
        ("pick(x,'a','1','b','2','3')", "c", "3"),
        ("pick(x,'a','1')", "c", None),
        ("xml(x,'Exec/Command')", "<Task><Exec><Command>a&amp;b</Command></Exec></Task>", "a&b"),
        ("xml(x,'Exec/Command')", "&lt;Exec&gt;&lt;Command&gt;c&lt;/Command&gt;&lt;/Exec&gt;", "c"),
        ("xml(x,'Exec/Command')", "<Exec/>", None),
        ("path(x,'user.id')", '{"user":{"id":"7"}}', "7"),
        ("field('x')", "a", "a"),
        ("eq(x,'a') and not eq(x,'b')", "a", True),
        ("eq(x,'a') or eq(x,'b')", "c", False),
    ],
)
def test_function(source: str, x: str | None, expected: object) -> None:
    assert evaluated(source, x=x) == expected


@pytest.mark.parametrize(
    "source",
    ["unheard_of(x)", "lower()", "lower(x,x)", "hash(x,x)", "json(x)", "re(x,x)", "loc('ip')", "devid(x)"],
)
def test_wrong_calls_are_rule_errors(source: str) -> None:
    with pytest.raises(RuleError):
        evaluated(source, x="a")


def test_unknown_field_is_a_rule_error() -> None:
    with pytest.raises(RuleError, match="no field 'Imagge'"):
        translate(parse_expression("Imagge", "r.c"), Scope("r.c", {}))

"""Signed links and forms."""

import pytest

from vedette.api.downloads import Download, DownloadLinks, attachment, media_type
from vedette.api.multipart import read_form
from vedette.api.templates import PathTree
from vedette.clock import ManualClock
from vedette.errors import InvalidRequestError, NotFoundError, PermissionDeniedError
from vedette.store.secrets import MasterKey


def test_a_link_is_good_for_its_file_until_it_expires() -> None:
    clock = ManualClock(1000.0)
    links = DownloadLinks(MasterKey.random(), clock)
    token = links.make("https://x", "t-1", "action", "a", "0", seconds=60).rpartition("/")[2]
    assert links.read(token) == Download("t-1", "action", ("a", "0"), 1060)
    body, _, signature = token.partition(".")
    other = links.make("https://x", "t-2", "action", "a", "0", seconds=60).rpartition("/")[2].partition(".")[0]
    for bad in ("", ".", body, f"{other}.{signature}", f"{body}.{signature[:-2]}", f"{body}.ü"):
        with pytest.raises(NotFoundError):
            links.read(bad)
    with pytest.raises(NotFoundError):
        DownloadLinks(MasterKey.random(), clock).read(token)
    clock.advance(61)
    with pytest.raises(PermissionDeniedError):
        links.read(token)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("", b""),
        ("application/json", b"{}"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"--c"),
    ],
)
def test_what_is_no_form(content_type: str, body: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        read_form(content_type, body)


def test_the_pattern_that_says_more_comes_first() -> None:
    tree: PathTree[str] = PathTree()
    tree.add("/machines/{id}", "GET", "one")
    tree.add("/machines/findbyip(ip='{ip}',timestamp={time})", "GET", "found")
    values = [values["GET"] for values, _ in tree.find(("machines", "findbyip(ip='1.2.3.4',timestamp=2025)"))]
    assert values == ["found", "one"]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("out.txt", 'attachment; filename="out.txt"'),
        ('a".txt', "attachment; filename=\"a_.txt\"; filename*=UTF-8''a%22.txt"),
        ("b\r\nx: y", "attachment; filename=\"b__x: y\"; filename*=UTF-8''b%0D%0Ax%3A%20y"),
        ("\u6d4b", "attachment; filename=\"_\"; filename*=UTF-8''%E6%B5%8B"),
    ],
)
def test_names_of_files_stay_within_their_header(name: str, header: str) -> None:
    assert attachment(name) == header


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        ("application/zip", "application/zip"),
        ("text/html\r\nx: y", "application/octet-stream"),
        ("\u6d4b/x", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_media_types_stay_within_their_header(given: str, said: str) -> None:
    assert media_type(given) == said

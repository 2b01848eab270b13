"""JSON bodies into structs."""

import msgspec
import pytest

from vedette.api.bodies import read_object
from vedette.errors import InvalidRequestError


class Patch(msgspec.Struct, frozen=True, rename="camel"):
    assigned_to: str | msgspec.UnsetType | None = msgspec.UNSET
    custom_tags: tuple[str, ...] = ()


class Comment(msgspec.Struct, frozen=True):
    comment: str


def test_names_in_any_case_and_annotations_aside() -> None:
    body = b'\xef\xbb\xbf{"AssignedTo": "ann", "@odata.type": "#x", "customtags": ["a"], "x@odata.bind": "y"}'
    assert read_object(body, Patch) == Patch(assigned_to="ann", custom_tags=("a",))


def test_null_is_not_absence() -> None:
    assert read_object(b'{"assignedTo": null}', Patch).assigned_to is None
    assert read_object(b"{}", Patch).assigned_to is msgspec.UNSET


@pytest.mark.parametrize(
    ("body", "code", "fields"),
    [
        (b"", "BodyNotJson", {}),
        (b"{", "BodyNotJson", {}),
        (b'{"a": "\xff"}', "BodyNotJson", {}),
        (b'{"assignedTo": "\\ud800"}', "BodyNotJson", {}),
        (b"[" * 100_000, "BodyNotJson", {}),
        (b"[]", "BodyNotAnObject", {}),
        (b'"x"', "BodyNotAnObject", {}),
        (b'{"colour": 1}', "UnknownBodyProperty", {"property": "colour"}),
        (b'{"assignedTo": 1}', "InvalidBodyValue", {"property": "assignedTo"}),
        (b'{"customTags": ["a", 1]}', "InvalidBodyValue", {"property": "customTags"}),
    ],
)
def test_what_is_wrong_is_said(body: bytes, code: str, fields: dict[str, str]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read_object(body, Patch)
    assert (caught.value.code, caught.value.fields) == (code, fields)


def test_a_missing_member() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read_object(b"{}", Comment)
    assert (caught.value.code, caught.value.fields) == ("MissingParameter", {"parameter": "comment"})


def test_unknown_members_may_be_ignored() -> None:
    assert read_object(b'{"comment": "x", "workspaceId": "y"}', Comment, ignore_unknown=True) == Comment("x")

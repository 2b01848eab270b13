"""Comments as clients write them: one alertComment, as documented, or several in an array, as the SDKs send them."""

import msgspec

from vedette.api.bodies import read_object
from vedette.errors import InvalidRequestError


class CommentBody(msgspec.Struct, frozen=True, rename="camel"):
    """alertComment. Who wrote it and when is the server's to say."""

    comment: str
    created_by_display_name: str | None = None
    created_date_time: str | None = None


def read_comments(body: bytes) -> tuple[str, ...]:
    """The comments of a body, at least one. Raises InvalidRequestError."""
    comments = tuple(read_object(each, CommentBody).comment for each in _objects(body))
    if not comments or not all(comment.strip() for comment in comments):
        raise InvalidRequestError("InvalidBodyValue", property="comment")
    return comments


def _objects(body: bytes) -> list[bytes]:
    if not body.lstrip().startswith(b"["):
        return [body]
    try:
        return [bytes(each) for each in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidRequestError("BodyNotJson") from error

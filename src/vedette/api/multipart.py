"""Bodies of type multipart/form-data, small enough to be in memory: fields as text, files with name and content."""

from collections.abc import Mapping

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import FormParser, parse_options_header

from vedette.errors import InvalidRequestError


class FormFile(msgspec.Struct, frozen=True):
    """An uploaded file."""

    name: str
    content: bytes


class MultipartForm(msgspec.Struct, frozen=True):
    """A form. Names are in lower case."""

    fields: Mapping[str, str]
    files: Mapping[str, FormFile]


def read_form(content_type: str, body: bytes) -> MultipartForm:
    """The form in a body. Raises InvalidRequestError if it is none."""
    media_type, options = parse_options_header(content_type)
    if media_type != b"multipart/form-data" or b"boundary" not in options:
        raise InvalidRequestError("BodyNotAForm")
    fields: dict[str, str] = {}
    files: dict[str, FormFile] = {}

    def on_field(field: object) -> None:
        name, value = getattr(field, "field_name", None), getattr(field, "value", None)
        fields[_text(name).lower()] = _text(value)

    def on_file(file: object) -> None:
        handle = file.file_object  # type: ignore[attr-defined]
        handle.seek(0)
        name, file_name = getattr(file, "field_name", None), getattr(file, "file_name", None)
        files[_text(name).lower()] = FormFile(_text(file_name), handle.read())

    parser = FormParser(
        "multipart/form-data",
        on_field,
        on_file,
        boundary=options[b"boundary"],
        config={"MAX_MEMORY_FILE_SIZE": len(body) + 1},
    )
    try:
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise InvalidRequestError("BodyNotAForm") from error
    return MultipartForm(fields, files)


def _text(value: object) -> str:
    try:
        return value.decode("utf-8") if isinstance(value, bytes) else ""
    except UnicodeDecodeError as error:
        raise InvalidRequestError("BodyNotAForm") from error

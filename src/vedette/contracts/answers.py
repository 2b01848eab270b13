"""What the resource APIs answer: for every operation its type, status and query options, in `data/answers`.

Types are Graph's published ones and those of `data/answer_types`, which are written the same way; enums of the
namespace `words` are the Defender surfaces' spellings of `data/enums`.
"""

import functools
import re
from collections.abc import Mapping

import msgspec

from vedette.contracts.enums import load_enums
from vedette.contracts.graph_types import GraphEnum, GraphTypes, GraphTypesDocument, load_graph_types
from vedette.contracts.loader import data_folder, load_document, load_folder
from vedette.contracts.operations import load_operations
from vedette.errors import ContractError

WORDS = "words"
JSON = "application/json"
NO_CONTENT = 204

_COLLECTION = re.compile(r"Collection\((.+)\)")


class AnswerContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer of one operation, and the query options that shape it."""

    type: str = ""
    """Qualified name, or `Collection(…)` of one; empty: no content, or content that no type describes (`media`)."""
    statuses: tuple[int, ...] = (200,)
    """Of success, the usual one first."""
    media: str = JSON
    options: tuple[str, ...] = ()
    """System query options, without `$`."""
    parameters: Mapping[str, str] = {}
    """The operation's own query parameters by name, with their types; one that ends in `!` is required."""
    expand: Mapping[str, str] = {}
    """Navigation properties that `$expand` adds, with their types."""

    @property
    def is_empty(self) -> bool:
        """Whether there is no body, whatever the status."""
        return not self.type and self.media == JSON

    @property
    def is_collection(self) -> bool:
        """Whether it is a list of the type."""
        return self.type.startswith("Collection(")

    @property
    def element(self) -> str:
        """The type, or that of the list's elements."""
        match = _COLLECTION.fullmatch(self.type)
        return match[1] if match else self.type


class AnswersDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of a surface: answers by the handler of the operation, and sets of options by name."""

    surface: str
    options: Mapping[str, tuple[str, ...]]
    answers: Mapping[str, "AnswerRecord"]


class AnswerRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer as it is written: `options` names a set."""

    type: str = ""
    statuses: tuple[int, ...] = (200,)
    media: str = JSON
    options: str = ""
    parameters: Mapping[str, str] = {}
    expand: Mapping[str, str] = {}


@functools.cache
def load_answer_types() -> GraphTypes:
    """All types that are answered."""
    words = GraphTypesDocument(WORDS, "data/enums", {name: _words(name) for name in load_enums()}, {})
    return GraphTypes((*load_graph_types().documents, words, *load_folder("answer_types", GraphTypesDocument)))


@functools.cache
def load_answers(surface: str) -> Mapping[str, AnswerContract]:
    """The answers of a surface by handler. Raises ContractError unless each operation has one and no other has."""
    document = load_document(data_folder("answers") / f"{surface}.toml", AnswersDocument)
    handlers = {operation.handler for operation in load_operations()[surface].operations}
    if handlers != set(document.answers):
        missing, surplus = sorted(handlers - set(document.answers)), sorted(set(document.answers) - handlers)
        raise ContractError(f"answers/{surface}.toml: none for {missing}, no operation for {surplus}")
    answers = {name: _answer(document, record) for name, record in document.answers.items()}
    types = load_answer_types()
    for name, answer in answers.items():
        for type_name in (answer.element, *answer.expand.values()):
            known = _COLLECTION.sub(r"\1", type_name)
            if known and not (known.startswith("Edm.") or known in types.types):
                raise ContractError(f"answers/{surface}.toml: {name}: no type {known}")
    return answers


def _answer(document: AnswersDocument, record: AnswerRecord) -> AnswerContract:
    if record.options and record.options not in document.options:
        raise ContractError(f"answers/{document.surface}.toml: no options {record.options}")
    options = document.options[record.options] if record.options else ()
    return AnswerContract(record.type, record.statuses, record.media, options, record.parameters, record.expand)


def _words(name: str) -> GraphEnum:
    enum = load_enums()[name]
    shown = dict.fromkeys(enum.defender(member.name) for member in enum.members if not member.hidden)
    return GraphEnum({word: number for number, word in enumerate(shown)})

"""Texts in a JSON column as a collection that `any`, `all` and `$count` ask, on both databases."""

from typing import Any

from sqlalchemy import ColumnElement, Text, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from vedette.odata.sql import CollectionProperty, Property


class json_texts(FunctionElement[Any]):
    """The elements of a JSON array of texts, a row each."""

    name = "json_texts"
    inherit_cache = True


@compiles(json_texts, "sqlite")
def _sqlite(element: json_texts, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(json_texts, "postgresql")
def _postgresql(element: json_texts, compiler: Any, **options: Any) -> str:
    return f"json_array_elements_text({compiler.process(element.clauses, **options)})"


def text_collection(column: ColumnElement[Any], name: str) -> CollectionProperty:
    """The collection that a JSON column holds. `name` tells it from others in a statement."""
    elements = json_texts(column).table_valued("value", name=name)
    value: ColumnElement[Any] = elements.c.value
    return CollectionProperty(elements, true(), Property(_as_text(value), "string"))


def _as_text(value: ColumnElement[Any]) -> ColumnElement[Any]:
    value.type = Text()
    return value

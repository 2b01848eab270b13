"""What an editor asks while a query is written: completions and hover texts. Works on unfinished queries."""

from vedette.kql.editor.completion import Completion, complete
from vedette.kql.editor.hovering import Hover, hover

__all__ = ["Completion", "Hover", "complete", "hover"]

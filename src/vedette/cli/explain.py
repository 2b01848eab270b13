"""Explains an error code, an error body or a token."""

import sys
import textwrap
import time
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from vedette.cli.output import DONE, FAILED, print_json, say, terminal_width

if TYPE_CHECKING:
    from vedette.server.explanation import Explanation

WIDEST = 88
INDENT = "  "


def explain(
    what: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    output: Annotated[Literal["text", "json"], Parameter(name=("--output", "-o"))] = "text",
) -> int:
    """Explain an error code, or with `-` the token or error body on standard input.

    Says what a token allows and what bounds it, and what an error means and which command mends it. A token is
    decoded, not verified: what it says may be a lie.

    Parameters
    ----------
    what
        `-`, an AADSTS number (`AADSTS7000215` or `7000215`), or a code of an API error.
    output
        `json`: the same for programs; of a token its header and claims.
    """
    from vedette.server.explain import explain_code, explain_text

    found = explain_text(sys.stdin.read(), time.time()) if what == "-" else explain_code(what)
    if not found:
        say("vedette: that is no token, no error body and no code Vedette knows.")
        return FAILED
    if output == "json":
        _print_json(found)
    else:
        sys.stdout.write("\n".join(_laid_out(each) for each in found))
    return DONE


def _print_json(found: "list[Explanation]") -> None:
    import msgspec

    documents = [each.document or msgspec.to_builtins(each) for each in found]
    print_json(documents[0] if len(documents) == 1 else documents)


def _laid_out(explanation: "Explanation") -> str:
    """Readable on a narrow terminal; commands are never broken, so that they can be copied."""
    width = min(terminal_width(), WIDEST)
    lines = textwrap.wrap(explanation.title, width)
    for section in explanation.sections:
        lines += ["", section.heading]
        for sentence in section.sentences:
            lines += textwrap.wrap(
                sentence, width, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False
            )
        lines += [f"{INDENT}{INDENT}{command}" for command in section.commands]
    return "\n".join(_printable(line) for line in lines) + "\n"


def _printable(line: str) -> str:
    """What a stranger's token says moves no cursor."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)

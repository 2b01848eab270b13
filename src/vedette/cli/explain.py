"""Explains an error code, an error body or a token."""

import sys
from typing import Annotated

from cyclopts import Parameter

from vedette.cli.output import DONE, FAILED, print_json, print_table, say


def explain(what: Annotated[str, Parameter(allow_leading_hyphen=True)], /) -> int:
    """Explain an error code, or with `-` the token or error body on standard input.

    A token is decoded, not verified: what it says may be a lie.

    Parameters
    ----------
    what
        `-`, an AADSTS number (`AADSTS7000215` or `7000215`), or a code of an API error.
    """
    from vedette.server.explain import explain_code, explain_text

    explanation = explain_text(sys.stdin.read()) if what == "-" else explain_code(what)
    if explanation is None:
        say("vedette: that is no token, no error body and no code Vedette knows.")
        return FAILED
    if isinstance(explanation, dict):
        print_json(explanation)
    else:
        print_table(("surface", "code", "status", "text"), explanation)
    return DONE

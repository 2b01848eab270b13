"""Where in a seed something is wrong, and what was expected there."""

from collections.abc import Iterator
from contextlib import contextmanager

from vedette.api.faults import error_sentence
from vedette.errors import ApiError, InvalidRequestError

SEED_INVALID = "SeedInvalid"


def invalid(path: str, reason: str) -> InvalidRequestError:
    """The error of a seed: `path` in the document, `reason` as half a sentence."""
    return InvalidRequestError(SEED_INVALID, path=path, reason=reason)


@contextmanager
def at(path: str) -> Iterator[None]:
    """Errors inside are about what stands at `path`."""
    try:
        yield
    except ApiError as error:
        if error.code == SEED_INVALID:
            raise
        raise invalid(path, error_sentence(error)) from error

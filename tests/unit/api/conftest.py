"""Applications over fakes, closed afterwards."""

from collections.abc import Callable, Iterator

import pytest

from tests.api_fakes import Application, assemble


@pytest.fixture
def assembled() -> Iterator[Callable[..., Application]]:
    """Makes applications; arguments are those of `assemble`."""
    made: list[Application] = []

    def make(*arguments: object, **options: object) -> Application:
        made.append(assemble(*arguments, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for application in made:
        application.close()


@pytest.fixture
def application(assembled: Callable[..., Application]) -> Application:
    return assembled()

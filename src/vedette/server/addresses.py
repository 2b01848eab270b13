"""How a server is addressed: its base URL from its settings."""

from vedette.settings import Settings

_EVERYWHERE = {"0.0.0.0": "localhost", "::": "localhost", "": "localhost"}  # noqa: S104 - read, not bound


def base_url(settings: Settings) -> str:
    """`https://HOST:PORT` as somebody on this machine writes it; behind a proxy, the plain address."""
    host = _EVERYWHERE.get(settings.host, settings.host)
    scheme = "http" if settings.behind_proxy else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}"

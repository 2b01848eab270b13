"""Settings: precedence of the four sources, refusals in one clear sentence, and documentation of every name."""

from pathlib import Path

import pytest

from vedette.errors import SettingsError
from vedette.settings import load_settings, setting_descriptions


def test_the_default_is_loopback_on_8443(tmp_path: Path) -> None:
    settings = load_settings({"data": tmp_path}, {})
    assert (settings.host, settings.port, settings.data) == ("127.0.0.1", 8443, tmp_path)


def test_flags_beat_environment_beats_file(tmp_path: Path) -> None:
    (tmp_path / "vedette.toml").write_text('port = 1001\nhost = "::1"\nlog_level = "debug"\n')
    settings = load_settings({"port": 1003, "data": tmp_path}, {"VEDETTE_PORT": "1002", "VEDETTE_HOST": "0.0.0.0"})
    assert (settings.port, settings.host, settings.log_level) == (1003, "0.0.0.0", "debug")


def test_the_data_folder_may_come_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "vedette.toml").write_text("port = 1001")
    assert load_settings({"data": None}, {"VEDETTE_DATA": str(tmp_path)}).port == 1001


def test_lists_in_the_environment_are_separated_by_commas(tmp_path: Path) -> None:
    settings = load_settings({"data": tmp_path}, {"VEDETTE_ACCEPT_HOST": "a.example, b.example"})
    assert settings.accept_host == ("a.example", "b.example")


def test_paths_and_switches_are_read_from_text(tmp_path: Path) -> None:
    settings = load_settings({"data": tmp_path}, {"VEDETTE_LOAD": "/x/a.json,/x/b", "VEDETTE_SINGLE": "true"})
    assert settings.load == (Path("/x/a.json"), Path("/x/b"))
    assert settings.single is True


@pytest.mark.parametrize(
    ("flags", "environment", "file", "words"),
    [
        ({}, {"VEDETTE_PROT": "1"}, "", "VEDETTE_PROT"),
        ({}, {}, "prot = 1", "'prot'"),
        ({}, {}, 'data = "/elsewhere"', "'data'"),
        ({}, {}, "port =", "not valid TOML"),
        ({}, {"VEDETTE_PORT": "abc"}, "", "port cannot be 'abc'"),
        ({"port": 70000}, {}, "", "port cannot be 70000"),
        ({"profile": "fast"}, {}, "", "profile cannot be 'fast'"),
        ({"tls_cert": "c.pem"}, {}, "", "both tls_cert and tls_key"),
        ({"behind_proxy": True, "host": "0.0.0.0"}, {}, "", "loopback only"),
        ({"behind_proxy": True, "tls_cert": "c", "tls_key": "k"}, {}, "", "do not apply"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    tmp_path: Path, flags: dict[str, object], environment: dict[str, str], file: str, words: str
) -> None:
    (tmp_path / "vedette.toml").write_text(file)
    with pytest.raises(SettingsError) as caught:
        load_settings({"data": tmp_path, **flags}, environment)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_folder_of_test_data_is_no_setting(tmp_path: Path) -> None:
    load_settings({"data": tmp_path}, {"VEDETTE_SHARED": "/somewhere"})


def test_every_setting_is_documented_with_its_own_description() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    for name, description in setting_descriptions().items():
        assert f"| `{name}` | {description} |" in page, name

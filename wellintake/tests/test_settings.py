"""The environment: every mistake at once, by name, never by value."""

import pytest
from pydantic import ValidationError

from extraction.prices import Prices
from wellintake.environment import Environment, SettingsError, read_environment

pytestmark = pytest.mark.embedded


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name in Environment.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setitem(Environment.model_config, "env_file", None)


def problems(monkeypatch, **environment) -> list[str]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as found:
        read_environment()
    return found.value.problems


def test_nothing_needs_to_be_set():
    env = read_environment()

    assert (env.openai_model, env.extraction_engine, env.crm, env.uses_model) == ("gpt-5-mini", "auto", "auto", False)


def test_all_mistakes_are_told_at_once_and_without_their_values(monkeypatch):
    found = problems(
        monkeypatch,
        DEBUG="tru-secret",
        OPENAI_TIMEOUT="soon-secret",
        API_KEY="changeme",
        ZOHO_DC="mars-secret",
        PUBLIC_URL="https://x.example/secret",
    )

    assert [problem.partition(":")[0] for problem in sorted(found)] == [
        "API_KEY",
        "DEBUG",
        "OPENAI_TIMEOUT",
        "PUBLIC_URL",
        "ZOHO_DC",
    ]
    assert "secret" not in "".join(found)
    assert "changeme" not in "".join(found)


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({"EXTRACTION_ENGINE": "model"}, "OPENAI_API_KEY"),
        ({"CRM": "zoho"}, "ZOHO_CLIENT_ID"),
        ({"ZOHO_ENCRYPTION_KEYS": "short"}, "ZOHO_ENCRYPTION_KEYS"),
        ({"EVENT_HUB_NAME": "x"}, "EVENT_HUBS_CONNECTION_STRING"),
        ({"REDIS_URL": "http://x"}, "REDIS_URL"),
        ({"JOBS": "elsewhere"}, "JOBS"),
    ],
)
def test_settings_that_contradict_each_other_or_ask_for_too_much_are_told(monkeypatch, environment, names):
    assert names in problems(monkeypatch, **environment)[0]


@pytest.mark.parametrize("url", ["mysql://localhost/x", "nonsense"])
def test_a_database_that_is_not_served_is_refused(monkeypatch, url):
    assert problems(monkeypatch, DATABASE_URL=url)[0].startswith("DATABASE_URL")


def test_a_secret_comes_from_a_file(monkeypatch, tmp_path):
    (tmp_path / "key").write_text("a-secret-of-a-model\n")
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(tmp_path / "key"))

    env = read_environment()

    assert env.openai_api_key.get_secret_value() == "a-secret-of-a-model"
    assert "a-secret" not in repr(env)


def test_a_secret_file_that_is_not_there_is_named(monkeypatch):
    assert problems(monkeypatch, OPENAI_API_KEY_FILE="/nowhere")[0].startswith("OPENAI_API_KEY_FILE")


def test_a_list_is_given_by_commas(monkeypatch):
    monkeypatch.setenv("OWN_DOMAINS", "Well.example, other.example ,")

    assert read_environment().own_domains == ("well.example", "other.example")


def test_prices_are_given_for_each_model_by_its_name(monkeypatch):
    monkeypatch.setenv("OPENAI_MODELS", "org/own=8b")
    monkeypatch.setenv("OPENAI_PRICES", "gpt-5-mini=0.25/0.025/2, org/own=8b=1/1/4")

    assert read_environment().openai_prices == {
        "gpt-5-mini": Prices(0.25, 0.025, 2.0),
        "org/own=8b": Prices(1.0, 1.0, 4.0),
    }


@pytest.mark.parametrize(
    "prices", ["gpt-5-mini", "gpt-5-mini=1/2", "gpt-5-mini=1/2/x", "gpt-5-mini=1/2/-3", "gpt-5=1/1/1"]
)
def test_a_price_that_is_none_or_belongs_to_no_model_is_told(monkeypatch, prices):
    assert "OPENAI_PRICES" in problems(monkeypatch, OPENAI_PRICES=prices)[0]


def test_the_environment_is_read_nowhere_else():
    from wellintake.tests.server import ROOT

    readers = [
        str(file.relative_to(ROOT))
        for package in ("wellintake", "streaming", "zoho", "extraction")
        for file in (ROOT / package).rglob("*.py")
        if "tests" not in file.parts and ("os.environ" in (text := file.read_text()) or "getenv(" in text)
    ]

    assert sorted(readers) == ["wellintake/asgi.py", "wellintake/environment.py"]
    with pytest.raises(ValidationError):
        Environment(debug="perhaps")


def test_redis_means_that_workers_elsewhere_do_the_work_unless_said_otherwise(monkeypatch):
    assert read_environment().works_here
    monkeypatch.setenv("REDIS_URL", "redis://localhost")
    assert not read_environment().works_here
    monkeypatch.setenv("JOBS", "here")
    assert read_environment().works_here


def test_two_installations_in_one_redis_do_not_hear_each_other(monkeypatch):
    def prefix(url):
        monkeypatch.setenv("REDIS_URL", url)
        return read_environment().redis_prefix

    assert prefix("redis://host:6379") == prefix("redis://host:6379/0") != prefix("redis://host:6379/1")


@pytest.mark.parametrize(
    ("url", "postgresql"),
    [("postgresql://a:b@db/x?sslmode=require", True), ("postgres://db/x", True), ("sqlite:///x.sqlite3", False)],
)
def test_the_two_kinds_of_databases(monkeypatch, url, postgresql):
    monkeypatch.setenv("DATABASE_URL", url)
    assert read_environment().uses_postgresql is postgresql


@pytest.mark.parametrize(
    "environment",
    [
        {"ENTRA_TENANT_ID": "common", "ENTRA_CLIENT_ID": "11111111-2222-4333-8444-555555555555"},
        {"ENTRA_CLIENT_ID": "our-app", "ENTRA_TENANT_ID": "11111111-2222-4333-8444-555555555555"},
        {"ENTRA_TENANT_ID": "11111111-2222-4333-8444-555555555555"},
        {"ENTRA_AUTHORITY": "http://login.example"},
    ],
)
def test_a_sign_in_that_would_let_in_strangers_or_nobody_is_told(monkeypatch, environment):
    assert "ENTRA" in problems(monkeypatch, **environment)[0]

"""The files of `deploy/` are held to the settings, to each other and to what the tests run."""

import re
import shlex
from ipaddress import ip_address, ip_network

import pytest
import yaml

from streaming import views
from streaming.transports.socket import MOST_BYTES
from wellintake.environment import Environment
from wellintake.tests import nginx
from wellintake.tests.server import ROOT
from wellintake.wiring import DRAIN_SECONDS

pytestmark = pytest.mark.embedded
DEPLOY = ROOT / "deploy"
GIVEN = {"POSTGRES_PASSWORD": "a-password", "SECRET_KEY": "a-secret-key-of-more-than-32-characters"}
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def filled_in(text):
    """As compose does: `${NAME:-default}`, `${NAME:?who is missing}`."""

    def value(found):
        name, kind, default = found.groups()
        assert (kind == "?") == (name in GIVEN), name
        return GIVEN.get(name, default)

    return VARIABLE.sub(value, text)


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load(filled_in((DEPLOY / "compose.yaml").read_text()))["services"]


@pytest.fixture(scope="module")
def proxy():
    """What nginx.conf sets, by name: `directive` → its arguments, of the last block that has it."""
    text = re.sub(r"#.*", "", nginx.FILE.read_text())
    return {name: words.split() for name, words in re.findall(r"^\s*(\w+)\s+([^{};]+);", text, re.MULTILINE)}


def seconds(text):
    return float(text.removesuffix("s"))


def ours(services):
    return {name: service for name, service in services.items() if "build" in service}


def test_compose_sets_what_the_settings_know_and_take(services, monkeypatch):
    for name in Environment.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)

    assert {"web1", "web2", "worker", "migrate"} == set(ours(services))
    for service in ours(services).values():
        given = service["environment"]
        assert {name.lower() for name in given} <= set(Environment.model_fields)
        env = Environment(_env_file=None, **{name.lower(): value for name, value in given.items()})
        assert env.uses_postgresql and env.redis_url and not env.works_here


def test_compose_has_two_web_servers_and_two_workers_that_stop_in_peace(services):
    assert services["worker"]["deploy"]["replicas"] == 2
    for service in ours(services).values():
        assert seconds(service["stop_grace_period"]) >= 4 * DRAIN_SECONDS
    for name, service in services.items():
        for needed in service.get("depends_on", ()):
            assert needed in services, name


def test_nginx_stands_before_both_web_servers_and_they_believe_it(services, proxy):
    def address(name):
        return services[name]["networks"]["default"]["ipv4_address"]

    document = yaml.safe_load(filled_in((DEPLOY / "compose.yaml").read_text()))
    subnet = ip_network(document["networks"]["default"]["ipam"]["config"][0]["subnet"])
    assert nginx.SERVER.findall(nginx.FILE.read_text()) == [f"{address(name)}:8000" for name in ("web1", "web2")]
    assert all(ip_address(address(name)) in subnet for name in ("web1", "web2", "nginx"))
    for name in ("web1", "web2"):
        assert ip_network(services[name]["environment"]["TRUSTED_PROXIES"]) == ip_network(address("nginx"))
    assert [port.rpartition(":")[2] for port in services["nginx"]["ports"]] == proxy["listen"]
    assert services["web1"]["environment"]["PUBLIC_URL"] == f"http://localhost:{services['nginx']['ports'][0][:4]}"
    (mounted,) = services["nginx"]["volumes"]
    assert (DEPLOY / mounted.partition(":")[0]).samefile(nginx.FILE)


def test_nginx_holds_nothing_back_and_waits_longer_than_we_are_silent(proxy):
    assert (proxy["proxy_buffering"], proxy["gzip"], proxy["proxy_http_version"]) == (["off"], ["off"], ["1.1"])
    assert seconds(proxy["proxy_read_timeout"][0]) > views.WHOLE_SECONDS + 10
    assert int(proxy["client_max_body_size"][0].removesuffix("m")) * 1_000_000 > MOST_BYTES
    headers = dict(re.findall(r"proxy_set_header (\S+)\s+(\S+);", nginx.FILE.read_text()))
    assert set(headers) == {"Host", "Upgrade", "Connection", "X-Forwarded-For", "X-Forwarded-Proto"}


def test_compose_and_the_image_start_the_same_server(services):
    (command,) = re.findall(r"exec (uvicorn [^\"]+)", (ROOT / "Dockerfile").read_text())

    assert shlex.split(services["web1"]["command"]) == shlex.split(command)
    assert services["web1"]["command"] == services["web2"]["command"]

"""The files of `deploy/` are held to the settings, to each other and to what the tests run."""

import re
import shlex
from ipaddress import ip_address, ip_network

import pytest
import yaml
from django.db import connection
from django.test import Client

from streaming import views
from streaming.models import Run
from streaming.tests.conftest import new_run
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
    assert shlex.split(services["web1"]["command"]) == server_command()
    assert services["web1"]["command"] == services["web2"]["command"]


def server_command():
    (command,) = re.findall(r"exec (uvicorn [^\"]+)", (ROOT / "Dockerfile").read_text())
    return shlex.split(command)


# ---------------------------------------------------------------- Azure Container Apps


@pytest.fixture(scope="module")
def bicep():
    return re.sub(r"(?<!:)//.*", "", (DEPLOY / "azure" / "main.bicep").read_text())


@pytest.fixture(scope="module")
def app():
    return yaml.safe_load((DEPLOY / "azure" / "containerapp.yaml").read_text())["properties"]


def words(text):
    return re.findall(r"'((?:[^'\\\n]|\\.)*)'", text)


def test_azure_sets_what_the_settings_know(bicep, app):
    known = {name.upper() for name in Environment.model_fields}
    named = set(re.findall(r"\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b", bicep))
    given = {one["name"]: one for one in app["template"]["containers"][0]["env"]}

    assert named and named <= known
    assert set(given) <= known
    own = re.findall(r"{ name: '([A-Z_]+)', value:", bicep)
    assert set(own) <= known
    assert set(own) == {name for name, one in given.items() if "value" in one}
    secrets = {secret["name"] for secret in app["configuration"]["secrets"]}
    for name, one in given.items():
        if "secretRef" in one:
            assert one["secretRef"] == name.lower().replace("_", "-") and one["secretRef"] in secrets


def test_azure_starts_the_same_server_and_asks_for_its_health(bicep, app):
    (container,) = app["template"]["containers"]
    assert [*container["command"], *container["args"]] == server_command()
    web = bicep[bicep.index("name: 'web'") : bicep.index("resource worker")]
    assert words(web[web.index("command:") : web.index("env:")]) == server_command()

    probes = {probe["type"]: probe for probe in container["probes"]}
    assert {kind: probe["httpGet"]["path"] for kind, probe in probes.items()} == {
        "Startup": "/stream/health?probe=live",
        "Liveness": "/stream/health?probe=live",
        "Readiness": "/stream/health",
    }
    for kind, probe in probes.items():
        numbers = ", ".join(f"{name}: {number}" for name, number in probe.items() if isinstance(number, int))
        path = f"httpGet: {{ path: '{probe['httpGet']['path']}', port: 8000, httpHeaders: asOurs }}"
        assert f"{{ type: '{kind}', {path}, {numbers} }}" in web
        (header,) = probe["httpGet"]["httpHeaders"]
        assert f"var asOurs = [{{ name: '{header['name']}', value: '{header['value']}' }}]" in bicep
        # A probe calls by the container's address; with that as its host it would be refused.
        allowed = next(one["value"] for one in container["env"] if one["name"] == "ALLOWED_HOSTS")
        assert header["name"] == "Host" and header["value"] in allowed.split(",")
    assert ",localhost'" in bicep
    assert Client(headers={"host": "localhost"}).get("/stream/health?probe=live").status_code == 200


def test_azure_keeps_two_of_each_and_gives_them_time_to_end(bicep, app):
    assert re.findall(r"minReplicas: (\d+)", bicep) == ["2", "2"]
    assert app["template"]["scale"]["minReplicas"] == 2
    graces = [app["template"]["terminationGracePeriodSeconds"], *re.findall(r"PeriodSeconds: (\d+)\n", bicep)]
    assert len(graces) == 3 and all(float(grace) >= 4 * DRAIN_SECONDS for grace in graces)


@pytest.mark.django_db
def test_azures_workers_scale_by_a_query_that_counts_open_runs(bicep):
    (query,) = (word for word in words(bicep) if word.startswith("SELECT"))
    for state in Run.State:
        new_run(state=state, closed=state in ("complete", "failed", "cancelled"), message_id=None)

    with connection.cursor() as cursor:
        cursor.execute(query.replace("\\'", "'"))
        assert cursor.fetchone() == (4,)


def test_bicep_is_balanced(bicep):
    bare = re.sub(r"'(?:[^'\\\n]|\\.)*'", "''", bicep)

    assert all(bare.count(left) == bare.count(right) for left, right in ("{}", "[]", "()"))
    assert "'" not in bare.replace("''", "")


# ---------------------------------------------------------------- the image


def test_the_image_runs_as_nobody_special_from_pinned_things():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    bases = {line.split()[1] for line in lines if line.startswith("FROM ")}

    assert all(re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", base) for base in bases)
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001"]
    assert any("--require-hashes" in line for line in lines) and any("ca-certificates" in line for line in lines)
    assert any(line.startswith("HEALTHCHECK ") for line in lines)
    assert lines.index("USER 10001") < next(n for n, line in enumerate(lines) if line.startswith("CMD "))

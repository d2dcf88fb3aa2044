"""The add-in's manifests: both from one source, valid, and at this server's own address."""

import json
import os
import re
import struct
import subprocess
from xml.etree import ElementTree

import pytest

from wellintake import manifests
from wellintake.environment import Environment
from wellintake.middleware import _policy
from wellintake.tests.server import ROOT

pytestmark = pytest.mark.embedded

BT = "{http://schemas.microsoft.com/office/officeappbasictypes/1.0}"
APP = "{http://schemas.microsoft.com/office/appforoffice/1.1}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
OVERRIDES = (
    "{http://schemas.microsoft.com/office/mailappversionoverrides}",
    "{http://schemas.microsoft.com/office/mailappversionoverrides/1.1}",
)


@pytest.fixture
def read(client, settings):
    settings.ALLOWED_HOSTS = ["intake.firm.example"]

    def get(path):
        answer = client.get(path, headers={"host": "intake.firm.example"}, secure=True)
        assert answer.status_code == 200
        return answer

    return get


@pytest.fixture
def xml(read):
    return ElementTree.fromstring(read("/addin/manifest.xml").content)


@pytest.fixture
def unified(read):
    return read("/addin/manifest.json").json()


def addresses(manifest):
    """Every address that a manifest names."""
    return set(re.findall(r"https?://[^\"<\s]+", manifest)) - {
        u
        for u in re.findall(r"https?://[^\"<\s]+", manifest)
        if "schemas.microsoft.com" in u or "www.w3.org" in u or "developer.microsoft.com" in u
    }


@pytest.mark.parametrize("path", ["/addin/manifest.xml", "/addin/manifest.json"])
def test_every_address_is_https_on_this_server_and_answers(read, path):
    named = addresses(read(path).content.decode())

    assert len(named) >= 6
    for address in named:
        assert address.startswith("https://intake.firm.example/") or address == "https://intake.firm.example", address
        read(address.removeprefix("https://intake.firm.example") or "/")


def test_both_are_one_add_in_with_one_version(xml, unified):
    assert xml.findtext(f"{APP}Id") == unified["id"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", unified["id"])
    assert xml.findtext(f"{APP}Version") == f"{unified['version']}.0"
    assert all(int(part) < 65536 for part in xml.findtext(f"{APP}Version").split("."))


def test_another_server_is_another_add_in():
    ids = {manifests.facts_at(f"https://{name}.firm.example").id for name in ("test", "live")}
    assert len(ids) == 2


def test_the_version_rises_when_a_file_changes(tmp_path, settings, monkeypatch):
    settings.BASE_DIR = tmp_path
    (tmp_path / "addin" / "src").mkdir(parents=True)
    (tmp_path / "templates" / "addin").mkdir(parents=True)
    script = tmp_path / "addin" / "src" / "pane.js"
    found = []
    for at in (1_800_000_000, 1_800_000_060, 1_800_090_000):
        script.write_text("x")
        os.utime(script, (at, at))
        found.append(tuple(map(int, manifests.version.__wrapped__().split("."))))

    assert found == sorted(set(found))


@pytest.mark.parametrize("namespace", OVERRIDES)
def test_every_resource_that_xml_refers_to_is_there(xml, namespace):
    (block,) = (one for one in xml.iter(f"{namespace}VersionOverrides"))
    own = [child for child in block if not child.tag.endswith("VersionOverrides")]
    named = {one.get("id") for part in own for one in part.iter() if one.tag.startswith(BT) and one.get("id")}
    used = {one.get("resid") for part in own for one in part.iter() if one.get("resid")}

    assert used == named
    assert all(len(name) <= 32 for name in named)


def test_the_ribbon_speaks_spanish_too(read, xml, unified):
    spanish = {text for name, text in manifests.TEXTS["es-ES"].items() if name != "group"}  # our name stays our name
    for locale in manifests.SPANISH:
        assert {one.get("Value") for one in xml.iter() if one.get("Locale") == locale} == spanish

    (file,) = unified["localizationInfo"]["additionalLanguages"]
    told = read(f"/addin/{file['file']}").json()
    save = "extensions[0].ribbons[0].tabs[0].groups[0].controls[1]"
    assert told[f"{save}.label"] == told[f"{save}.supertip.title"] == "Guardado rápido"
    assert unified["extensions"][0]["ribbons"][0]["tabs"][0]["groups"][0]["controls"][1]["label"] == "Quick save"
    assert len(told["description.short"]) <= 80


def test_labels_are_as_short_as_outlook_wants_them(xml):
    for text, limit in ((f"{BT}ShortStrings", 125), (f"{BT}LongStrings", 250)):
        for block in xml.iter(text):
            for one in block.iter():
                value = one.get("DefaultValue") or one.get("Value")
                assert value is None or len(value) <= limit
    assert len(xml.find(f"{APP}Description").get("DefaultValue")) <= 250


def test_the_pane_can_be_pinned_and_only_reading_is_asked_for(xml, unified):
    (newest,) = xml.iter(f"{OVERRIDES[1]}VersionOverrides")

    assert newest.findtext(f".//{OVERRIDES[1]}SupportsPinning") == "true"
    assert xml.findtext(f"{APP}Permissions") == "ReadItem"
    assert unified["authorization"]["permissions"]["resourceSpecific"] == [
        {"name": "MailboxItem.Read.User", "type": "Delegated"}
    ]
    actions = {action["id"] for runtime in unified["extensions"][0]["runtimes"] for action in runtime["actions"]}
    (group,) = unified["extensions"][0]["ribbons"][0]["tabs"][0]["groups"]
    assert {control["actionId"] for control in group["controls"]} == actions


def test_the_command_that_the_manifest_names_is_the_one_that_the_script_offers(xml):
    script = (ROOT / "addin" / "src" / "commands.js").read_text()
    for namespace in OVERRIDES:
        (name,) = {one.text for one in xml.iter(f"{namespace}FunctionName")}
        assert f'associate("{name}"' in script


@pytest.mark.parametrize("size", manifests.ICON_SIZES)
def test_icons_have_the_size_that_they_claim(size):
    head = (ROOT / "addin" / "src" / "icons" / f"icon-{size}.png").read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", head[16:24]) == (size, size)


def test_microsofts_own_reader_takes_both(read, tmp_path):
    (tmp_path / "manifest.xml").write_bytes(read("/addin/manifest.xml").content)
    (tmp_path / "manifest.json").write_bytes(read("/addin/manifest.json").content)
    check = ROOT / "addin" / "tests" / "manifests.js"
    said = subprocess.run(["node", check, tmp_path], capture_output=True, text=True, check=False, cwd=ROOT / "addin")

    assert said.returncode == 0, said.stderr
    assert {one["id"] for one in json.loads(said.stdout)} == {read("/addin/manifest.json").json()["id"]}


@pytest.mark.parametrize(("path", "is_pane"), [("/addin/taskpane.html", True), ("/", False), ("/admin/login/", False)])
def test_microsoft_may_be_asked_by_the_pane_only_and_only_where_people_sign_in_there(path, is_pane):
    sign_in = ("https://login.microsoftonline.com",)

    assert ("login.microsoftonline.com" in _policy(path, (), sign_in)) == is_pane
    assert "login.microsoftonline.com" not in _policy(path, ())


def test_the_pane_is_told_whom_to_ask_for_a_token():
    tenants = [f"{digit * 8}-1111-4111-8111-111111111111" for digit in "12"]
    told = [
        Environment(ENTRA_TENANT_ID=listed, ENTRA_CLIENT_ID=tenants[1]).entra_sign_in["authority"]
        for listed in (tenants[0], ",".join(tenants))
    ]

    assert told == [f"https://login.microsoftonline.com/{one}" for one in (tenants[0], "organizations")]
    assert Environment().entra_sign_in is None


@pytest.mark.parametrize(
    ("path", "framed"),
    [("/addin/taskpane.html", "https://outlook.office.com"), ("/addin/simulator/", "'none'"), ("/", "'none'")],
)
def test_only_outlook_may_frame_the_pane(read, path, framed):
    answer = read(path)
    (ancestors,) = re.findall(r"frame-ancestors ([^;]+)", answer.headers["Content-Security-Policy"])

    assert framed in ancestors
    assert "X-Frame-Options" not in answer.headers
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]

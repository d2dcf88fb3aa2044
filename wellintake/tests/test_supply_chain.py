"""What is shipped is what we say it is: hashes, versions, the bill of materials."""

import hashlib
import importlib.util
import json
import re

import pytest

from wellintake.tests.server import ROOT

pytestmark = pytest.mark.embedded

ADD_IN = ROOT / "addin"
VENDORED = json.loads((ADD_IN / "vendored.json").read_bytes())
spec = importlib.util.spec_from_file_location("sbom", ROOT / "deploy" / "sbom.py")
sbom = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sbom)


def test_every_copied_file_is_the_one_that_is_named_with_its_licence():
    named = {file: content for one in VENDORED for file, content in one["files"].items()}
    there = {
        f"src/vendor/{path.name}" for path in (ADD_IN / "src" / "vendor").iterdir() if path.suffix in (".js", ".css")
    }
    assert set(named) == there
    assert {file: hashlib.sha256((ADD_IN / file).read_bytes()).hexdigest() for file in named} == named
    for one in VENDORED:
        assert (ADD_IN / "src" / "vendor" / f"{_short(one)}.LICENSE").exists()
        assert one["purl"].endswith(f"@{one['version']}")


def _short(one):
    """`@azure/msal-browser` is copied as `msal`."""
    return one["name"].rpartition("/")[2].removesuffix("-browser")


@pytest.mark.parametrize("name", ["@microsoft/signalr", "@azure/msal-browser"])
def test_a_copied_client_has_the_version_that_npm_audits(name):
    packages = json.loads((ADD_IN / "package.json").read_bytes())["devDependencies"]
    versions = {one["name"]: one["version"] for one in VENDORED}
    assert versions[name] == packages[name]


@pytest.mark.parametrize("locked", sorted(ROOT.glob("requirements*.txt")), ids=lambda file: file.stem)
def test_every_package_is_pinned_and_hashed(locked):
    wanted = re.split(
        r"\n(?=[A-Za-z0-9])", "\n".join(line for line in locked.read_text().splitlines() if line[:1] != "#")
    )
    assert len(wanted) >= 2
    for one in wanted:
        assert re.match(r"[\w.\[\],-]+==\S+", one), one[:80]
        assert "--hash=sha256:" in one, one[:80]


def component(name, version="1.0", **more):
    return {"bom-ref": f"{name}=={version}", "name": name, "version": version, **more}


def test_the_bill_holds_what_is_locked_and_installed_with_its_hashes_and_what_is_copied():
    installed = {
        "components": [*map(component, sorted(sbom.REQUIRED)), component("Zope.Interface"), component("pytest")],
        "dependencies": [
            {"ref": "Zope.Interface==1.0", "dependsOn": ["pytest==1.0", "django==1.0"]},
            {"ref": "pytest==1.0"},
        ],
        "metadata": {"properties": ["of this machine"]},
    }
    digest = {"alg": "SHA-256", "content": "ab"}
    known = [*sorted(sbom.REQUIRED), "zope-interface", "only-for-windows"]
    locked = {"components": [component(name, externalReferences=[{"hashes": [digest]}]) for name in known]}

    bill = sbom.assembled(installed, locked, VENDORED)

    names = [one["name"] for one in bill["components"]]
    assert names == [*sorted(sbom.REQUIRED), "Zope.Interface", *(one["name"] for one in VENDORED)]
    assert all(one["hashes"] for one in bill["components"])
    assert bill["dependencies"] == [{"ref": "Zope.Interface==1.0", "dependsOn": ["django==1.0"]}]
    assert bill["metadata"]["component"]["version"] and "of this machine" not in json.dumps(bill)


def test_a_bill_of_the_wrong_environment_is_refused():
    with pytest.raises(SystemExit, match="django"):
        sbom.assembled({"components": [], "dependencies": [], "metadata": {}}, {"components": []}, VENDORED)

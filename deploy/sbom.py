"""The bill of materials of what is shipped, CycloneDX 1.6: `python deploy/sbom.py .venv/bin/python sbom.json`.

`cyclonedx-py` tells of each installed package its licence and needs, and of each locked one its hashes. Together
they are the packages of `requirements.txt` as they are installed here, without those of tests. What we have copied into
the add-in is added from `addin/vendored.json`.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
Bill = dict[str, Any]


def assembled(installed: Bill, locked: Bill, vendored: Sequence[Mapping[str, Any]]) -> Bill:
    """The installed components that are locked, with the hashes that may be installed, and what is vendored."""
    hashes = {_key(component): list(_hashes_of(component)) for component in locked["components"]}
    ours = [one for one in installed["components"] if _key(one) in hashes]
    references = {one["bom-ref"] for one in ours}
    if missing := REQUIRED - {one["name"].lower() for one in ours}:
        raise SystemExit(f"Not installed as locked: {', '.join(sorted(missing))}. Run `make run` once.")
    return {
        **installed,
        "components": [
            *({**one, "hashes": hashes[_key(one)]} for one in ours),
            *map(_copied, vendored),
        ],
        "dependencies": [
            {**one, "dependsOn": [name for name in one.get("dependsOn", ()) if name in references]}
            for one in installed["dependencies"]
            if one["ref"] in references
        ],
        "metadata": {**installed["metadata"], "component": _itself(), "properties": []},
    }


# What a server cannot be without: a bill that lacks one was made of the wrong environment.
REQUIRED = {"django", "channels", "uvicorn", "cryptography", "pydantic"}


def _key(component: Mapping[str, Any]) -> tuple[str, str]:
    """Packages have many spellings: https://packaging.python.org/en/latest/specifications/name-normalization/."""
    return re.sub(r"[-_.]+", "-", component["name"]).lower(), component["version"]


def _hashes_of(component: Mapping[str, Any]) -> Iterable[Mapping[str, str]]:
    for reference in component.get("externalReferences", ()):
        yield from reference.get("hashes", ())


def _copied(one: Mapping[str, Any]) -> Bill:
    return {
        "bom-ref": f"vendored {one['name']}@{one['version']}",
        "type": "library",
        "name": one["name"],
        "version": one["version"],
        "purl": one["purl"],
        "licenses": [{"license": {"id": one["license"]}}],
        "hashes": [{"alg": "SHA-256", "content": content} for content in one["files"].values()],
        "properties": [{"name": "wellintake:file", "value": f"addin/{file}"} for file in one["files"]],
    }


def _itself() -> Bill:
    version = re.search(r'^__version__ = "(.+)"', (ROOT / "wellintake" / "__init__.py").read_text(), re.MULTILINE)
    return {"bom-ref": "well-intake", "type": "application", "name": "well-intake", "version": version and version[1]}


def _told(*command: str) -> Bill:
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        tool = [sys.executable, "-m", "cyclonedx_py", *command, "--output-reproducible", "--sv", "1.6"]
        subprocess.run([*tool, "--of", "JSON", "-o", file.name], check=True)  # noqa: S603
        bill: Bill = json.loads(Path(file.name).read_bytes())
        return bill


def _refuse_what_is_no_bill(text: str) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    if fault := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise SystemExit(f"Not CycloneDX 1.6: {fault}")


def main(python: str, to: str) -> None:
    vendored = json.loads((ROOT / "addin" / "vendored.json").read_bytes())
    installed, locked = _told("environment", python), _told("requirements", str(ROOT / "requirements.txt"))
    bill = assembled(installed, locked, vendored)
    text = json.dumps(bill, indent=1, sort_keys=True) + "\n"
    _refuse_what_is_no_bill(text)
    Path(to).write_text(text)
    print(f"{to}: {len(bill['components'])} components")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""How much a pane downloads, as a browser gets it: collected, compressed, over HTTP."""

import posixpath
import re

import pytest
from django.core.management import call_command

pytestmark = pytest.mark.embedded

MOST = 120_000  # bytes of JavaScript
AZURE = "/static/addin/vendor/signalr.js"  # only where Azure SignalR is set up
MICROSOFT = (
    "/static/addin/vendor/msal.js"  # only where people sign in with Entra; as large as all the rest, so not counted
)
# At once: `import … from "./x.js"`; later: `import("./x.js")`; by the page itself: `<script src="/x.js">`.
STATIC_IMPORT = r'^import\s(?:[^"]*\sfrom\s)?"(\.[^"]+)"'
LATER = r'\bimport\("(\.[^"]+)"\)'
SCRIPT = r'<script[^>]* src="(/[^"]+)"'


@pytest.fixture
def load(client, settings, tmp_path):
    """The body of an address, and how many bytes of it cross the network."""
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.STATIC_ROOT = tmp_path
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]  # ours, not the admin's
    settings.WHITENOISE_USE_FINDERS = False
    call_command("collectstatic", interactive=False, verbosity=0)

    def get(path):
        crossed = client.get(path, headers={"accept-encoding": "gzip"})
        plain = client.get(path)
        assert (crossed.status_code, plain.status_code) == (200, 200), path
        return plain.getvalue().decode(), len(crossed.getvalue()), crossed.headers.get("Content-Encoding")

    return get


def scripts_of(load, page, imports):
    """Bytes of every script that the page loads, by address."""
    found = {}
    waiting = re.findall(SCRIPT, load(page)[0])
    while waiting:
        address = waiting.pop()
        if address in found:
            continue
        source, found[address], encoding = load(address)
        assert encoding == "gzip" or len(source) < 1000, address
        named = [name for pattern in imports for name in re.findall(pattern, source, re.MULTILINE)]
        waiting += [posixpath.normpath(posixpath.join(posixpath.dirname(address), name)) for name in named]
    return found


@pytest.mark.parametrize("page", ["taskpane", "commands"])
def test_the_script_of_a_pane_stays_small(load, page):
    at_once = scripts_of(load, f"/addin/{page}.html", [STATIC_IMPORT])
    whole = scripts_of(load, f"/addin/{page}.html", [STATIC_IMPORT, LATER])

    assert "/static/addin/outlook.js" in at_once
    assert set(whole) - set(at_once) == {AZURE, MICROSOFT}
    assert sum(whole.values()) - whole[MICROSOFT] <= MOST, sorted(whole.items(), key=lambda one: -one[1])

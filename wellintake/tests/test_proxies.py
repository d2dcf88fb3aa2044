"""From which address a call comes, and whom we believe about it."""

import pytest

from wellintake.access.proxies import Proxies

pytestmark = pytest.mark.embedded


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "1.1.1.1", "203.0.113.9"),  # nobody whom we trust said so
        ("10.0.0.2", "", "10.0.0.2"),
        ("10.0.0.2", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.2", "1.1.1.1, 203.0.113.9", "203.0.113.9"),  # the client wrote the first one itself
        ("10.0.0.2", "1.1.1.1, 203.0.113.9, 10.0.0.3", "203.0.113.9"),
        ("10.0.0.2", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.2", "[2001:db8:1:2:3::4]:4711", "2001:db8:1:2::/64"),
        ("10.0.0.2", "nonsense", "10.0.0.2"),
        ("2001:db8:1:2::5", "", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "", "203.0.113.9"),
        ("", "", "unknown"),
        (None, "203.0.113.9", "unknown"),
    ],
)
def test_the_address_of_a_client(peer, forwarded, client):
    assert Proxies(["10.0.0.0/8"]).client_of(peer, forwarded) == client

"""Who belongs to the recruiting firm, and which addresses are a service's: nobody to file."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from extraction.letter import Party
from extraction.patterns.names import looks_like_a_name
from extraction.types import OwnFirm


@dataclass(frozen=True)
class Circle:
    """Who belongs to the recruiting firm or to a service, and so is nobody to file."""

    own: OwnFirm

    def is_own(self, party: Party | None) -> bool:
        if party is None:
            return False
        user = self.own.user
        if user and party.email and user.email and party.email == user.email.lower():
            return True
        if user and party.name and user.name and party.name.casefold() == user.name.casefold():
            return True
        return domain_of(party.email) in self.own.domains

    def is_outside(self, party: Party | None) -> bool:
        return (
            party is not None and bool(party.name or party.email) and not self.is_own(party) and not is_service(party)
        )

    def names(self) -> Iterable[str]:
        return self.own.names


_SERVICE_DOMAINS = frozenset(
    {"calendly.com", "linkedin.com", "indeed.com", "ziprecruiter.com", "docusign.net", "zoom.us"}
)
# Nobody answers there in person, whatever the display name says …
_ROBOT = re.compile(
    r"^(?:no-?_?reply|do-?not-?reply|notif\w*|alerts?|delivery|mailer-daemon|postmaster|bounce\S*|newsletters?|"
    r"applicant-\S+|messages-noreply|inmail-\S+|invitations\S*|support|billing|updates?|system|nobody|root|www-data|"
    r"wordpress|webserver|formmail)$"
)
# … and nobody unless a person's name is displayed.
_ROLE = re.compile(
    r"^(?:(?:quick)?appl(?:y|ications?|icants?)|leads?|exports?|unlock|bookings?|jobs?|careers?\w*|webinars?|events?|news|"
    r"forms?|submissions?|admin|notify|hello|info|office|contact|team|desk|hr|people|success|digests?|mail(?:er|ing)?|"
    r"marketing|sales|account(?:s|ing)?|bewerbung(?:en)?|candidatures?|empleo|vagas|seleccion|scheduling|calendar)$"
)


def is_service(party: Party | None) -> bool:
    """Addresses that nobody answers in person: robots, and role mailboxes that show no person's name."""
    return party is not None and bool(party.email) and (is_robot(party) or is_role(party))


def is_robot(party: Party) -> bool:
    """What is sent there reaches nobody."""
    local, _, domain = (party.email or "").partition("@")
    return any(domain == name or domain.endswith("." + name) for name in _SERVICE_DOMAINS) or bool(_ROBOT.match(local))


def is_role(party: Party) -> bool:
    """A mailbox of a role, or of a service, that shows no person's name."""
    local, _, domain = (party.email or "").partition("@")
    return bool(_ROLE.match(local) or _ROBOT.match(local)) and (
        not looks_like_a_name(party.name or "") or _is_brand(party.name or "", domain)
    )


def _is_brand(name: str, domain: str) -> bool:
    """ "Advisor Vault" at advisorvault.com is no person; nor is "RosterPost Employer Success" at rosterpost.com."""
    label = re.sub(r"\W", "", domain.partition(".")[0])
    words = [re.sub(r"\W", "", word) for word in name.lower().split()]
    return any(len(word) > 5 and word in label for word in words) or "".join(words) in label


def domain_of(address: str | None) -> str:
    return (address or "").rpartition("@")[2].lower()

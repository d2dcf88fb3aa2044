"""What can go wrong with Zoho, in our own words: its own texts may quote the values that we sent."""

from collections.abc import Mapping
from typing import Any

from extraction.errors import CrmError, CrmRejected, CrmUnavailable


class ZohoUnavailable(CrmUnavailable):
    """No answer, or none that says what became of the call. `sent`: Zoho may have carried it out all the same, so
    whoever repeats a write looks first."""

    message = "Zoho cannot be reached at the moment."

    def __init__(self, message: str | None = None, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class ZohoRateLimited(CrmUnavailable):
    """Too many calls. The call was not carried out; `retry_after` is in how many seconds to ask again, where told."""

    code = "crm_rate_limited"
    message = "Zoho is over its limit of calls."

    def __init__(self, message: str | None = None, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ZohoNotConnected(CrmError):
    """Zoho does not take our grant, or there is none. Trying again helps once an administrator has connected it."""

    code = "crm_not_connected"
    message = "Zoho is not connected. An administrator can connect it in the admin, under CRM, Zoho connection."


class ZohoConflict(CrmError):
    """Somebody has changed the record since the time that was named; nothing was written."""

    code = "crm_conflict"
    message = "Somebody has changed the record in Zoho meanwhile."


class ZohoRefused(CrmRejected):
    """Zoho does not take a record or a request as it is. `reason` is Zoho's code, `api_name` the field at fault."""

    def __init__(self, reason: str, api_name: str | None = None, details: Mapping[str, Any] | None = None) -> None:
        self.reason = reason
        self.api_name = api_name
        self.details = dict(details or {})
        super().__init__(_words_for(reason, api_name, self.details))


def _words_for(reason: str, field: str | None, details: Mapping[str, Any]) -> str:
    match reason:
        case "MANDATORY_NOT_FOUND":
            return f"Zoho demands a value for {field or 'a field'}."
        case "DUPLICATE_DATA":
            return f"Zoho holds another record with this {field or 'value'} already."
        case "INVALID_DATA" if field and "maximum_length" in details:
            return f"The value for {field} is too long: Zoho takes {details['maximum_length']} characters."
        case "INVALID_DATA" if field and "expected_data_type" in details:
            return f"Zoho does not take the value for {field}: it wants {details['expected_data_type']}."
        case "INVALID_DATA" if field:
            return f"Zoho does not take the value for {field}."
        case "NO_PERMISSION" | "AUTHORIZATION_FAILED":
            return "The Zoho user who connected us has no permission for this."
        case "RECORD_LOCKED" | "NOT_APPROVED":
            return "The record is locked in Zoho or waits for an approval there."
        case "FILE_SIZE_MORE_THAN_ALLOWED_SIZE" | "BODY_SIZE_REACHED" | "FILE_SIZE_EXCEEDS":
            return "The file is larger than Zoho takes."
        case "INVALID_MODULE":
            return "The Zoho organisation does not have this module."
        case _:
            return f"Zoho refused it ({reason}{f', {field}' if field else ''})."

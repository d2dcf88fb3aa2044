"""Every failure that may reach a user, in our own words.

An error says three things: a stable `code` for machines, a `message` fit to show to a recruiter, and whether
trying again can help. Exception text of libraries never travels: adapters translate and chain the cause.
"""


class IntakeError(Exception):
    """A failure with words of our own. Never put mail text or a library's message into `message`."""

    code = "internal"
    message = "Something went wrong on our side. Nothing was lost; please try again."
    retryable = True

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)
        if message:
            self.message = message


class UnreadableMail(IntakeError):
    code = "unreadable_mail"
    message = "This mail could not be read."
    retryable = False


class ModelError(IntakeError):
    """The language model gave no whole answer; what the rules found still stands.

    `of_service` tells a failure that the next mail would meet as well from one of this mail alone; `retry_after` is
    in how many seconds the service wants to be asked again, where it said so.
    """

    code = "model_failed"
    message = "The language model failed."
    of_service = False

    def __init__(self, message: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelUnavailable(ModelError):
    code = "model_unavailable"
    message = "The language model cannot be reached."
    of_service = True


class ModelTooSlow(ModelUnavailable):
    message = "The language model took too long."


class ModelPaused(ModelUnavailable):
    """It was not asked at all: its breaker is open. The message says since when."""


class ModelRateLimited(ModelError):
    code = "model_rate_limited"
    message = "The language model is over its limit."
    of_service = True


class ModelRejected(ModelError):
    """Our request was refused for good: a wrong key, an unknown model, a schema it does not take."""

    code = "model_rejected"
    message = "The language model did not accept the request."
    retryable = False
    of_service = True


class ModelOverfilled(ModelError):
    code = "model_overfilled"
    message = "The mail is too long for the language model."
    retryable = False


class ModelRefused(ModelError):
    code = "model_refused"
    message = "The language model declined to answer."
    retryable = False


class ModelIncomplete(ModelError):
    code = "model_incomplete"
    message = "The language model's answer broke off."


class ResearchError(IntakeError):
    code = "research_failed"
    message = "The company's web page could not be read."


class CrmError(IntakeError):
    code = "crm_failed"
    message = "The CRM did not store the record."


class CrmUnavailable(CrmError):
    code = "crm_unavailable"
    message = "The CRM cannot be reached."


class CrmRejected(CrmError):
    code = "crm_rejected"
    message = "The CRM refused the record."
    retryable = False


class MemoryUnavailable(IntakeError):
    code = "rules_unknown"
    message = "Earlier corrections could not be looked up."


class LeaseLost(Exception):
    """Another worker (or a cancel) owns the run now: stop quietly, write nothing more. Not shown to anybody."""

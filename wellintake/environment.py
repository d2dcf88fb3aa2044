"""Every setting of the environment, with its type, its default and what it is for (contract §8).

`Environment()` reads; only `settings.py` calls it. All mistakes are found at once and told by name, never by value:
a mistyped secret must not end up in a log.
"""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from extraction.prices import Prices, prices_from
from extraction.seal import key_bytes
from streaming.azure.endpoint import BadConnectionString, Endpoint
from streaming.azure.event_hubs import HubAddress

BASE = Path(__file__).resolve().parent.parent

UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
POSTGRESQL = ("postgresql", "postgres")
PLACEHOLDER_KEYS = frozenset(
    {"changeme", "change-me", "secret", "test", "api-key", "apikey", "your-api-key", "your_api_key", "password", "xxx"}
)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http or https address")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must be an origin without a path")
    return f"{parts.scheme}://{parts.netloc}"


def _parts_of(secret: SecretStr | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in secret.get_secret_value().split(",") if part.strip()) if secret else ()


def _address(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http or https address")
    return address.rstrip("/")


Origin = Annotated[str, AfterValidator(_origin)]
Address = Annotated[str, AfterValidator(_address)]
Names = Annotated[tuple[str, ...], NoDecode]
PriceList = Annotated[dict[str, Prices], NoDecode]


class Environment(BaseSettings):
    """The settings. Names are the environment's, in lower case."""

    model_config = SettingsConfigDict(env_file=BASE / ".env", extra="ignore", env_ignore_empty=True)

    secret_key: SecretStr | None = Field(
        None, description="Signs tokens and cookies. Default: made once, kept in `var/`."
    )
    debug: bool = Field(False, description="Shows tracebacks in the admin and opens the page at `/` to loopback.")
    allowed_hosts: Names = Field(
        ("localhost", "127.0.0.1", "[::1]"), description="Host names that the server answers to, by commas."
    )
    allowed_origins: Names = Field((), description="Origins beside our own whose pages may open sockets, by commas.")
    public_url: Origin | None = Field(
        None, description="The server's address as clients see it. Default: from the request."
    )
    database_url: SecretStr | None = Field(
        None,
        description="`postgresql://user:password@host/name` or `sqlite:///file`. Default: SQLite in `var/`.",
    )
    redis_url: SecretStr | None = Field(
        None,
        description="`redis://` or `rediss://`: queue and wake-ups. Default: none, everything in one process.",
    )
    jobs: Literal["auto", "here", "elsewhere"] = Field(
        "auto",
        description="Who works on runs: the server, or `manage.py worker`. `auto`: elsewhere with `REDIS_URL`.",
    )
    api_key: SecretStr | None = Field(None, description="One legacy key; refused when it is a known placeholder.")
    own_domains: Names = Field((), description="The firm's mail domains, by commas: nobody there is a candidate.")
    own_names: Names = Field((), description="The firm's names, by commas: never taken for a candidate's company.")

    openai_api_key: SecretStr | None = Field(None, description="Key of the model's server.")
    openai_base_url: Address | None = Field(None, description="Any OpenAI-compatible server.")
    openai_model: str = Field("gpt-5-mini", description="Name of the model.")
    openai_models: Names = Field((), description="Other models that a rerun may ask for, by commas.")
    openai_api: Literal["responses", "chat"] = Field("responses", description="Which of OpenAI's two interfaces.")
    openai_timeout: Annotated[float, Field(gt=0, le=600)] = Field(
        20.0, description="Longest silence of the model, in seconds; then the run finishes on patterns."
    )
    openai_deadline: Annotated[float, Field(gt=0, le=600)] = Field(
        60.0, description="Time for the model's whole answer, in seconds; then the run finishes on patterns."
    )
    openai_prices: PriceList = Field(
        {}, description="Prices of a million tokens, `model=input/cached/output` by commas. Default: cost is not told."
    )
    openai_currency: str = Field("USD", description="What the prices are in.")
    extraction_engine: Literal["auto", "model", "patterns"] = Field(
        "auto", description="`auto` uses the model when a key or base URL is set."
    )

    azure_signalr_connection_string: SecretStr | None = Field(
        None, description="Azure SignalR Service, serverless mode."
    )
    azure_signalr_hub: str = Field("emailprocessing", description="Its hub.")
    azure_signalr_upstream_secret: Annotated[SecretStr, Field(min_length=16)] | None = Field(
        None, description="What its upstream address ends in. Default: clients there listen only."
    )

    zoho_client_id: str | None = Field(None, description="OAuth client of the Zoho API console.")
    zoho_client_secret: SecretStr | None = Field(None, description="Its secret.")
    zoho_refresh_token: SecretStr | None = Field(None, description="The grant.")
    zoho_dc: Literal["com", "eu", "in", "com.au", "jp", "ca", "sa", "com.cn"] = Field("com", description="Data centre.")
    zoho_api_url: Origin | None = Field(None, description="Overrides what follows from the data centre.")
    zoho_accounts_url: Origin | None = Field(None, description="Overrides what follows from the data centre.")
    zoho_default_owner_email: str | None = Field(None, description="Owner of records whose user Zoho does not know.")
    zoho_encryption_keys: SecretStr | None = Field(
        None, description="Fernet keys for the tokens at rest, newest first, by commas. Default: from `SECRET_KEY`."
    )
    zoho_concurrency: Annotated[int, Field(ge=1, le=25)] = Field(10, description="Calls to Zoho at once, a process.")
    zoho_calls_per_second: Annotated[float, Field(gt=0, le=1000)] = Field(20.0, description="Calls to Zoho a second.")
    zoho_timeout: Annotated[float, Field(gt=0, le=300)] = Field(20.0, description="Longest silence of Zoho in seconds.")
    zoho_patience: Annotated[float, Field(gt=0, le=600)] = Field(
        30.0, description="For how many seconds a call that Zoho could not take is begun again."
    )
    zoho_deal_key_field: Annotated[str, Field(pattern=r"^([A-Za-z]\w*)?$")] | None = Field(
        None, description="API name of the unique field of Deals that holds our key (docs/zoho.md)."
    )
    zoho_duplicate_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        30, description="For how many days an open deal of the same contact, title and company is a duplicate."
    )
    crm: Literal["auto", "zoho", "embedded"] = Field("auto", description="`auto` uses Zoho when its grant is set.")

    research: Literal["on", "off"] = Field("on", description="Look at the company's web page.")
    research_timeout: Annotated[float, Field(gt=0, le=60)] = Field(5.0, description="Its deadline in seconds.")
    research_allow_hosts: Names = Field((), description="Tests: hosts that the SSRF guard lets through, by commas.")
    firecrawl_api_key: SecretStr | None = Field(None, description="Firecrawl instead of our own fetch.")

    entra_tenant_id: Names = Field(
        (), description="Ids of the Microsoft Entra tenants whose people may sign in, by commas (docs/security.md)."
    )
    entra_client_id: Annotated[str, Field(pattern=UUID)] | None = Field(
        None, description="Id of our application there."
    )
    entra_scope: str = Field("access_as_user", description="What that application exposes and its users consent to.")
    entra_authority: Origin = Field(
        "https://login.microsoftonline.com", description="Who signs them in; national clouds have their own."
    )
    entra_admin_secret: SecretStr | None = Field(
        None, description="Client secret of that application: staff of the first tenant sign in to the admin by it."
    )
    entra_staff: Names = Field((), description="Roles, or ids of groups, there that make somebody staff, by commas.")
    entra_superusers: Names = Field((), description="Roles, or ids of groups, that may do everything, by commas.")
    admin_passwords: bool = Field(True, description="Whether the admin lets people in by name and password.")
    event_hubs_connection_string: SecretStr | None = Field(
        None, description="Azure Event Hubs: closed runs' events go there (docs/operations.md)."
    )
    event_hub_name: str | None = Field(None, description="The hub for them, unless the connection string names it.")
    event_hubs_mail_text: bool = Field(
        False, description="Tells words of the mails there, too: values, quotes, drafts."
    )

    mail_encryption_keys: SecretStr | None = Field(
        None, description="Keys for mails at rest, newest first, by commas (docs/security.md). Default: not encrypted."
    )
    retention_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        90, description="Closed runs that are older are deleted, with their mails and logs."
    )
    audit_days: Annotated[int, Field(ge=30, le=36_500)] = Field(
        730, description="Entries of the audit log that are older are deleted."
    )
    max_runs_per_user: Annotated[int, Field(ge=1)] = Field(100, description="Runs in flight.")
    max_concurrent_runs: Annotated[int, Field(ge=1)] = Field(
        250, description="Runs that one process works on at once; further ones wait in the queue."
    )
    max_connections_per_user: Annotated[int, Field(ge=1)] = Field(20, description="Open streams and sockets.")
    max_requests_per_user: Annotated[int, Field(ge=1)] = Field(6000, description="Calls a minute by one key or user.")
    max_requests_per_address: Annotated[int, Field(ge=1)] = Field(
        12000, description="Calls a minute from one address; of IPv6, from one /64."
    )
    max_failed_logins: Annotated[int, Field(ge=1)] = Field(
        10, description="With one key or user name from one address, before each has to wait twice as long as the last."
    )
    max_login_wait: Annotated[int, Field(ge=1, le=86400)] = Field(
        900, description="Longest such wait, in seconds; failures are counted in spans as long."
    )
    trusted_proxies: Names = Field(
        (), description="Networks of our own proxies, whose `X-Forwarded-For` is believed, as CIDR by commas."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged.")
    log_format: Literal["console", "json"] = Field("console", description="For people or for machines.")
    otel_exporter_otlp_endpoint: Address | None = Field(None, description="OpenTelemetry traces go there.")
    workflow: Literal["plain", "langgraph"] = Field("plain", description="How the pipeline's steps are called.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, SecretFiles(settings_cls), dotenv_settings

    @field_validator(
        "allowed_hosts",
        "allowed_origins",
        "own_domains",
        "own_names",
        "openai_models",
        "entra_tenant_id",
        "entra_staff",
        "entra_superusers",
        "trusted_proxies",
        "research_allow_hosts",
        mode="before",
    )
    @classmethod
    def _by_commas(cls, given: Any) -> Any:
        return tuple(part.strip() for part in given.split(",") if part.strip()) if isinstance(given, str) else given

    @field_validator("openai_prices", mode="before")
    @classmethod
    def _price_list(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        pairs = [part.rpartition("=") for part in given.split(",") if part.strip()]
        try:
            return {name.strip(): prices_from(prices) for name, _, prices in pairs}
        except ValueError:
            raise ValueError("must be model=input/cached/output by commas, such as gpt-5-mini=0.25/0.025/2") from None

    @field_validator("own_domains")
    @classmethod
    def _domains(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        if any("@" in domain or "." not in domain for domain in domains):
            raise ValueError("must be domains such as well.example, without @")
        return tuple(domain.lower() for domain in domains)

    @field_validator("entra_tenant_id")
    @classmethod
    def _tenant_ids(cls, tenants: tuple[str, ...]) -> tuple[str, ...]:
        # Neither `common` nor a domain: a token names its tenant by id, and who is not listed stays outside.
        if not all(re.match(UUID, tenant) for tenant in tenants):
            raise ValueError("must be ids such as 00000000-0000-0000-0000-000000000000")
        return tuple(tenant.lower() for tenant in tenants)

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(str(ip_network(network)) for network in networks)
        except ValueError:
            raise ValueError("must be networks such as 10.0.0.0/8") from None

    @field_validator("entra_authority")
    @classmethod
    def _encrypted(cls, authority: str) -> str:
        parts = urlsplit(authority)
        if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1"):
            raise ValueError("must be an https address")
        return authority

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_origin(origin) for origin in origins)

    @field_validator("api_key")
    @classmethod
    def _no_placeholder(cls, key: SecretStr | None) -> SecretStr | None:
        if key and (key.get_secret_value().lower() in PLACEHOLDER_KEYS or len(key.get_secret_value()) < 16):
            raise ValueError("is a placeholder or shorter than 16 characters")
        return key

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        if key and len(key.get_secret_value()) < 32:
            raise ValueError("is shorter than 32 characters")
        return key

    @field_validator("zoho_encryption_keys")
    @classmethod
    def _fernet_keys(cls, keys: SecretStr | None) -> SecretStr | None:
        try:
            for key in _parts_of(keys):
                Fernet(key)
        except ValueError:
            raise ValueError("must be Fernet keys (32 bytes in URL-safe Base64) by commas") from None
        return keys

    @field_validator("mail_encryption_keys")
    @classmethod
    def _mail_keys(cls, keys: SecretStr | None) -> SecretStr | None:
        try:
            for key in _parts_of(keys):
                key_bytes(key)
        except ValueError:
            raise ValueError("must be keys as `manage.py rotate_mail_keys --new-key` makes them, by commas") from None
        return keys

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: SecretStr | None) -> SecretStr | None:
        if url and urlsplit(url.get_secret_value()).scheme not in ("sqlite", *POSTGRESQL):
            raise ValueError("must be postgresql://user:password@host/name or sqlite:///file")
        return url

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, url: SecretStr | None) -> SecretStr | None:
        if url and urlsplit(url.get_secret_value()).scheme not in ("redis", "rediss"):
            raise ValueError("must be redis://host:6379/0, or rediss:// with TLS")
        return url

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Settings that contradict each other, or ask for what this version does not have yet."""
        if problems := list(self._contradictions()):
            raise ValueError("; ".join(problems))
        return self

    def _contradictions(self) -> Any:
        if self.jobs == "elsewhere" and not self.redis_url:
            yield "JOBS=elsewhere needs REDIS_URL: nobody else could hear of a run"
        if self.extraction_engine == "model" and not self.has_model:
            yield "EXTRACTION_ENGINE=model needs OPENAI_API_KEY or OPENAI_BASE_URL"
        if not set(self.openai_prices) <= {self.openai_model, *self.openai_models}:
            yield "OPENAI_PRICES names a model that is neither OPENAI_MODEL nor one of OPENAI_MODELS"
        if (self.crm == "zoho" or self.zoho_refresh_token) and not (self.zoho_client_id and self.zoho_client_secret):
            yield "Zoho needs ZOHO_CLIENT_ID and ZOHO_CLIENT_SECRET"
        if bool(self.entra_tenant_id) != bool(self.entra_client_id):
            yield "ENTRA_TENANT_ID and ENTRA_CLIENT_ID need each other"
        if self.entra_admin_secret and not (self.entra_client_id and (self.entra_staff or self.entra_superusers)):
            yield "ENTRA_ADMIN_SECRET needs ENTRA_CLIENT_ID, and ENTRA_STAFF or ENTRA_SUPERUSERS"
        if (self.entra_staff or self.entra_superusers) and not self.entra_admin_secret:
            yield "ENTRA_STAFF and ENTRA_SUPERUSERS need ENTRA_ADMIN_SECRET"
        if not self.admin_passwords and not self.entra_admin_secret:
            yield "ADMIN_PASSWORDS=false needs ENTRA_ADMIN_SECRET: nobody could sign in"
        if self.event_hub_name and not self.event_hubs_connection_string:
            yield "EVENT_HUB_NAME needs EVENT_HUBS_CONNECTION_STRING"
        try:
            self.event_hub  # noqa: B018
        except BadConnectionString as error:
            yield f"EVENT_HUBS_CONNECTION_STRING: {error}"
        try:
            self.azure_signalr  # noqa: B018
        except BadConnectionString as error:
            yield f"AZURE_SIGNALR_CONNECTION_STRING: {error}"
        for name in NOT_YET:
            if getattr(self, name):
                yield f"{name.upper()} is not served by this version yet; leave it empty"

    @property
    def works_here(self) -> bool:
        """Whether this server works on runs itself."""
        return self.jobs == "here" or (self.jobs == "auto" and not self.redis_url)

    @property
    def uses_postgresql(self) -> bool:
        url = self.database_url.get_secret_value() if self.database_url else ""
        return urlsplit(url).scheme in POSTGRESQL

    @property
    def redis_prefix(self) -> str:
        """What the names of our channels begin with. Redis tells channels apart by name only, not by database
        (https://redis.io/docs/latest/develop/pubsub/), so that the database's number is part of it."""
        url = self.redis_url.get_secret_value() if self.redis_url else ""
        return f"wellintake-{urlsplit(url).path.strip('/') or 0}"

    @property
    def azure_signalr(self) -> Endpoint | None:
        text = self.azure_signalr_connection_string
        return Endpoint.parse(text.get_secret_value(), self.azure_signalr_hub) if text else None

    @property
    def entra_sign_in(self) -> dict[str, str] | None:
        """With what the add-in asks Microsoft for a token. An application is named by its id in a scope, too; with
        several tenants Microsoft finds the user's own, and we refuse those that are not listed."""
        if not self.entra_client_id:
            return None
        tenant = self.entra_tenant_id[0] if len(self.entra_tenant_id) == 1 else "organizations"
        return {
            "authority": f"{self.entra_authority}/{tenant}",
            "clientId": self.entra_client_id,
            "scope": f"{self.entra_client_id}/{self.entra_scope}",
        }

    @property
    def event_hub(self) -> HubAddress | None:
        text = self.event_hubs_connection_string
        return HubAddress.parse(text.get_secret_value(), self.event_hub_name) if text else None

    @property
    def has_model(self) -> bool:
        return bool(self.openai_api_key or self.openai_base_url)

    @property
    def zoho_keys(self) -> tuple[str, ...]:
        return _parts_of(self.zoho_encryption_keys)

    @property
    def mail_keys(self) -> tuple[str, ...]:
        return _parts_of(self.mail_encryption_keys)

    @property
    def uses_zoho(self) -> bool:
        return self.crm == "zoho" or (self.crm == "auto" and self.zoho_refresh_token is not None)

    @property
    def uses_model(self) -> bool:
        return self.extraction_engine != "patterns" and self.has_model


# Known names whose work is not built yet: refusing them is honest, ignoring them would be a lie.
NOT_YET = (
    "firecrawl_api_key",
    "otel_exporter_otlp_endpoint",
)


class SecretFiles(PydanticBaseSettingsSource):
    """`NAME_FILE` names a file that holds the value of `NAME`, as container platforms mount secrets."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        import os

        path = os.environ.get(f"{field_name.upper()}_FILE")
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text().strip(), field_name, False
        except (OSError, UnicodeDecodeError):
            raise SettingsError([f"{field_name.upper()}_FILE: the file cannot be read"]) from None

    def __call__(self) -> dict[str, Any]:
        values = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value is not None}


class SettingsError(Exception):
    """The environment is at fault; `problems` names each setting and what is wrong with it, without values."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("Settings at fault:\n" + "\n".join(f"  - {problem}" for problem in problems))
        self.problems = problems


def _named(place: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in place).upper() or "together"


def read_environment() -> Environment:
    """Read all settings, or raise `SettingsError` with every mistake at once."""
    try:
        return Environment()
    except ValidationError as error:
        problems = [
            f"{_named(found['loc'])}: {found['msg'].removeprefix('Value error, ')}"
            for found in error.errors(include_input=False, include_context=False, include_url=False)
        ]
        raise SettingsError(problems) from None

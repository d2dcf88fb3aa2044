"""Builds everything once and introduces everybody. Nobody else constructs an adapter or reads a setting."""

import asyncio
import gc
import hashlib
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

import structlog
from channels.layers import get_channel_layer
from django.conf import settings

from extraction.guard import GuardedModel
from extraction.mime import letter_from
from extraction.patterns import understand
from extraction.pipeline import Tools, intake
from extraction.ports import Crm, LanguageModel, Research
from extraction.types import Email, OwnFirm
from streaming.addresses import Addresses
from streaming.analytics import Analytics
from streaming.audit import Looks
from streaming.azure.event_hubs import EventHub
from streaming.azure.push import Push
from streaming.azure.service import SignalRService
from streaming.azure.upstream import Upstream
from streaming.behind import Behind
from streaming.bell import Bell
from streaming.budget import WITH_ACKS
from streaming.bugs import place_of
from streaming.engine import Engine
from streaming.live import Connection, Live
from streaming.log import Log
from streaming.measures import Measures
from streaming.models import AuditEntry, Reading
from streaming.pulse import Pulse
from streaming.runs import Runs
from streaming.worker import Pipeline, RunWorker
from wellintake.access.counters import Counters, MemoryCounters, RedisCounters
from wellintake.access.door import Door
from wellintake.access.entra import EntraTokens
from wellintake.access.farewell import end_the_unwelcome, end_the_unwelcome_at_azure
from wellintake.access.proxies import Proxies
from wellintake.access.seats import RedisSeats
from wellintake.access.signin import Directory, SignIn
from wellintake.access.throttle import Allowance, Throttle
from wellintake.access.verifier import Origins, Verifier
from wellintake.circuits import StoredCircuit
from wellintake.crm_calls import CrmCalls
from wellintake.database import DatabaseThreads
from wellintake.environment import Environment
from wellintake.memory import StoredMemory
from zoho.accounts import Accounts, OAuthClient
from zoho.auth import StoredTokens
from zoho.checking import CheckPage
from zoho.client import Limits, ZohoClient
from zoho.connecting import ConnectPages
from zoho.crm import ZohoCrm
from zoho.data_centres import Whereabouts
from zoho.embedded import EmbeddedCrm
from zoho.grants import Grants
from zoho.models import stored_field_map
from zoho.vault import Vault

DRAIN_SECONDS = 4.0
QUEUE = "wellintake"
SHOWN_CONNECTIONS = 200  # of one process, on the live page
SHOWN_SAMPLES = 400
logger = structlog.get_logger()


@dataclass
class Zoho:
    """The way to Zoho. `client` and `crm` are None while the settings name no OAuth client."""

    client: ZohoClient | None
    crm: ZohoCrm | None
    pages: ConnectPages
    check: CheckPage
    calls: CrmCalls


@dataclass
class Azure:
    """The way to Azure SignalR; `upstream` is None while clients there only listen."""

    service: SignalRService
    push: Push
    upstream: Upstream | None


@dataclass
class Parts:
    """The parts of one process. `works` says whether it works on runs, or only submits them."""

    works: bool
    env: Environment
    write: DatabaseThreads
    read: DatabaseThreads
    bell: Bell
    log: Log
    pulse: Pulse
    engine: Engine
    runs: Runs
    worker: RunWorker
    live: Live
    seats: RedisSeats | None
    readings: Behind[Reading]
    audit: Behind[AuditEntry]
    looks: Looks
    verifier: Verifier
    throttle: Throttle
    door: Door
    sign_in: SignIn
    proxies: Proxies
    origins: Origins
    addresses: Addresses
    tools: Tools
    models: Sequence[GuardedModel]
    crm: Crm
    zoho: Zoho
    azure: Azure | None
    analytics: Analytics | None
    besides: dict[str, Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    starting: asyncio.Task[None] | None = None

    async def start(self, *, sweeping: bool = True) -> None:
        """Begin to work in the running loop; the second call waits for the first, and tries again what has failed.
        `sweeping` also takes over what other processes left behind."""
        if self.starting is None or _has_failed(self.starting):
            self.starting = asyncio.create_task(self._start(sweeping))
        await asyncio.shield(self.starting)

    async def _start(self, sweeping: bool) -> None:
        await asyncio.to_thread(_warm_up, self.tools.own)
        if self.works:
            analytics = self.analytics.tell if self.analytics and sweeping else None
            await self.engine.start(self.worker.process, self.worker.sweep if sweeping else _nothing, analytics)
        else:
            await self.engine.open()
        works = {
            "log": self.log.write(),
            "tail": self.log.tail.run(),
            "bell": self._hear(),
            "heartbeat": self.worker.heartbeat(),
            "pulse": self.pulse.beat(),
            "pulse_heard": self.pulse.hear(),
            "farewell": end_the_unwelcome(self.live, self.verifier),
            "readings": self.readings.keep(),
            "audit": self.audit.keep(),
            **(self._works_at(self.azure) if self.azure else {}),
            **({"seats": self.seats.keep()} if self.seats else {}),
            **{name: work() for name, work in self.besides.items()},
        }
        self.tasks = [asyncio.create_task(work, name=name) for name, work in works.items()]
        for task in self.tasks:
            task.add_done_callback(_tell_why)

    def settle_down(self) -> None:
        """For a process that serves: what is in memory now stays there. A garbage collection that looked through all of
        it would hold up every stream for a tenth of a second."""
        gc.collect()
        gc.freeze()

    def _works_at(self, azure: Azure) -> dict[str, Coroutine[Any, Any, None]]:
        watching = {"signalr": azure.service.watch()}
        if self.works:  # one of them is enough, and there are fewer workers than web servers
            watching["farewell_at_azure"] = end_the_unwelcome_at_azure(azure.service, self.read)
        return watching

    def ended(self) -> list[str]:
        """Work that is to go on as long as the process, and does not."""
        return [task.get_name() for task in self.tasks if task.done()]

    async def _hear(self) -> None:
        async for grown in self.bell.hear():
            self.log.tail.heard(grown)

    async def drain(self) -> None:
        """Say goodbye to everybody who reads: they come back elsewhere with their cursors."""
        self.live.draining = True
        self.log.tail.stop()
        await asyncio.gather(*(goodbye() for goodbye in self.live.goodbyes()), return_exceptions=True)

    async def stop(self) -> None:
        """Drain, hand the work back, close."""
        await self.drain()
        await self.engine.stop(DRAIN_SECONDS)
        for work in list(self.runs.working.values()):
            work.cancel()  # another process goes on from the last finished step
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.readings.flush()
        await self.audit.flush()
        if self.azure:
            await self.azure.push.stop()
            await self.azure.service.close()
        if self.analytics:
            await self.analytics.close()
        for outside in (
            self.tools.model,
            self.tools.research,
            self.zoho.client,
        ):  # the other models share the first one's connections
            if outside:
                await outside.close()
        await self.throttle.close()
        if self.seats:
            await self.seats.close()
        self.write.close()
        self.read.close()


def _has_failed(task: asyncio.Task[None]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _tell_why(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.error("background_ended", work=task.get_name(), kind=type(error).__name__, where=place_of(error))


def _warm_up(own: OwnFirm) -> None:
    """Read one mail: tables and patterns are loaded at the first use, which is not to be a user's."""
    hello = Email(sender_email="ann@firm.example", subject="Hello", body="My name is Ann Lee, call me on 212-555-0101.")
    understand(letter_from(hello), own)


async def _nothing() -> None:
    """A process that lives for one run does not take over others'."""


@cache
def parts() -> Parts:
    """The parts of this process, made at the first call."""
    return build(settings.ENV, works=settings.ENV.works_here)


def build(env: Environment, *, works: bool = True, alone: bool = False) -> Parts:
    """`alone` has a queue of its own, whatever the settings say: runs of this process are worked on in it."""
    write, read = DatabaseThreads("write"), DatabaseThreads("read", threads=2)
    bell = Bell(get_channel_layer())
    # A process that lives for one run tells it in the terminal.
    endpoint = None if alone else env.azure_signalr
    service = SignalRService(endpoint) if endpoint else None
    push = Push(service, read) if service else None
    log = Log(write, read, bell if env.redis_url else None, Measures(), push.committed if push else None)
    zoho = _zoho(env, write, read)
    crm = zoho.crm if zoho.crm and env.uses_zoho else EmbeddedCrm(write, env.public_url or "")
    guarded = _guarded(models(env), env, write, read)
    tools = Tools(
        own=OwnFirm(domains=frozenset(env.own_domains), names=frozenset(env.own_names)),
        crm=crm,
        model=guarded[0] if guarded else None,
        others={other.name: other for other in guarded[1:]},
        research=_research(env) if env.research == "on" else None,
        memory=StoredMemory(write, read),
    )
    queue = "memory://" if alone or not env.redis_url else env.redis_url.get_secret_value()
    engine = Engine(QUEUE, queue, env.max_concurrent_runs)
    audit = Behind[AuditEntry](write)
    looks = Looks(audit.tell)
    runs = Runs(log, write, read, tools, engine.submit, env.max_runs_per_user, looks.saw)
    legacy = env.api_key.get_secret_value() if env.api_key else None
    origins = frozenset(env.allowed_origins) | ({env.public_url} if env.public_url else set())
    verifier = Verifier(settings.SECRET_KEY, legacy, write, read, _entra(env))
    throttle = Throttle(_counters(env, alone), _allowance(env))
    addresses = Addresses(env.public_url, verifier, service)
    readings = Behind[Reading](write)
    seats = (
        RedisSeats(env.redis_url.get_secret_value(), f"{env.redis_prefix} seats")
        if env.redis_url and not alone
        else None
    )
    live = Live(env.max_connections_per_user, readings.tell, seats)
    work = "web and worker" if works else "web"
    figures = partial(_figures, live, log, zoho.calls, time.time(), work)
    return Parts(
        works=works,
        env=env,
        write=write,
        read=read,
        bell=bell,
        log=log,
        pulse=Pulse(get_channel_layer(), f"{socket.gethostname()} {os.getpid()}", figures, live.end),
        engine=engine,
        runs=runs,
        worker=RunWorker(runs, crm, write, _pipeline(env), addresses.page_of),
        live=live,
        seats=seats,
        readings=readings,
        audit=audit,
        looks=looks,
        verifier=verifier,
        throttle=throttle,
        door=Door(verifier, throttle),
        sign_in=SignIn(_directory(env), env.public_url, passwords=env.admin_passwords),
        proxies=Proxies(env.trusted_proxies),
        origins=Origins(settings.ALLOWED_HOSTS, origins),
        addresses=addresses,
        tools=tools,
        models=guarded,
        crm=crm,
        zoho=zoho,
        azure=_azure(env, runs, service, push, addresses) if service and push else None,
        analytics=_analytics(env, write, read),
    )


def _azure(env: Environment, runs: Runs, service: SignalRService, push: Push, addresses: Addresses) -> Azure:
    secret = env.azure_signalr_upstream_secret
    hears = Upstream(runs, service, push, addresses, secret.get_secret_value()) if secret else None
    return Azure(service, push, hears)


def _analytics(env: Environment, write: DatabaseThreads, read: DatabaseThreads) -> Analytics | None:
    if not (address := env.event_hub):
        return None
    return Analytics(EventHub(address), write, read, mail_text=env.event_hubs_mail_text)


def _figures(live: Live, log: Log, calls: CrmCalls, started_at: float, work: str) -> dict[str, Any]:
    """What this process is doing, for the live page."""
    connections = live.connections()
    return {
        "work": work,
        "started_at": started_at,
        "connections": [_shown(live, one) for one in connections[-SHOWN_CONNECTIONS:]],
        "by_transport": dict(Counter(one.transport for one in connections)),
        "slow": sum(one.outstanding > WITH_ACKS // 2 for one in connections),
        "queued_events": log.queued(),
        "events": log.measures.events,
        "samples": log.measures.newest(SHOWN_SAMPLES),
        "counts": dict(log.measures.counts),
        "crm": calls.view(),
    }


def _shown(live: Live, one: Connection) -> dict[str, Any]:
    told = one.view()
    return {
        **{name: told[name] for name in ("id", "transport", "connected_at", "last_ping", "runs")},
        "user": one.user,
        "outstanding": one.outstanding,
        "can_end": live.can_end(one.id),
    }


def _counters(env: Environment, alone: bool) -> Counters:
    if alone or not env.redis_url:
        return MemoryCounters()
    return RedisCounters(env.redis_url.get_secret_value(), f"{env.redis_prefix} limits")


def _seats(env: Environment) -> RedisSeats | None:
    return RedisSeats(env.redis_url.get_secret_value(), f"{env.redis_prefix} seats") if env.redis_url else None


def _allowance(env: Environment) -> Allowance:
    return Allowance(
        requests_per_user=env.max_requests_per_user,
        requests_per_address=env.max_requests_per_address,
        failed_logins=env.max_failed_logins,
        longest_wait=env.max_login_wait,
    )


def _entra(env: Environment) -> EntraTokens | None:
    if not env.entra_client_id:
        return None
    return EntraTokens(env.entra_authority, env.entra_tenant_id, env.entra_client_id, env.entra_scope)


def _directory(env: Environment) -> Directory | None:
    if not (env.entra_admin_secret and env.entra_client_id):
        return None
    return Directory(
        authority=env.entra_authority,
        tenant=env.entra_tenant_id[0],
        client_id=env.entra_client_id,
        secret=env.entra_admin_secret.get_secret_value(),
        staff=frozenset(env.entra_staff),
        superusers=frozenset(env.entra_superusers),
    )


def _zoho(env: Environment, write: DatabaseThreads, read: DatabaseThreads) -> Zoho:
    whereabouts = Whereabouts(env.zoho_dc, env.zoho_accounts_url, env.zoho_api_url)
    refresh_token = env.zoho_refresh_token.get_secret_value() if env.zoho_refresh_token else None
    grants = Grants(Vault(env.zoho_keys, settings.SECRET_KEY), whereabouts, refresh_token)
    calls = CrmCalls()
    if not (env.zoho_client_id and env.zoho_client_secret):
        return Zoho(None, None, ConnectPages(None, grants, None, env.public_url), CheckPage(None), calls)
    accounts = Accounts(OAuthClient(env.zoho_client_id, env.zoho_client_secret.get_secret_value()), whereabouts)
    limits = Limits(env.zoho_concurrency, env.zoho_calls_per_second, env.zoho_timeout, env.zoho_patience)
    client = ZohoClient(StoredTokens(accounts, grants, read, write), limits, calls)
    crm = ZohoCrm(
        client,
        lambda: read(stored_field_map, env.zoho_deal_key_field),
        whereabouts.web_url(),
        env.zoho_duplicate_days,
        env.zoho_default_owner_email,
    )
    return Zoho(client, crm, ConnectPages(accounts, grants, client, env.public_url), CheckPage(crm), calls)


def _pipeline(env: Environment) -> Pipeline:
    if env.workflow == "langgraph":
        from extraction.graph import intake_by_graph

        return intake_by_graph
    return intake


def _research(env: Environment) -> Research:
    from extraction.research import WebResearch

    return WebResearch(env.research_timeout, frozenset(env.research_allow_hosts))


def models(env: Environment) -> list[LanguageModel]:
    """The model that answers, then the others that a rerun may ask for; none when the rules are to work alone."""
    if not env.uses_model:
        return []
    from extraction.llm import OpenAiModel  # the SDK takes most of a second to import: only who uses it pays

    prices = {name: replace(price, currency=env.openai_currency) for name, price in env.openai_prices.items()}
    first = OpenAiModel.connect(
        api_key=_key_of(env),
        base_url=env.openai_base_url,
        api=env.openai_api,
        model=env.openai_model,
        timeout=env.openai_timeout,
        prices=prices.get(env.openai_model),
        deadline=env.openai_deadline,
    )
    others = [name for name in dict.fromkeys(env.openai_models) if name != env.openai_model]
    return [first, *(first.named(name, prices.get(name)) for name in others)]


def _guarded(
    models: Sequence[LanguageModel], env: Environment, write: DatabaseThreads, read: DatabaseThreads
) -> list[GuardedModel]:
    """Each with a breaker of its own. Another address or key is another service: what was wrong with the last one is
    forgotten with it."""
    service = hashlib.sha256(f"{env.openai_base_url}\n{_key_of(env)}".encode()).hexdigest()[:12]
    return [GuardedModel(model, StoredCircuit(f"{model.name} {service}", write, read)) for model in models]


def _key_of(env: Environment) -> str | None:
    return env.openai_api_key.get_secret_value() if env.openai_api_key else None

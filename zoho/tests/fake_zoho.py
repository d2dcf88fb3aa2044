"""A server that behaves as Zoho does, on a socket: sign-in, records, notes, attachments, and its faults.

In a test: `async with FakeZoho.serving() as zoho:` gives `zoho.url`, the origin of its accounts server and of its API.
`zoho.fail("cut_after", on="POST /Deals")` lets the next such call go wrong; `zoho.calls`, `zoho.peak` and
`zoho.rows(…)` tell what came of it. Requests and answers are held to Zoho's OpenAPI document where that stands beside
the checkout: what does not keep it is in `zoho.strays`.

Facts: Zoho CRM v8, as in its OpenAPI document and its API guide (2026-02). Times have whole seconds there, so the
clock of this organisation moves on by a second with each write.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from zoho.tests.fake_criteria import CriteriaError, Record, criteria, text_of
from zoho.tests.fake_organisation import RELATED, Organisation
from zoho.tests.zoho_openapi import strays_of

API = "/crm/v8"
CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, CODE = "client-id", "client-secret", "refresh-token", "code-of-consent"
Kind = Literal["429", "500", "503", "cut_before", "cut_after", "spent", "refused", "denied"]
Answer = tuple[int, dict[str, Any] | None]


@dataclass
class Fault:
    """`on` begins as the calls do that it is about: `POST /Deals`. `times` None: for good."""

    kind: Kind
    on: str = ""
    times: int | None = 1
    retry_after: float | None = None
    details: dict[str, Any] = field(default_factory=dict)


class FakeZoho:
    def __init__(self, organisation: Organisation | None = None) -> None:
        self.organisation = organisation or Organisation()
        self.latency = 0.0
        self.search_lag = 0.0  # seconds for which a search does not see what was written
        self.token_seconds = 3600
        self.faults: list[Fault] = []
        self.calls: list[str] = []
        self.tokens_given = 0
        self.revoked = False
        self.busy = self.peak = 0
        self.strays: list[str] = []
        self.url = ""
        self._tokens: set[str] = set()
        self._rows: dict[str, dict[str, Record]] = {name: {} for name in (*self.organisation.fields, "Attachments")}
        self._written_at: dict[str, float] = {}
        self._contents: dict[str, bytes] = {}
        self._next_id = 4876000000100000
        self._clock = int(time.time()) - 1
        self._serving: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def serving(cls, organisation: Organisation | None = None, port: int = 0) -> AsyncIterator["FakeZoho"]:
        zoho = cls(organisation)
        server = await asyncio.start_server(zoho._accept, "127.0.0.1", port, limit=2**26)
        zoho.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield zoho
        finally:
            server.close()
            for task in zoho._serving:
                task.cancel()
            await asyncio.gather(*zoho._serving, return_exceptions=True)

    # ------------------------------------------------------------ for tests

    def fail(self, kind: Kind, on: str = "", times: int | None = 1, **more: Any) -> Fault:
        fault = Fault(kind, on, times, **more)
        self.faults.append(fault)
        return fault

    def rows(self, module: str) -> list[Record]:
        return list(self._rows[module].values())

    def content(self, attachment_id: str) -> bytes:
        return self._contents[attachment_id]

    def change(self, module: str, record_id: str, **values: Any) -> None:
        """As somebody does in Zoho itself."""
        self._rows[module][record_id] |= {**values, "Modified_Time": self._now()}

    def spend_tokens(self) -> None:
        """No access token that was given is taken any more."""
        self._tokens.clear()

    # ------------------------------------------------------------ the wire

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._serve(reader, writer):
                pass
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False when the connection is to be cut."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.busy += 1
        self.peak = max(self.peak, self.busy)
        try:
            await asyncio.sleep(self.latency)
            status, answer, extra = self._answer(method, target, headers, body)
        finally:
            self.busy -= 1
        if status == 0:
            return False
        content = b"" if answer is None else json.dumps(answer).encode()
        lines = [f"HTTP/1.1 {status} Fake", f"Content-Length: {len(content)}", *extra]
        lines += ["Content-Type: application/json"] if content else []
        writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        await writer.drain()
        return True

    def _answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, Any] | None, list[str]]:
        url = urlsplit(target)
        params = {name: values[0] for name, values in parse_qs(url.query).items()}
        path = unquote(url.path)
        if not path.startswith(API):
            self.calls.append(f"{method} {path}")
            fault = self._fault_for(f"{method} {path}")
            return *self._sign_in(path, body, fault), []
        call = f"{method} {path.removeprefix(API)}"
        self.calls.append(call)
        fault = self._fault_for(call)
        match fault.kind if fault else None:
            case "429":
                wait = [f"Retry-After: {fault.retry_after}"] if fault and fault.retry_after is not None else []
                return 429, _error("TOO_MANY_REQUESTS", "too many requests"), wait
            case "500" | "503":
                return int(fault.kind if fault else 500), _error("INTERNAL_ERROR", "internal error"), []
            case "cut_before":
                return 0, None, []
            case "spent":
                self._tokens.clear()
            case "refused":
                details = fault.details if fault else {}
                return 200, {"data": [_error("INVALID_DATA", "invalid data", details)]}, []
        if headers.get("authorization", "").removeprefix("Zoho-oauthtoken ") not in self._tokens:
            return 401, _error("INVALID_TOKEN", "invalid oauth token"), []
        status, answer = self._called(method, path.removeprefix(API).strip("/").split("/"), params, headers, body)
        self.strays += strays_of(method, path, headers, body, status, answer)
        return (0, None, []) if fault and fault.kind == "cut_after" else (status, answer, [])

    def _fault_for(self, call: str) -> Fault | None:
        fault = next((one for one in self.faults if call.startswith(one.on) and one.times != 0), None)
        if fault and fault.times is not None:
            fault.times -= 1
        return fault

    # ------------------------------------------------------------ sign-in

    def _sign_in(self, path: str, body: bytes, fault: Fault | None) -> Answer:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if fault and fault.kind == "denied":  # Zoho says so with 200
            return 200, {"error_description": "You have made too many requests continuously.", "error": "Access Denied"}
        if fault:
            return int(fault.kind) if fault.kind.isdigit() else 0, {}
        match path:
            case "/oauth/v2/token/revoke":
                self.revoked = True
                self._tokens.clear()
                return 200, {"status": "success"}
            case "/oauth/v2/token" if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
                return 200, {"error": "invalid_client"}
            case "/oauth/v2/token" if form.get("grant_type") == "authorization_code" and form.get("code") == CODE:
                self.revoked = False
                return 200, {**self._token(), "refresh_token": REFRESH_TOKEN}
            case "/oauth/v2/token" if form.get("refresh_token") == REFRESH_TOKEN and not self.revoked:
                return 200, self._token()
            case "/oauth/v2/token":
                return 200, {"error": "invalid_code"}
        return 404, {}

    def _token(self) -> dict[str, Any]:
        self.tokens_given += 1
        token = f"access-token-{self.tokens_given}"
        self._tokens.add(token)
        return {"access_token": token, "api_domain": self.url, "token_type": "Bearer", "expires_in": self.token_seconds}

    # ------------------------------------------------------------ the API

    def _called(
        self, method: str, path: list[str], params: dict[str, str], headers: dict[str, str], body: bytes
    ) -> Answer:
        match method, path:
            case "GET", ["settings", "fields"]:
                return 200, self.organisation.fields_view(params["module"])
            case "GET", ["users"]:
                return 200, self.organisation.users_view(params.get("type", "AllUsers"))
            case "GET", ["org"]:
                return 200, self.organisation.org_view()
        module = path[0]
        if module not in self._rows:
            return 400, _error("INVALID_MODULE", "the module name given seems to be invalid")
        match method, path[1:]:
            case "GET", []:
                return _page(self.rows(module), params)
            case "POST", []:
                return self._written(201, [self._create(module, one, n) for n, one in enumerate(_data(body))])
            case "POST", ["upsert"]:
                sent = json.loads(body)
                checks = sent.get("duplicate_check_fields") or self.organisation.checks(module)
                return self._written(200, [self._upsert(module, one, n, checks) for n, one in enumerate(sent["data"])])
            case "GET", ["search"]:
                return self._search(module, params)
            case "GET", [record_id]:
                row = self._rows[module].get(record_id)
                return (200, {"data": [row]}) if row else (204, None)
            case "PUT", [record_id]:
                return self._put(module, record_id, _data(body)[0], headers.get("if-unmodified-since"))
            case "DELETE", [record_id]:
                return self._delete(module, record_id)
            case "POST", [record_id, "Attachments"]:
                return self._attach(module, record_id, headers, body)
            case "DELETE", [_, "Attachments", attachment_id]:
                return self._delete("Attachments", attachment_id)
            case "GET", [record_id, others]:
                return self._related(module, record_id, others, params)
        return 404, _error("INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one")

    def _written(self, status: int, results: list[dict[str, Any]]) -> Answer:
        refused = [one for one in results if one["status"] == "error"]
        if refused and len(refused) < len(results):
            return 207, {"data": results}
        return (400 if refused else status), {"data": results}

    def _create(self, module: str, payload: Record, index: int) -> dict[str, Any]:
        if refusal := next(self.organisation.faults(module, payload, index, new=True), None) or self._astray(
            module, payload, index
        ):
            return refusal
        for spec in self.organisation.fields[module]:
            held = spec.unique and self._same(module, spec.api_name, payload.get(spec.api_name))
            if held:
                details = {"api_name": spec.api_name, "id": held["id"], "json_path": f"$.data[{index}].{spec.api_name}"}
                return _error("DUPLICATE_DATA", "duplicate data", details)
        return self._success(module, self._stored(module, payload), "record added")

    def _upsert(self, module: str, payload: Record, index: int, checks: list[str]) -> dict[str, Any]:
        held = next((row for name in checks if (row := self._same(module, name, payload.get(name)))), None)
        if held is None:
            return {**self._create(module, payload, index), "action": "insert", "duplicate_field": None}
        if refusal := next(self.organisation.faults(module, payload, index, new=False), None):
            return refusal
        self._change(module, held, payload)
        return {**self._success(module, held, "record updated"), "action": "update", "duplicate_field": checks[0]}

    def _put(self, module: str, record_id: str, payload: Record, unmodified_since: str | None) -> Answer:
        row = self._rows[module].get(record_id)
        if row is None:
            return 400, {"data": [_error("INVALID_DATA", "the id given seems to be invalid", {"api_name": "id"})]}
        if unmodified_since and _moment(row["Modified_Time"]) > _moment(unmodified_since):
            details = {"Modified_Time": row["Modified_Time"], "id": record_id}
            return 412, {"data": [_error("ALREADY_MODIFIED", "record already modified", details)]}
        if refusal := next(self.organisation.faults(module, payload, 0, new=False), None):
            return 400, {"data": [refusal]}
        self._change(module, row, payload)
        return 200, {"data": [self._success(module, row, "record updated")]}

    def _delete(self, module: str, record_id: str) -> Answer:
        if self._rows[module].pop(record_id, None) is None:
            return 400, {"data": [_error("INVALID_DATA", "the id given seems to be invalid", {"api_name": "id"})]}
        gone = {"code": "SUCCESS", "details": {"id": record_id}, "message": "record deleted", "status": "success"}
        return 200, {"data": [gone]}

    def _search(self, module: str, params: dict[str, str]) -> Answer:
        fields = {spec.api_name for spec in self.organisation.fields[module]}
        try:
            test = criteria(params["criteria"], fields) if "criteria" in params else None
        except CriteriaError:
            return 400, _error("INVALID_QUERY", "invalid query formed", {"reason": "criteria"})
        email = params.get("email", "").casefold()
        seen = [row for row in self.rows(module) if self._written_at[row["id"]] + self.search_lag <= time.monotonic()]
        found = [row for row in seen if (test(row) if test else email and text_of(row, "Email") == email)]
        return _page(found, params)

    def _related(self, module: str, record_id: str, others: str, params: dict[str, str]) -> Answer:
        if record_id not in self._rows[module]:
            return 400, _error("INVALID_DATA", "the id given seems to be invalid", {"api_name": "id"})
        field_name = "Parent_Id" if others in ("Notes", "Attachments") else RELATED[module, others]
        return _page([row for row in self.rows(others) if (row.get(field_name) or {}).get("id") == record_id], params)

    def _attach(self, module: str, record_id: str, headers: dict[str, str], body: bytes) -> Answer:
        row = self._rows[module].get(record_id)
        if row is None:
            return 400, _error("INVALID_DATA", "the id given seems to be invalid", {"api_name": "id"})
        head = f"Content-Type: {headers['content-type']}\r\n\r\n".encode()
        part = next(iter(message_from_bytes(head + body, policy=policy.HTTP).iter_parts()))
        content = part.get_payload(decode=True)
        if len(content) > 20_000_000:
            return 413, _error("FILE_SIZE_MORE_THAN_ALLOWED_SIZE", "the file is too large")
        parent = {"id": record_id, "name": next((str(row[n]) for n in row if n.endswith("_Name")), "")}
        stored = self._stored(
            "Attachments", {"File_Name": part.get_filename(), "Size": str(len(content)), "Parent_Id": parent}
        )
        self._contents[stored["id"]] = content
        return 200, {"data": [self._success("Attachments", stored, "attachment uploaded successfully")]}

    # ------------------------------------------------------------ the store

    def _stored(self, module: str, payload: Record) -> Record:
        self._next_id += 1
        now, record_id = self._now(), str(self._next_id)
        by = self.organisation.users[0].short
        row = {"id": record_id, "Created_Time": now, "Modified_Time": now, "Created_By": by, "Modified_By": by}
        self._rows[module][record_id] = row
        self._written_at[record_id] = time.monotonic()
        if module in self.organisation.fields and module != "Notes":
            row["Owner"] = by
        row |= self._filled(module, payload)
        return row

    def _change(self, module: str, row: Record, payload: Record) -> None:
        row |= {**self._filled(module, payload), "Modified_Time": self._now()}

    def _filled(self, module: str, payload: Record) -> Record:
        """What Zoho keeps of a payload: the fields that it knows, lookups with the name of what they lead to."""
        specs = {spec.api_name: spec for spec in self.organisation.fields.get(module, ())}
        kept: Record = {}
        for name, value in payload.items():
            spec = specs.get(name)
            if spec and spec.lookup and value:
                kept[name] = {"id": value["id"], "name": self._name_of(spec.lookup, value["id"])}
            elif spec and spec.data_type == "ownerlookup" and value:
                user = self.organisation.user(value["id"])
                kept[name] = user.short if user else None
            elif spec or module == "Attachments":
                kept[name] = value
            elif name == "Parent_Id":
                kept[name] = {"id": value["id"], "module": value["module"]}
        return kept

    def _name_of(self, module: str, record_id: str) -> str:
        row = self._rows[module][record_id]
        name = row.get("Account_Name") if module == "Accounts" else row.get("Deal_Name")
        return str(name or " ".join(filter(None, (row.get("First_Name"), row.get("Last_Name")))))

    def _astray(self, module: str, payload: Record, index: int) -> dict[str, Any] | None:
        """A lookup that leads nowhere."""
        lookups = [(spec.api_name, spec.lookup) for spec in self.organisation.fields[module] if spec.lookup]
        lookups += [("Parent_Id", "Deals")] if module == "Notes" else []
        for name, target in lookups:
            value = payload.get(name)
            if value and target and value["id"] not in self._rows[target]:
                details = {"api_name": name, "json_path": f"$.data[{index}].{name}"}
                return _error("INVALID_DATA", "the id given seems to be invalid", details)
        return None

    def _same(self, module: str, name: str, value: Any) -> Record | None:
        if not isinstance(value, str) or not value:
            return None
        return next((row for row in self.rows(module) if str(row.get(name) or "").casefold() == value.casefold()), None)

    def _success(self, module: str, row: Record, message: str) -> dict[str, Any]:
        by = self.organisation.users[0].short
        details: dict[str, Any] = {"id": row["id"], "Created_Time": row["Created_Time"], "Created_By": by}
        details |= {"Modified_Time": row["Modified_Time"], "Modified_By": by}
        details |= {} if module in ("Notes", "Attachments") else {"$approval_state": "approved"}
        return {"code": "SUCCESS", "details": details, "message": message, "status": "success"}

    def _now(self) -> str:
        self._clock = max(self._clock + 1, int(time.time()))
        return datetime.fromtimestamp(self._clock, UTC).isoformat(timespec="seconds")


def _data(body: bytes) -> list[Record]:
    data: list[Record] = json.loads(body)["data"]
    return data


def _page(rows: list[Record], params: dict[str, str]) -> Answer:
    if not rows:
        return 204, None
    if by := params.get("sort_by"):
        rows = sorted(rows, key=lambda row: str(row.get(by)), reverse=params.get("sort_order") == "desc")
    size, number = int(params.get("per_page", 200)), int(params.get("page", 1))
    page = rows[size * (number - 1) : size * number]
    names = params["fields"].split(",") if "fields" in params else None
    always = ("id", "Created_Time", "Created_By", "Modified_Time", "Modified_By")
    data = [{name: row.get(name) for name in (*always, *names)} if names else row for row in page]
    info = {"per_page": size, "count": len(data), "page": number, "more_records": len(rows) > size * number}
    if page and "File_Name" in page[0]:
        info |= dict.fromkeys(("next_page_token", "previous_page_token", "page_token_expiry"))
    return 200, {"data": data, "info": info}


def _moment(time_of_zoho: str) -> datetime:
    return datetime.fromisoformat(re.sub(r"Z$", "+00:00", time_of_zoho))


def _error(code: str, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"code": code, "details": details or {}, "message": message, "status": "error"}

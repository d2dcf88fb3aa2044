"""UUIDv7 (RFC 9562): ids that sort by time, so that new rows land at the end of every index."""

import secrets
import time
import uuid


def new_run_id() -> uuid.UUID:
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)

"""What may be told of a bug: its kind and its place. Its text may quote a mail, so that stays out of every log."""


def place_of(error: BaseException) -> str:
    """`function:line` where it was raised."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else ""

"""Turns the first Ctrl-C (or SIGTERM, SIGHUP) into an exception, and remembers a second one as haste."""

import signal
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(BaseException):
    """Raised in the main thread, wherever it is; not an Exception, so nobody takes it for an error."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class StopSignals:
    """Installed once at the start. `close` is called before cleaning up: from then on a signal only sets `in_haste`."""

    def __init__(self) -> None:
        self.in_haste = False
        self._is_open = True
        for number in STOPPING:
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # nohup asked us to outlive the terminal
            signal.signal(number, self._receive)

    def close(self) -> None:
        self._is_open = False

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self._is_open:
            self._is_open = False
            raise StopRequested(number)
        self.in_haste = True

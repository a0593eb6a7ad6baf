"""The database backend of every installation: kept connections are looked at before each request, for no price."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """A server that went away, stopped or was restarted has left word on the connection, or its end.

        Between transactions the server says nothing unasked, so there is something to read only then. After an error
        it is asked, as Django does.
        """
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
        if waiting.poll(0):
            return False
        return bool(super().is_usable()) if self.errors_occurred else True

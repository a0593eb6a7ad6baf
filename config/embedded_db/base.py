"""The database backend of an installation without DATABASE_URL: a refused connection starts the servers, once."""

import os
from pathlib import Path
from typing import Any

from django.db.utils import OperationalError
from psycopg2 import OperationalError as Refused

from config.embedded import EmbeddedError, default_data_dir, ensure_servers
from config.steady_db import base


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A second failure is the caller's, as is one that no server of ours could heal (no such database)."""
        try:
            return super().get_new_connection(conn_params)
        except Refused:
            data_dir = Path(self.settings_dict.get("DATA_DIR") or default_data_dir())
            try:
                ensure_servers(data_dir, postgres=True, redis=not os.environ.get("REDIS_URL"))
            except EmbeddedError as error:
                raise OperationalError(str(error)) from error
            return super().get_new_connection(conn_params)

"""Who a program is, from its token: the token, its user and the user's roles in one query, anew at every request."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed

from config.kernel.policy import ROLES, remember_roles


class HouseTokenAuthentication(TokenAuthentication):
    """Knox's tokens as Knox keeps them. Found by their digest, which is unique and says nothing about the token."""

    def authenticate_credentials(self, token: bytes) -> tuple[Any, AuthToken]:
        with connection.cursor() as cursor:
            cursor.execute(self._query, [list(ROLES), hash_token(token.decode())])
            found = cursor.fetchone()
        if found is None:
            raise AuthenticationFailed(_("Invalid token."))
        roles, digest, token_key, created, expiry, *values = found
        user = get_user_model().from_db("default", self._user_fields, values)
        if expiry is not None and expiry < timezone.now():
            raise AuthenticationFailed(_("Invalid token."))
        remember_roles(user, roles)
        made = AuthToken(digest=digest, token_key=token_key, created=created, expiry=expiry, user=user)
        return self.validate_user(made)  # type: ignore[no-any-return]

    @cached_property
    def _user_fields(self) -> list[str]:
        return [field.attname for field in get_user_model()._meta.concrete_fields]

    @cached_property
    def _query(self) -> str:
        user: Any = get_user_model()
        member = user.groups.through._meta.db_table
        columns = ", ".join(f'person."{field.column}"' for field in user._meta.concrete_fields)
        # nothing here comes from a request
        return (
            f"SELECT ARRAY(SELECT role.name FROM {Group._meta.db_table} role JOIN {member} held "  # noqa: S608
            "ON held.group_id = role.id WHERE held.user_id = person.id AND role.name = ANY(%s)), "
            f"token.digest, token.token_key, token.created, token.expiry, {columns} "
            f"FROM {AuthToken._meta.db_table} token JOIN {user._meta.db_table} person ON person.id = token.user_id "
            "WHERE token.digest = %s"
        )


class HouseTokenScheme(KnoxTokenScheme):
    """How the OpenAPI document calls it: as before."""

    target_class = f"{__name__}.{HouseTokenAuthentication.__name__}"

"""Who may enter the portal: a supplier's users, nobody else. Which rows they see, `for_actor` says."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from config.kernel.policy import SUPPLIER, is_internal, roles_of
from procurement.models import Supplier

View = Callable[..., HttpResponse]


def supplier_page(permission: str) -> Callable[[View], View]:
    """Strangers are asked to log in, people of the company are told where they belong, others are turned away.

    A row that is not the supplier's is answered exactly like one that does not exist.
    """

    def decorate(view: View) -> View:
        @never_cache
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if is_internal(request.user):
                return render(request, "portal/internal.html", status=403)
            if SUPPLIER not in roles_of(request.user) or not request.user.has_perm(permission):
                return render(request, "portal/no_access.html", status=403)
            request.supplier = supplier_of(request.user)  # type: ignore[attr-defined]
            try:
                return view(request, *args, **kwargs)
            except Http404:
                return render(request, "portal/missing.html", status=404)

        return guarded

    return decorate


def supplier_of(user: Any) -> Supplier | None:
    """The active supplier this user answers for."""
    return Supplier.objects.filter(memberships__user=user, is_active=True).first()

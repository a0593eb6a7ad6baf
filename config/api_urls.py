"""The REST API, version 1: one router, every resource of every app, its schema and its docs.

Every address answers with and without the slash at its end: a redirect would lose the body of a POST.
"""

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from catalog.api import views as catalog
from forecasting.api import views as forecasting
from monitoring.api import views as monitoring
from procurement.api import views as procurement
from warehouses.api import views as warehouses


class EitherSlashRouter(SimpleRouter):
    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"


router = EitherSlashRouter()
for app in (catalog, warehouses, forecasting, procurement, monitoring):
    for prefix, viewset in app.ROUTES:
        router.register(prefix, viewset, basename=f"api-{prefix}")

# Swagger UI sets inline styles; its script comes from a file (the split view), so scripts stay strict.
docs = csp_update({"style-src": [SELF, UNSAFE_INLINE]})(SpectacularSwaggerSplitView.as_view(url_name="api-schema"))

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", docs, name="api-docs"),
    path("v1/", include(router.urls)),
]

"""The REST API, version 1: one router, every resource of every app, its schema and its docs."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.routers import SimpleRouter

from catalog.api import views as catalog
from forecasting.api import views as forecasting
from monitoring.api import views as monitoring
from procurement.api import views as procurement
from warehouses.api import views as warehouses

router = SimpleRouter(trailing_slash=True)
for app in (catalog, warehouses, forecasting, procurement, monitoring):
    for prefix, viewset in app.ROUTES:
        router.register(prefix, viewset, basename=f"api-{prefix}")

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
    path("v1/", include(router.urls)),
]

"""The supplier's addresses, all below /portal/."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from procurement.portal import views

app_name = "portal"
urlpatterns = [
    path("", views.orders, name="orders"),
    path("login/", views.PortalLogin.as_view(), name="login"),
    path("logout/", LogoutView.as_view(next_page="portal:login", http_method_names=["post", "options"]), name="logout"),
    path("orders.csv", views.export, name="export"),
    path("orders/<str:number>/", views.order, name="order"),
    path("orders/<str:number>/respond/", views.respond, name="respond"),
    path("orders/<str:number>/print/", views.print_order, name="print"),
]

from django.contrib.auth import views as auth
from django.urls import path

app_name = "portal"
urlpatterns = [
    path("login/", auth.LoginView.as_view(), name="login"),
    path("", auth.LoginView.as_view(), name="orders"),
]

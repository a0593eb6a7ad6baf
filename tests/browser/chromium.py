"""One person at one screen of the real Chromium that tests/browser/conftest.py starts."""

from typing import Any

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


class Visit:
    """One person at one screen; what the browser complains of is kept in `complaints`."""

    def __init__(self, browser: Any, address: str, *, screen: dict[str, int] = WIDE, scheme: str = "light") -> None:
        self.address, self.complaints = address, []
        self.context = browser.new_context(viewport=screen, color_scheme=scheme)
        self.page = self.context.new_page()
        self.page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self, username: str, password: str) -> None:
        self.page.goto(f"{self.address}/admin/login/")
        self.page.fill("[name=username]", username)
        self.page.fill("[name=password]", password)
        self.page.press("[name=password]", "Enter")
        self.page.wait_for_url("**/admin/")

    def go(self, path: str) -> Any:
        self.page.goto(self.address + path)
        return self.page

    def width_beyond_the_screen(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

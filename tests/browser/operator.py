"""The console as operators see it, with their words for what they do."""

from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Request, expect

from tests.browser.chat import WATCH_POLICY

PATIENCE = 20_000


class Operator:
    """One operator's page."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.context, self.origin = context, origin
        self.complaints: list[str] = []
        self.foreign_requests: list[str] = []
        context.add_init_script(WATCH_POLICY)
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        context.on("request", self._requested)

    def go(self, fragment: str) -> "Operator":
        """Opens the console, with what stands behind the # in its address."""
        self.page.goto(f"{self.origin}/api/console#{fragment}")
        return self

    def settled(self) -> "Operator":
        """Waits until everything that is shown was asked and answered."""
        expect(self.page.locator("#view .panel").first).to_be_visible(timeout=PATIENCE)
        expect(self.page.locator(".panel[aria-busy=true]:visible")).to_have_count(0, timeout=PATIENCE)
        return self

    def tab(self, name: str) -> "Operator":
        """Opens a tab."""
        self.page.get_by_role("tab", name=name, exact=True).click()
        return self.settled()

    def panel(self, title: str) -> Locator:
        """The panel with this title."""
        return self.page.locator("section.panel", has=self.page.get_by_role("heading", name=title, exact=True))

    def button(self, name: str) -> Locator:
        """A button by its exact name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def close(self) -> None:
        """Closes the window, after a last look for violations of the policy."""
        for violation in self.page.evaluate("window.policyViolations"):
            self.complaints.append(f"content security policy: {violation}")
        self.context.close()

    def check(self) -> None:
        """No errors, no violations of the policy, no request to anyone else."""
        assert self.complaints == []
        assert self.foreign_requests == []

    def _heard(self, message: ConsoleMessage) -> None:
        # The browser itself notes every refused request; those the tests provoke.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((self.origin + "/", "data:")):
            self.foreign_requests.append(request.url)


def context_for(**look: Any) -> dict[str, Any]:
    """Options of a browser window in which nothing moves."""
    return {"reduced_motion": "reduce", **look}

"""The chat page as its visitors see it, with their words for what they do."""

from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Locator, Request, expect

expect.set_options(timeout=5_000)

WATCH_POLICY = """
window.policyViolations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.policyViolations.push(`${event.effectiveDirective} ${event.blockedURI}`);
});
"""


class Chat:
    """One visitor's page."""

    def __init__(self, context: BrowserContext, origin: str, *, fake_clock: bool = False) -> None:
        self.context = context
        self.origin = origin
        self.complaints: list[str] = []
        self.foreign_requests: list[str] = []
        context.add_init_script(WATCH_POLICY)
        self.page = context.new_page()
        self.page.set_default_timeout(5_000)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        self.page.on("dialog", self._interrupted)
        context.on("request", self._requested)
        if fake_clock:
            self.page.clock.install()

    def go(self, path: str) -> None:
        """Opens an address of the app, and waits until the page is ready: then it places the cursor."""
        self.page.goto(self.origin + path)
        expect(self.page.locator("textarea:focus, input:focus")).to_be_attached()

    def ask(self, text: str) -> "Answer":
        """Types a question and sends it with Enter; returns what comes of it."""
        self.box.fill(text)
        self.box.press("Enter")
        return self.last

    @property
    def box(self) -> Locator:
        """The message box."""
        return self.page.get_by_label("Message to WallEGPT")

    @property
    def turns(self) -> Locator:
        """All turns."""
        return self.page.get_by_role("article")

    @property
    def last(self) -> "Answer":
        """The newest turn; it stays the same one when others follow."""
        expect(self.turns).not_to_have_count(0)
        return self.turn(self.turns.count() - 1)

    def turn(self, index: int) -> "Answer":
        """A turn, counted from 0."""
        return Answer(self.turns.nth(index))

    def button(self, name: str) -> Locator:
        """A button of the page by its exact name."""
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def announced(self) -> list[str]:
        """What screen readers were given to read, as far as it is still there."""
        return self.page.locator("#announcements p").all_inner_texts()

    def module(self, name: str, script: str, argument: Any = None) -> Any:
        """Runs `script`, a function of (module, argument), with one of the page's modules."""
        code = f"async (argument) => ({script})(await import('/api/js/{name}.js'), argument)"
        return self.page.evaluate(code, argument)

    def wait_out_pauses(self, turn: "Answer") -> None:
        """Lets the page's (fake) time run, pause by pause, until the turn is over."""
        for _ in range(200):
            if turn.element.get_attribute("aria-busy") == "false":
                return
            self.page.clock.fast_forward(5_000)
        raise AssertionError("The turn does not end, however long one waits.")

    def other_tab(self) -> "Chat":
        """A second tab of the same visitor."""
        return Chat(self.context, self.origin)

    def forget_everything(self) -> None:
        """Makes the browser one that was never here: one tab, online, nothing stored."""
        self.complaints.clear()
        self.foreign_requests.clear()
        self.context.set_offline(False)
        self.page.unroute_all()
        for page in self.context.pages:
            if page is not self.page:
                page.close()
        # The page saves its turn when it is left, so the storage is emptied from a document that is not the page.
        self.page.goto(self.origin + "/api/mark.svg")
        self.page.evaluate("localStorage.clear(), sessionStorage.clear()")

    def look_for_violations(self) -> None:
        """Takes up what the page violated of its content security policy."""
        for violation in self.page.evaluate("window.policyViolations"):
            self.complaints.append(f"content security policy: {violation}")

    def close(self) -> None:
        """Closes the browser window, after a last look."""
        self.look_for_violations()
        self.context.close()

    def check(self) -> None:
        """No errors, no violations of the policy, no request to anyone else."""
        assert self.complaints == []
        assert self.foreign_requests == []

    def _heard(self, message: ConsoleMessage) -> None:
        # The browser itself notes every refused or cut request; those the tests provoke.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _interrupted(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((self.origin + "/", "data:")):
            self.foreign_requests.append(request.url)


class Answer:
    """One turn on the page."""

    def __init__(self, element: Locator) -> None:
        self.element = element
        self.text = element.locator(".markdown").first
        self.status = element.locator(".status .words")
        self.problem = element.locator(".problem")
        self.note = element.locator(".note")
        self.sources = element.get_by_role("list", name="Sources").get_by_role("listitem")
        self.timeline = element.locator("details")

    def button(self, name: str) -> Locator:
        """A button of this turn."""
        return self.element.get_by_role("button", name=name)

    def finished(self) -> "Answer":
        """Waits until the turn is over."""
        expect(self.element).to_have_attribute("aria-busy", "false")
        return self

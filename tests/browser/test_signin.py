"""Signing in against a provider on this machine: who may enter, who may not, and what is logged."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, Page, expect
from serving import REPOSITORY, Server, Tab, free_port, serve

from foxnas_core.study import Study, create_study

from .provider import CLIENT, SECRET, Provider, provide

COOKIE = "another-secret-that-no-log-may-hold"
TOKEN = "what-somebody-put-into-an-address"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with provide() as running:
        yield running


@pytest.fixture(scope="module")
def guarded(
    provider: Provider, demo: Study, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder, port = tmp_path_factory.mktemp("guarded"), free_port()
    secrets = folder / "secrets.toml"
    secrets.write_text(
        f'[auth]\nredirect_uri = "http://localhost:{port}/oauth2callback"\n'
        f'cookie_secret = "{COOKIE}"\nclient_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
        f'server_metadata_url = "{provider.url}/.well-known/openid-configuration"\n'
    )
    # Of a study without a table, whose pages are drawn at once.
    create_study(folder / "studies" / "demo", demo.space, name="Demo")
    log = folder / "log.txt"
    options = ("--secrets.files", str(secrets), "--logger.level", "debug")
    with serve(
        REPOSITORY / "app.py",
        log,
        folder / "studies",
        *options,
        port=port,
        FOXNAS_USERS="ada@example.org, @fox.example",
    ) as running:
        yield running
    said = log.read_text()
    assert "Traceback" not in said
    assert not [secret for secret in (SECRET, COOKIE, TOKEN) if secret in said]


@pytest.fixture(scope="module")
def door(browser: Browser, guarded: Server) -> Iterator[Tab]:
    with closing(Tab(browser, guarded)) as tab:
        yield tab


@pytest.fixture
def visitor(door: Tab) -> Iterator[Page]:
    with door.visit() as page:
        yield page


def sign_in(page: Page, path: str = "/") -> None:
    page.goto(path)
    expect(page.locator("h1")).to_have_text("FOX-NAS Studio")
    # Nothing of a study is drawn, nor asked for, before.
    expect(page.locator('[data-testid="stPageLink"]')).to_have_count(0)
    page.locator(".st-key-sign-in button").click()
    page.wait_for_load_state()


def test_a_listed_user_signs_in_and_out(visitor: Page, provider: Provider):
    provider.claims = {"email": "Ada@example.org", "email_verified": True, "name": "Ada"}
    sign_in(visitor)
    expect(visitor.locator("h1")).to_have_text("Study")
    expect(visitor.get_by_text("Signed in as Ada@example.org")).to_be_visible()
    visitor.goto("/Coefficients")
    expect(visitor.locator("h1")).to_have_text("Coefficients")
    visitor.locator(".st-key-sign-out button").click()
    expect(visitor.locator(".st-key-sign-in")).to_be_visible()
    visitor.goto("/Coefficients")
    expect(visitor.locator("h1")).to_have_text("FOX-NAS Studio")


def test_a_deep_link_asks_too_and_a_domain_can_be_listed(visitor: Page, provider: Provider):
    provider.claims = {"email": "reynard@fox.example", "email_verified": "true"}
    sign_in(visitor, f"/Search?study=demo&token={TOKEN}")
    expect(visitor.get_by_text("Signed in as reynard@fox.example")).to_be_visible()


def test_others_are_told_why_they_stay_outside(visitor: Page, provider: Provider):
    provider.claims = {"email": "eve@elsewhere.example", "email_verified": True}
    sign_in(visitor)
    expect(visitor.get_by_text("is not among the users")).to_be_visible()
    expect(visitor.locator('[data-testid="stPageLink"]')).to_have_count(0)

"""The page about the model where there is little to tell, in a real browser."""

import re

import mlflow
import pytest
from browsing import run_browser, visiting
from packaged_models import register
from playwright.sync_api import expect
from serving_requests import draw, encode
from serving_servers import tracking_restored

from bukva.serving.access import hash_key, make_key


@pytest.fixture(scope="module")
def browser():
    with run_browser() as browser:
        yield browser


@pytest.fixture
def open_about(browser):
    """Open the page at a server; complaints of the browser fail the test, but for bad answers."""
    complaints = []
    with visiting(browser, complaints) as open_page:
        yield lambda server: open_page(f"{server.base_url}/about")
    expected = re.compile("status of (401|503)|ERR_FAILED")
    assert [line for line in complaints if not expected.search(line)] == []


def expect_facts(page, name):
    expect(page.locator("#facts dd").first).to_have_text(name)
    expect(page.locator("#state")).to_be_empty()
    expect(page.locator("#again")).to_be_hidden()


def test_a_model_without_a_dossier_is_described_nevertheless(server, open_about):
    page = open_about(server)
    expect_facts(page, "bukva-ink")
    expect(page.locator("#facts")).to_contain_text("Не підписана")
    expect(page.locator("#unmeasured")).to_have_text("До цієї моделі результатів не додано.")
    for hidden in ("#measured", "#confusions", "#card-place", "#key-form"):
        expect(page.locator(hidden)).to_be_hidden()


@pytest.fixture
def own_registry(tmp_path):
    return f"sqlite:///{tmp_path}/mlflow.db"


@pytest.fixture
def register_own(own_registry, tmp_path):
    """Register a model in a registry of its own."""

    def register_model(name, dossier=None):
        with tracking_restored():
            mlflow.set_tracking_uri(own_registry)
            artifacts = (tmp_path / "artifacts").as_uri()
            experiment_id = mlflow.create_experiment("about", artifact_location=artifacts)
            register(name, experiment_id, dossier)

    return register_model


def test_a_model_that_is_still_loaded_is_waited_for(serve, own_registry, register_own, open_about):
    with serve(tracking_uri=own_registry, model_name="bukva-late") as server:
        page = open_about(server)
        expect(page.locator("#state")).to_contain_text("Модель ще завантажується")
        expect(page.locator("#again")).to_be_visible()
        expect(page.locator("#facts div")).to_have_count(0)
        register_own("bukva-late")
        expect_facts(page, "bukva-late")


CARD = "# Картка\n\n<img src=x onerror=alert(1)> **міцно**, [далі](javascript:alert(1))\n"


def test_a_key_is_asked_for_and_opens_the_figures_too(
    serve, own_registry, register_own, open_about
):
    register_own("bukva-told", {"confusion.png": encode(draw()), "card.md": CARD.encode()})
    key = make_key()
    guarded = {"api_key_hashes": [hash_key(key)], "model_name": "bukva-told"}
    with serve(tracking_uri=own_registry, **guarded) as server:
        server.wait_until_ready()
        page = open_about(server)
        expect(page.locator("#state")).to_contain_text("ключ доступу")
        page.fill("#key", key)
        page.keyboard.press("Enter")
        expect_facts(page, "bukva-told")
        expect(page.locator("#key-form")).to_be_hidden()
        figure = page.get_by_alt_text("Рисунок confusion")
        assert figure.evaluate("figure => figure.decode().then(() => figure.naturalWidth)") > 1
        page.click("#card-place summary")
        card = page.locator("#card")
        expect(card.locator("h3")).to_have_text("Картка")
        expect(card.locator("strong")).to_have_text("міцно")
        # What is no Markdown stays text, and what is no address no link.
        expect(card).to_contain_text("<img src=x onerror=alert(1)> міцно, далі")
        expect(card.locator("img, a")).to_have_count(0)


def test_a_service_that_is_gone_is_asked_again(server, open_about):
    page = open_about(server)
    expect_facts(page, "bukva-ink")
    page.route("**/v1/model", lambda route: route.abort())
    page.reload()
    expect(page.locator("#state")).to_have_text("Сервіс не відповідає. Перевірте з’єднання.")
    page.unroute("**/v1/model")
    page.click("#again")
    expect_facts(page, "bukva-ink")

"""One caller that asks too often is told to wait, and no other one notices."""

import pytest
from serving_requests import JSON_TYPE, draw, encode, json_body

from bukva.serving.access import RateLimit, hash_key, name_address

BODY = json_body(encode(draw()))


class Clock:
    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        return self.now_s


def test_a_burst_passes_and_then_one_each_interval():
    clock = Clock()
    limit = RateLimit(per_minute=30, burst=3, now_s=clock)
    assert [limit.take("a") for _ in range(5)] == [0, 0, 0, 2, 2]
    clock.now_s += 1.5
    assert limit.take("a") == 0.5
    clock.now_s += 0.5
    assert [limit.take("a") for _ in range(2)] == [0, 2]


def test_who_waits_long_has_no_more_than_a_burst():
    clock = Clock()
    limit = RateLimit(per_minute=60, burst=2, now_s=clock)
    limit.take("a")
    clock.now_s += 3600
    assert [bool(limit.take("a")) for _ in range(3)] == [False, False, True]


def test_no_caller_takes_from_another():
    limit = RateLimit(per_minute=1, burst=1, now_s=Clock())
    assert [bool(limit.take(caller)) for caller in "aabb"] == [False, True, False, True]


def test_callers_do_not_grow_without_end_and_the_busy_one_is_kept():
    limit = RateLimit(per_minute=1, burst=1, max_callers=100, now_s=Clock())
    limit.take("busy")
    for number in range(10_000):
        limit.take(f"passer-by {number}")
        assert limit.take("busy") > 0
    assert len(limit._full_at_s) == 100


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("whatever a proxy says", "unknown"),
        ("", "unknown"),
    ],
)
def test_an_address_names_one_caller(host, name):
    assert name_address(host) == name


def predict(server, body=BODY, **headers):
    return server.http.post("/v1/predict", content=body, headers={**JSON_TYPE, **headers})


def test_one_key_over_its_limit_leaves_another_alone(registry, serve):
    hashes = tuple(f"{name}:{hash_key(name)}" for name in ("greedy", "modest"))
    with serve(
        tracking_uri=registry,
        model_name="bukva-ink",
        api_key_hashes=hashes,
        rate_limit_per_minute=1,
        rate_limit_burst=3,
    ) as server:
        server.wait_until_ready()
        greedy = [predict(server, **{"X-API-Key": "greedy"}) for _ in range(6)]
        modest = [predict(server, **{"X-API-Key": "modest"}) for _ in range(3)]
        assert [answer.status_code for answer in greedy] == [200] * 3 + [429] * 3
        assert [answer.status_code for answer in modest] == [200] * 3
        assert predict(server, **{"X-API-Key": "none"}).status_code == 401
    refused = greedy[-1]
    assert refused.json()["code"] == "rate_limited"
    assert 50 < int(refused.headers["retry-after"]) <= 60


@pytest.fixture
def limited(serve, tmp_path):
    """A service behind a proxy on this machine, with two requests a minute for each address."""
    with serve(
        tracking_uri=f"sqlite:///{tmp_path / 'none.db'}",
        rate_limit_per_minute=1,
        rate_limit_burst=2,
        trusted_proxies=("127.0.0.0/8",),
    ) as server:
        yield server


def test_addresses_behind_a_trusted_proxy_are_told_apart(limited):
    def ask(address):
        return predict(limited, **{"X-Forwarded-For": address}).status_code

    assert [ask("192.0.2.1") for _ in range(3)] == [503, 503, 429]  # 503: it has no model
    assert ask("192.0.2.2") == 503
    assert ask("192.0.2.9, 192.0.2.1") == 429, "what a caller claims is not believed"


def test_without_a_trusted_proxy_the_header_changes_nothing(serve, tmp_path):
    none = f"sqlite:///{tmp_path / 'none.db'}"
    with serve(tracking_uri=none, rate_limit_per_minute=1, rate_limit_burst=1) as server:
        answers = [predict(server, **{"X-Forwarded-For": f"192.0.2.{number}"}) for number in (1, 2)]
    assert [answer.status_code for answer in answers] == [503, 429]


def test_probes_and_page_are_not_limited(limited):
    for path in ("/livez", "/metrics", "/", "/page/main.js"):
        assert {limited.http.get(path).status_code for _ in range(4)} == {200}


def test_the_refusal_comes_before_the_body(limited):
    codes = [predict(limited, body=b"{").json()["code"] for _ in range(3)]
    assert codes == ["model_not_ready", "model_not_ready", "rate_limited"]
    described = limited.http.get("/openapi.json").json()
    assert "429" in described["paths"]["/v1/predict"]["post"]["responses"]

import pytest
from serving_requests import draw, encode

from bukva.serving.expectation import expect
from bukva.serving.schemas import Recognition


def recognition(*alternatives, is_symbol=True):
    symbol = alternatives[0][0]
    is_letter = symbol.isalpha()
    named = {
        "symbol": symbol,
        "label": symbol.lower(),
        "case": ("upper" if symbol.isupper() else "lower") if is_letter else None,
        "confidence": alternatives[0][1],
        "case_confidence": 0.8 if is_letter else None,
    }
    return Recognition(
        **(named if is_symbol else dict.fromkeys(named)),
        is_symbol=is_symbol,
        symbol_confidence=0.99,
        alternatives=[{"symbol": name, "probability": share} for name, share in alternatives],
    )


def test_a_digit_is_read_where_one_is_meant():
    found = expect("digit", recognition(("О", 0.5), ("0", 0.3), ("о", 0.1), ("6", 0.1)))
    assert (found.symbol, found.label, found.case, found.case_confidence) == ("0", "0", None, None)
    assert found.confidence == pytest.approx(0.75)
    assert [each.symbol for each in found.alternatives] == ["0", "6"]
    assert sum(each.probability for each in found.alternatives) == pytest.approx(1)


def test_a_letter_is_read_where_one_is_meant_its_cases_together():
    found = expect("letter", recognition(("3", 0.5), ("е", 0.2), ("З", 0.16), ("з", 0.14)))
    assert (found.symbol, found.label, found.case) == ("З", "з", "upper")
    assert found.confidence == pytest.approx(0.6)
    assert found.case_confidence == pytest.approx(0.16 / 0.3, abs=1e-5)


def test_what_is_of_the_kind_keeps_its_case():
    found = expect("letter", recognition(("О", 0.6), ("0", 0.4)))
    assert (found.symbol, found.case_confidence, found.confidence) == ("О", 0.8, 1.0)


@pytest.mark.parametrize(
    "known",
    [recognition(("Ж", 0.9), ("ж", 0.1)), recognition(("0", 0.9), ("О", 0.1), is_symbol=False)],
)
def test_what_cannot_be_of_the_kind_stays(known):
    assert expect("digit", known) == known


def test_the_route_takes_what_is_expected(server):
    file = {"file": ("a.png", encode(draw()))}
    kinds = {
        kind: server.http.post(f"/v1/predict?expect={kind}", files=file).json()["symbol"].isdigit()
        for kind in ("letter", "digit")
    }
    assert kinds == {"letter": False, "digit": True}
    refused = server.http.post("/v1/predict?expect=sign", files=file)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")

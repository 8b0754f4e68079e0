from serving_requests import draw, encode


def test_the_route_takes_what_is_expected(server):
    file = {"file": ("a.png", encode(draw()))}
    kinds = {
        kind: server.http.post(f"/v1/predict?expect={kind}", files=file).json()["symbol"].isdigit()
        for kind in ("letter", "digit")
    }
    assert kinds == {"letter": False, "digit": True}
    refused = server.http.post("/v1/predict?expect=sign", files=file)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")

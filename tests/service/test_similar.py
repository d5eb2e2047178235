"""Clusters, similar claims and search over HTTP, on both databases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from flask import Flask
from flask.testing import FlaskClient

from models.same import SameClaim
from service.api.cluster_records import ClusterPageSchema, ClusterSchema
from service.api.similar import SimilarClaimsSchema
from service.app import create_app
from service.config import load_settings
from tests.databases import ENGINES, served
from tests.fakes import FakeReader

FIRST = "Amara said that the old bridge is closed for repairs."
AGAIN = "Bruno said that the old bridge is closed for repairs now."
OTHER = "Chen said that taxes rise in the spring."


@pytest.fixture(params=ENGINES)
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    with served(request.param, tmp_path) as app:
        yield app


def store_one(client: FlaskClient, text: str, **about: Any) -> Any:
    response = client.post("/v1/articles", json={"text": f"Here is the news of the day. {text}", **about})
    assert response.status_code == 201, response.json
    return response.json


def store_three(client: FlaskClient) -> list[Any]:
    """The later one first."""
    return [
        store_one(client, AGAIN, publisher="Rehn Post", published="2024-06-02T10:00:00Z"),
        store_one(client, FIRST, publisher="Lund Daily", published="2024-05-31"),
        store_one(client, OTHER, publisher="Lund Daily", published="2024-05-31"),
    ]


def test_a_cluster_tells_first_appearance_timeline_speakers_and_publishers(client: FlaskClient) -> None:
    again, first, other = (one["claims"][0] for one in store_three(client))
    assert other["cluster"] is None
    id_ = first["cluster"]
    assert client.get(f"/v1/claims/{again['id']}").json["cluster"] == id_
    found = client.get(f"/v1/clusters/{id_}").json
    assert ClusterSchema().validate(found) == {}
    assert found["text"] == "the old bridge is closed for repairs"
    assert (found["articles"], found["claims"]) == (2, 2)
    assert (found["first_published"], found["last_published"]) == ("2024-05-31", "2024-06-02T10:00:00Z")
    assert [one["name"] for one in found["speakers"]] == ["Amara", "Bruno"]
    assert found["publishers"] == ["Lund Daily", "Rehn Post"]
    assert found["first"] == found["timeline"][0]
    assert [one["claim"]["id"] for one in found["timeline"]] == [first["id"], again["id"]]
    assert [one["article"]["publisher"] for one in found["timeline"]] == ["Lund Daily", "Rehn Post"]
    assert found["timeline"][0]["score"] == 1.0
    assert 0.5 <= found["timeline"][1]["score"] < 1.0
    listed = client.get("/v1/claims", query_string={"cluster": id_}).json["items"]
    assert {one["id"] for one in listed} == {first["id"], again["id"]}


def test_who_compares_holds_no_connection(app: Flask, client: FlaskClient) -> None:
    again, *_ = store_three(client)
    tracker, held = app.config["KEEPER"].tracker, list[int]()
    embed = tracker.same.embed

    def embed_alone(texts: Sequence[str]) -> Any:
        held.append(tracker.store.engine.pool.checkedout())
        return embed(texts)

    with patch.object(tracker.same, "embed", embed_alone):
        assert client.get(f"/v1/claims/{again['claims'][0]['id']}/similar").json["items"]
        assert client.post("/v1/claims/search", json={"text": "the old bridge is closed"}).json["items"]
    assert held == [0, 0]


def test_a_cluster_ends_with_its_last_but_one_article(client: FlaskClient) -> None:
    again, first, _ = store_three(client)
    id_ = client.get(f"/v1/articles/{first['id']}").json["claims"][0]["cluster"]
    assert client.delete(f"/v1/articles/{again['id']}").status_code == 204
    gone = client.get(f"/v1/clusters/{id_}")
    assert (gone.status_code, gone.json["type"]) == (404, "/problems/not-found")
    assert client.get(f"/v1/articles/{first['id']}").json["claims"][0]["cluster"] is None


def test_clusters_are_found_by_what_is_known_of_their_claims(client: FlaskClient) -> None:
    _, first, _ = store_three(client)
    store_one(client, OTHER + " There is more to it.", publisher="Rehn Post", published="2024-07-01")
    store_one(client, OTHER + " There is much more.", publisher="Rehn Post", published="2024-07-02")

    def found(**query: Any) -> list[str]:
        listed = client.get("/v1/clusters", query_string=query).json
        assert ClusterPageSchema().validate(listed) == {}
        return [one["text"] for one in listed["items"]]

    bridge, taxes = "the old bridge is closed for repairs", "taxes rise in the spring"
    assert found() == [taxes, bridge]
    assert found(speaker=first["speakers"][0]["id"]) == [bridge]
    assert found(q="rising taxes") == [taxes]
    assert found(articles=3) == [taxes]
    assert found(publisher="Lund Daily") == [taxes, bridge]
    assert found(publisher="Lund Daily", published_from="2024-06-01") == []
    assert found(published_from="2024-06-01", published_to="2024-06-30") == [bridge]
    page = client.get("/v1/clusters?limit=1").json
    rest = client.get("/v1/clusters", query_string={"limit": 1, "cursor": page["next"]}).json
    assert [one["text"] for one in page["items"] + rest["items"]] == [taxes, bridge]
    assert rest["next"] is None


def test_similar_claims_are_ranked_and_filtered(client: FlaskClient) -> None:
    again, first, other = (one["claims"][0]["id"] for one in store_three(client))

    def similar(**query: Any) -> list[str]:
        listed = client.get(f"/v1/claims/{first}/similar", query_string=query).json
        assert SimilarClaimsSchema().validate(listed) == {}
        scores = [one["score"] for one in listed["items"]]
        assert scores == sorted(scores, reverse=True)
        return [one["id"] for one in listed["items"]]

    assert similar() == [again, other]
    assert similar(limit=1) == [again]
    assert similar(publisher="Lund Daily") == [other]
    assert similar(published_from="2024-06-03") == []
    assert client.get("/v1/claims/claim-0/similar").status_code == 404


def test_claims_are_searched_by_a_text(client: FlaskClient) -> None:
    again, first, other = (one["claims"][0]["id"] for one in store_three(client))
    asked = {"text": "the old bridge is closed for repairs", "speaker": "Amara", "date": "2024-06-01"}
    found = client.post("/v1/claims/search", json=asked)
    assert SimilarClaimsSchema().validate(found.json) == {}
    assert [one["id"] for one in found.json["items"]] == [first, again, other]
    assert found.json["items"][0]["score"] == 1.0
    asked |= {"filters": {"publisher": "Rehn Post"}, "limit": 1}
    assert [one["id"] for one in client.post("/v1/claims/search", json=asked).json["items"]] == [again]


def test_a_filter_that_lets_little_through_still_finds_it(client: FlaskClient) -> None:
    store_one(client, OTHER, publisher="Rehn Post")
    for number in range(60):
        store_one(client, f"Amara said that the old bridge number {number} is closed.", publisher="Lund Daily")
    asked = {"text": "the old bridge is closed", "filters": {"publisher": "Rehn Post"}}
    assert [one["text"] for one in client.post("/v1/claims/search", json=asked).json["items"]] == [
        "taxes rise in the spring"
    ]


@pytest.mark.parametrize(
    ("method", "path", "sent", "field"),
    [
        ("get", "/v1/clusters", {"articles": 1}, "articles"),
        ("get", "/v1/clusters", {"cursor": "x"}, "cursor"),
        ("get", "/v1/clusters", {"published_to": "May"}, "published_to"),
        ("get", "/v1/claims/claim-00/similar", {"limit": 101}, "limit"),
        ("get", "/v1/claims/claim-00/similar", {"cursor": "x"}, "cursor"),
        ("post", "/v1/claims/search", {}, "text"),
        ("post", "/v1/claims/search", {"text": " "}, "text"),
        ("post", "/v1/claims/search", {"text": "x" * 2001}, "text"),
        ("post", "/v1/claims/search", {"text": "x", "date": "May"}, "date"),
        ("post", "/v1/claims/search", {"text": "x", "filters": {"kind": "cat"}}, "filters.kind"),
        ("post", "/v1/claims/search", {"text": "x", "limit": 0}, "limit"),
    ],
)
def test_what_is_wrong_is_named(client: FlaskClient, method: str, path: str, sent: dict[str, Any], field: str) -> None:
    response = client.get(path, query_string=sent) if method == "get" else client.post(path, json=sent)
    assert response.status_code == 422
    assert response.json["errors"][0]["field"].endswith(field)


@pytest.mark.model
def test_the_same_claim_in_other_words_is_found_and_another_number_is_not(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/whosaid.db"
    client = create_app(
        load_settings({"database_url": url}, environ={}), FakeReader(), SameClaim.from_pretrained()
    ).test_client()
    client.application.config["STORE"].upgrade()
    quote = "“We will not raise the fares for buses and trams before the end of next year,” said Okonkwo."
    first = store_one(client, quote, published="2024-05-01")
    copied = store_one(client, f"It was a long meeting. {quote}", published="2024-05-02")
    reworded = store_one(
        client,
        "Okonkwo said that fares for buses and trams will not be raised before the end of next year.",
        published="2024-05-02",
    )
    different = store_one(
        client, "Okonkwo said that the city will buy 40 new electric buses and trams.", published="2024-05-02"
    )

    def cluster(article: Any) -> Any:
        return client.get(f"/v1/articles/{article['id']}").json["claims"][0]["cluster"]

    assert cluster(first) is not None
    assert cluster(first) == cluster(copied) == cluster(reworded)
    assert cluster(different) is None
    asked = {"text": "Bus and tram fares stay as they are until the end of next year.", "speaker": "Okonkwo"}
    found = client.post("/v1/claims/search", json=asked).json["items"]
    assert cluster(first) == found[0]["cluster"]
    assert found[-1]["id"] == different["claims"][0]["id"]

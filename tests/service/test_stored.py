"""Stored articles, claims and speakers over HTTP, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import fields

from service.api.parsing import Parser
from service.api.records import ArticlePageSchema, ClaimPageSchema, SpeakerPageSchema, StoredArticleSchema
from service.app import create_app
from service.config import load_settings
from service.intake import page_of
from service.store.articles import Handed, get_article, tells_more
from service.store.engine import Store
from service.store.tables import Article
from tests.databases import ENGINES, served
from tests.fakes import FakeReader, FakeSame

TEXT = "😀 “We will rebuild,” said Amara. Bruno said that the é bridge is closed."


@pytest.fixture(params=ENGINES)
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    with served(request.param, tmp_path) as app:
        yield app


def store_one(client: FlaskClient, text: str = TEXT, **about: Any) -> Any:
    response = client.post("/v1/articles", json={"text": text, **about})
    assert response.status_code in (200, 201), response.json
    return response.json


def test_an_article_is_kept_and_read_again(client: FlaskClient) -> None:
    sent = {"text": TEXT, "title": "Bridge", "external_id": "a-1", "publisher": "Lund Daily", "published": "2024-05-31"}
    response = client.post("/v1/articles", json=sent)
    assert response.status_code == 201
    kept = response.json
    assert StoredArticleSchema().validate(kept) == {}
    assert {name: kept[name] for name in sent} == sent
    again = client.get(response.headers["Location"])
    assert (again.status_code, again.json) == (200, kept)
    for claim in kept["claims"]:
        assert claim["article"] == kept["id"]
        for span in [*claim["source"], *claim["cue"], *claim["content"], claim["context"]]:
            assert kept["text"][span["start"] : span["end"]] == span["text"]
    assert [one["speaker"]["name"] for one in kept["claims"]] == ["Amara", "Bruno"]
    assert [one["name"] for one in kept["speakers"]] == ["Amara", "Bruno"]


def test_the_same_article_is_updated(client: FlaskClient) -> None:
    first = store_one(client, url="https://news.example/1")
    response = client.post("/v1/articles", json={"text": TEXT, "title": "New"})
    assert response.status_code == 200
    assert response.json["title"] == "New"
    assert response.json["url"] == "https://news.example/1"
    assert [one | {"title": None} for one in response.json["claims"]] == first["claims"]


def test_a_language_that_is_not_told_again_stays(client: FlaskClient, app: Flask) -> None:
    first = store_one(client, external_id="L", language="en-GB")
    assert first["language"] == "en-GB"
    assert store_one(client, external_id="L", title="x")["language"] == "en-GB"
    assert store_one(client, external_id="L", language="en-US")["language"] == "en-US"
    assert store_one(client, TEXT + " More.")["language"] == "en"
    page = page_of({"text": TEXT})
    assert not tells_more(_stored(app, first["id"]), Handed(page, "L"))
    assert tells_more(_stored(app, first["id"]), Handed(replace(page, language="en-GB"), "L"))


def _stored(app: Flask, id_: str) -> Article:
    with app.config["STORE"].read() as session:
        article = get_article(session, id_)
        assert article is not None
        return article


def test_pages_that_all_say_that_they_are_the_sites_first_are_several_articles(client: FlaskClient) -> None:
    ids = set()
    for name in ("Amara", "Bruno"):
        text = "".join(f"<p>“We will rebuild the bridge before winter,” said {name}, number {n}.</p>" for n in range(6))
        head = '<link rel="canonical" href="https://news.example/">'
        response = client.post("/v1/articles", json={"html": f"<html><head>{head}</head><body>{text}</body></html>"})
        assert (response.status_code, response.json["url"]) == (201, None)
        ids.add(response.json["id"])
    assert len(ids) == 2


def test_an_article_that_is_read_already_is_not_read_again(client: FlaskClient, app: Flask) -> None:
    store_one(client)
    app.config["READER"].read_one = None
    assert store_one(client, title="New")["title"] == "New"


def test_two_articles_at_once_is_a_conflict(client: FlaskClient) -> None:
    store_one(client, external_id="a")
    store_one(client, TEXT + " More.", url="https://news.example/2")
    response = client.post("/v1/articles", json={"text": TEXT, "url": "https://news.example/2"})
    assert (response.status_code, response.json["type"]) == (409, "/problems/conflict")


def test_a_removed_article_is_gone_with_its_claims(client: FlaskClient) -> None:
    kept = store_one(client)
    where = f"/v1/articles/{kept['id']}"
    assert client.delete(where).status_code == 204
    assert client.get(where).status_code == client.delete(where).status_code == 404
    assert client.get(f"/v1/claims/{kept['claims'][0]['id']}").status_code == 404
    assert client.get("/v1/claims").json == client.get("/v1/speakers").json == {"items": [], "next": None}


def test_lists_are_read_page_by_page(client: FlaskClient) -> None:
    ids = [store_one(client, f"{TEXT} Number {n}.")["id"] for n in range(7)]
    found, cursor = [], None
    while True:
        listed = client.get("/v1/articles", query_string={"limit": 3} | ({"cursor": cursor} if cursor else {})).json
        assert ArticlePageSchema().validate(listed) == {}
        found += [one["id"] for one in listed["items"]]
        cursor = listed["next"]
        if cursor is None:
            break
        store_one(client, f"{TEXT} In between {cursor}.")  # what comes in later does not shift the pages
    assert found == ids[::-1]


def test_a_cursor_is_of_one_list(client: FlaskClient) -> None:
    for number in range(2):
        store_one(client, f"{TEXT} Number {number}.")
    cursor = {"cursor": client.get("/v1/articles?limit=1").json["next"]}
    assert client.get("/v1/articles", query_string=cursor).status_code == 200
    for path in ("/v1/claims", "/v1/speakers", "/v1/clusters", "/v1/batches"):
        refused = client.get(path, query_string=cursor)
        assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "cursor")


def test_the_longest_values_fit(client: FlaskClient) -> None:
    moment = f"2024-05-31T09:30:00.{'1' * 19}Z"
    about = {
        "external_id": "😀" * 200,
        "publisher": "😀" * 200,
        "title": "😀" * 1_000,
        "url": "https://news.example/" + "é" * 989,
        "published": moment,
        "language": "en-GB" + "-latin" * 5 + "-x123",
    }
    assert {len(moment), len(about["language"])} == {40}
    kept = store_one(client, **about)
    assert {name: kept[name] for name in about} == about


@pytest.mark.parametrize("published", ["2024053110", "20240531é", "2024W22551", "2024-13-01", "May"])
def test_what_is_no_day_is_refused(client: FlaskClient, published: str) -> None:
    response = client.post("/v1/articles", json={"text": "“We go,” said Amara.", "published": published})
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, "published")


def test_a_page_whose_headline_is_no_string_is_kept(client: FlaskClient) -> None:
    paragraphs = "".join(
        f"<p>“We will rebuild the bridge before winter,” said Amara, number {n}.</p>" for n in range(6)
    )
    linked = '{"@context": "https://schema.org", "@type": "NewsArticle", "headline": ["Bridge", "Winter"]}'
    html = f'<html><head><script type="application/ld+json">{linked}</script></head><body>{paragraphs}</body></html>'
    response = client.post("/v1/articles", json={"html": html})
    assert (response.status_code, response.json["title"]) == (201, None)


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/v1/articles", {"limit": 0}, "limit"),
        ("/v1/articles", {"limit": 201}, "limit"),
        ("/v1/articles", {"cursor": "x"}, "cursor"),
        ("/v1/articles", {"cursor": "WzEsICJhIl0"}, "cursor"),
        ("/v1/articles", {"published_from": "May"}, "published_from"),
        ("/v1/claims", {"type": "loud"}, "type"),
        ("/v1/claims", {"q": ""}, "q"),
        ("/v1/speakers", {"kind": "cat"}, "kind"),
    ],
)
def test_bad_filters_are_named(client: FlaskClient, path: str, query: dict[str, Any], field: str) -> None:
    response = client.get(path, query_string=query)
    assert response.status_code == 422
    assert response.json["errors"][0]["field"].endswith(field)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/claims?kind=person&kind=group", "kind"),
        ("/v1/articles?limit=5&limit=7", "limit"),
        ("/v1/speakers?name=Amara&kind=person&name=Amara", "name"),
        ("/v1/claims/claim-00?format=json&format=", "format"),
        ("/v1/claims/claim-00/similar?limit=1&limit=2", "limit"),
    ],
)
def test_a_filter_that_stands_twice_is_named(client: FlaskClient, path: str, field: str) -> None:
    response = client.get(path)
    assert response.status_code == 422
    assert [one["field"] for one in response.json["errors"]] == [f"query.{field}"]


def test_what_is_declared_as_a_list_may_stand_twice(app: Flask) -> None:
    with app.test_request_context("/?name=Amara&name=Bruno"):
        found = Parser().parse({"name": fields.List(fields.String())}, location="query")
    assert found == {"name": ["Amara", "Bruno"]}


def test_claims_are_found_by_what_is_known_of_them(client: FlaskClient) -> None:
    store_one(client, publisher="Lund Daily", published="2024-05-31")
    store_one(client, "Chen said that bridges are closing.", publisher="Rehn Post", published="2024-06-02T10:00:00Z")
    amara = client.get("/v1/speakers", query_string={"name": "amara"}).json["items"][0]

    def found(**query: Any) -> list[str]:
        listed = client.get("/v1/claims", query_string=query).json
        assert ClaimPageSchema().validate(listed) == {}
        return [one["text"] for one in listed["items"]]

    assert found() == ["bridges are closing", "the é bridge is closed", "We will rebuild"]
    assert found(speaker=amara["id"]) == ["We will rebuild"]
    assert found(q="bridge close") == ["bridges are closing", "the é bridge is closed"]
    assert found(q='"bridge OR (') == ["bridges are closing", "the é bridge is closed"][: len(found(q='"bridge OR ('))]
    store_one(client, "Dora said that the WHO has not opened/closed the COVID-19 ward.")
    for words in ("who not", "opened", "COVID-19", "covid 19", "the"):
        assert "the WHO has not opened/closed the COVID-19 ward" in found(q=words), words
    assert found(type="direct") == ["We will rebuild"]
    assert found(publisher="Rehn Post") == ["bridges are closing"]
    assert found(published_to="2024-06-01", kind="person", category="factual", type="indirect") == [
        "the é bridge is closed"
    ]
    assert found(published_from="2024-06-03") == []


def test_a_speaker_tells_names_and_counts(client: FlaskClient) -> None:
    kept = store_one(client)
    listed = client.get("/v1/speakers").json
    assert SpeakerPageSchema().validate(listed) == {}
    assert [(one["name"], one["articles"], one["claims"]) for one in listed["items"]] == [
        ("Bruno", 1, 1),
        ("Amara", 1, 1),
    ]
    one = client.get(f"/v1/speakers/{kept['speakers'][0]['id']}").json
    assert one == listed["items"][1]
    assert client.get("/v1/speakers/none").status_code == 404


def test_speakers_are_merged_for_good(client: FlaskClient) -> None:
    kept = store_one(client)
    amara, bruno = (one["id"] for one in kept["speakers"])
    merged = client.post(f"/v1/speakers/{amara}/merge", json={"speaker": bruno})
    assert (merged.status_code, merged.json["claims"], merged.json["aliases"]) == (200, 2, ["Bruno"])
    assert client.get(f"/v1/speakers/{bruno}").status_code == 404
    assert {one["speaker"]["id"] for one in client.get("/v1/claims").json["items"]} == {amara}
    later = store_one(client, "Bruno said that it rained.")
    assert (later["speakers"][0]["id"], later["speakers"][0]["candidates"]) == (amara, [])
    assert client.post(f"/v1/speakers/{amara}/merge", json={"speaker": amara}).status_code == 409
    assert client.post(f"/v1/speakers/{amara}/merge", json={"speaker": bruno}).status_code == 404


def test_a_speaker_is_split_by_articles(client: FlaskClient) -> None:
    first, second = store_one(client), store_one(client, "“Stay,” said Amara.")
    amara, other = first["speakers"][0]["id"], second["speakers"][0]["id"]
    client.post(f"/v1/speakers/{amara}/merge", json={"speaker": other})
    apart = client.post(f"/v1/speakers/{amara}/split", json={"articles": [second["id"]]})
    assert (apart.status_code, apart.json["claims"]) == (201, 1)
    assert client.get(f"/v1/speakers/{amara}").json["claims"] == 1
    again = client.post(f"/v1/speakers/{amara}/split", json={"articles": [first["id"]]})
    assert (again.status_code, "no other article" in again.json["detail"]) == (409, True)


def test_a_speaker_gets_name_and_identifier(client: FlaskClient) -> None:
    amara, bruno = (one["id"] for one in store_one(client)["speakers"])
    changed = client.patch(f"/v1/speakers/{amara}", json={"name": "Amara Diallo", "qid": "Q42"}).json
    assert (changed["name"], changed["qid"], changed["aliases"]) == ("Amara Diallo", "Q42", ["Amara"])
    assert [one["id"] for one in client.get("/v1/speakers?qid=Q42").json["items"]] == [amara]
    assert client.patch(f"/v1/speakers/{bruno}", json={"qid": "Q42"}).status_code == 409
    assert client.patch(f"/v1/speakers/{bruno}", json={"qid": "42"}).json["errors"][0]["field"] == "qid"
    assert client.patch(f"/v1/speakers/{bruno}", json={"qid": "Q43\n"}).json["errors"][0]["field"] == "qid"
    assert client.patch(f"/v1/speakers/{amara}", json={"qid": None}).json["qid"] is None


def test_a_database_without_tables_is_not_ready(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/empty.db"
    client = create_app(load_settings({"database_url": url}, environ={}), FakeReader(), FakeSame()).test_client()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "whosaid db upgrade" in response.json["detail"]
    Store(url).upgrade()
    assert client.get("/readyz").status_code == 200

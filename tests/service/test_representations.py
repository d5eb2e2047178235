"""Articles, claims and speakers as JSON, CSV, NDJSON and JSON-LD; tags that spare what the caller has."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.api.formats import csv_rows
from service.api.lists import CLAIMS
from tests.databases import ENGINES, served

TEXT = "😀 “We will rebuild,” said Amara. Bruno said that the é bridge is closed."


@pytest.fixture(params=ENGINES)
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    with served(request.param, tmp_path) as app:
        yield app


def keep(client: FlaskClient, text: str = TEXT, **about: Any) -> Any:
    return client.post("/v1/articles", json={"text": text, **about}).json


def keep_some(client: FlaskClient, number: int) -> None:
    for n in range(number):
        keep(
            client, f"{TEXT} Number {n}.", title=f"Bridge {n}", published=f"2024-05-{n + 1:02}", publisher="Lund Daily"
        )


def rows(body: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body, newline="")))


@pytest.mark.parametrize("path", ["/v1/articles", "/v1/claims", "/v1/speakers"])
def test_every_form_holds_the_same_items(client: FlaskClient, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    keep_some(client, 7)
    items = client.get(path, query_string={"limit": 200}).json["items"]
    monkeypatch.setattr("service.api.lists.MAX_PAGE", 3)
    lines = client.get(path, query_string={"format": "ndjson"}).text.splitlines()
    assert [json.loads(line) for line in lines[:-1]] == items
    assert json.loads(lines[-1]) == {"type": "end", "items": len(items), "next": None}
    table = rows(client.get(path, query_string={"format": "csv"}).text)
    assert [row["id"] for row in table] == [one["id"] for one in items]
    graph = json.loads(client.get(path, query_string={"format": "jsonld"}).text)["@graph"]
    assert [node["@id"] for node in graph] == [f"urn:whosaid:{one['id']}" for one in items]


@pytest.mark.parametrize("form", ["csv", "ndjson", "jsonld"])
def test_an_empty_list_is_well_formed(client: FlaskClient, form: str) -> None:
    body = client.get("/v1/claims", query_string={"format": form}).text
    if form == "csv":
        assert rows(body) == []
        assert body.startswith("id,text,speaker,")
    elif form == "ndjson":
        assert json.loads(body) == {"type": "end", "items": 0, "next": None}
    else:
        assert json.loads(body)["@graph"] == []


def test_filters_limits_and_cursors_go_with_every_form(client: FlaskClient) -> None:
    keep_some(client, 5)
    table = rows(client.get("/v1/claims?format=csv&type=direct&published_from=2024-05-04").text)
    assert [row["title"] for row in table] == ["Bridge 4", "Bridge 3"]
    first = client.get("/v1/articles?format=ndjson&limit=2").text.splitlines()
    end = json.loads(first[-1])
    assert end["items"] == 2
    rest = client.get("/v1/articles", query_string={"format": "ndjson", "cursor": end["next"]}).text.splitlines()
    assert len(rest) == 4
    assert client.get("/v1/articles?format=csv&cursor=x").status_code == 422


@pytest.mark.parametrize(
    ("accept", "found"),
    [
        ("text/csv", "text/csv"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("application/ld+json", "application/ld+json"),
        ("application/json;q=0.5, text/csv", "text/csv"),
        ("text/csv;q=0.5, */*", "application/json"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
        ("text/*", "text/csv"),
        ("application/json; charset=utf-8", "application/json"),
        ("text/csv; charset=utf-8; header=present", "text/csv"),
        ('application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"', "application/ld+json"),
        ("application/json;charset=utf-8;q=0.5, text/csv;charset=utf-8;q=0.9", "text/csv"),
        ("text/csv;charset=utf-8;q=0, application/json;q=0.1", "application/json"),
        ("*/*", "application/json"),
    ],
)
def test_the_accept_header_chooses(client: FlaskClient, accept: str, found: str) -> None:
    response = client.get("/v1/claims", headers={"Accept": accept})
    assert (response.status_code, response.mimetype) == (200, found)
    assert "Accept" in response.headers["Vary"]


def test_the_address_wins_over_the_header(client: FlaskClient) -> None:
    response = client.get("/v1/claims?format=ndjson", headers={"Accept": "text/csv"})
    assert response.mimetype == "application/x-ndjson"
    assert client.get("/v1/claims?format=xml").status_code == 422


def test_a_form_that_is_not_there_is_not_acceptable(client: FlaskClient) -> None:
    where = f"/v1/articles/{keep(client)['id']}"
    for response in (
        client.get("/v1/claims", headers={"Accept": "text/html"}),
        client.get(where, headers={"Accept": "text/csv"}),
        client.get(f"{where}?format=csv"),
    ):
        assert (response.status_code, response.json["type"]) == (406, "/problems/not-acceptable")
    assert "application/ld+json" in client.get(where, headers={"Accept": "text/csv"}).json["detail"]


def test_a_table_can_be_read_by_anyone(client: FlaskClient) -> None:
    text = "“=1+1 is 2, she knew,\nhe too,” said Amara."
    kept = keep(client, text, title="+sums", url="https://news.example/1")
    response = client.get("/v1/claims?format=csv")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert response.headers["Content-Disposition"] == 'attachment; filename="claims.csv"'
    assert response.data.count(b"\r\n") == 1 + len(kept["claims"])
    row = rows(response.text)[0]
    assert list(row) == list(CLAIMS.columns)
    claim = kept["claims"][0]
    assert row["text"] == "'" + claim["text"]
    assert (row["title"], row["url"], row["speaker"]) == ("'+sums", "https://news.example/1", "Amara")
    start, end = map(int, row["content_spans"].split("-"))
    assert text[start:end] == row["content"]
    assert float(row["confidence"]) == claim["confidence"]


def test_a_table_of_claims_names_their_clusters(client: FlaskClient) -> None:
    keep_some(client, 2)
    keep(client, "Chen said that taxes rise in the spring.")
    clusters = [one["cluster"] for one in client.get("/v1/claims").json["items"]]
    assert None in clusters
    assert any(clusters)
    table = rows(client.get("/v1/claims?format=csv").text)
    assert list(table[0])[-1] == "cluster"
    assert [row["cluster"] for row in table] == [one or "" for one in clusters]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])
def test_no_cell_is_a_formula(begin: str) -> None:
    text = begin + "cmd|' /C calc'!A0"
    assert list(csv.reader(io.StringIO(csv_rows([[text, "a" + text, -1, None]]), newline=""))) == [
        ["'" + text, "a" + text, "-1", ""]
    ]


def test_a_claim_as_linked_data(client: FlaskClient) -> None:
    kept = keep(client, title="Bridge", publisher="Lund Daily", published="2024-05-31", url="https://news.example/1")
    amara = kept["speakers"][0]["id"]
    client.patch(f"/v1/speakers/{amara}", json={"qid": "Q42"})
    direct, indirect = (
        client.get(f"/v1/claims/{one['id']}", headers={"Accept": "application/ld+json"}).json for one in kept["claims"]
    )
    assert (direct["@type"], indirect["@type"]) == (["Claim", "Quotation"], "Claim")
    assert direct["creator"] == {
        "@id": f"urn:whosaid:{amara}",
        "@type": "Person",
        "name": "Amara",
        "sameAs": "http://www.wikidata.org/entity/Q42",
    }
    assert direct["appearance"] == {
        "@id": f"urn:whosaid:{kept['id']}",
        "@type": "NewsArticle",
        "headline": "Bridge",
        "publisher": {"@type": "Organization", "name": "Lund Daily"},
        "url": "https://news.example/1",
        "datePublished": "2024-05-31",
        "inLanguage": "en",
    }
    assert direct["isBasedOn"] == direct["appearance"]["@id"]
    (target,) = direct["annotation"]["target"]
    place, quote = target["selector"]
    assert target["source"] == direct["isBasedOn"]
    assert (place["@type"], TEXT[place["start"] : place["end"]]) == ("TextPositionSelector", "“We will rebuild,”")
    assert quote["prefix"] + quote["exact"] + quote["suffix"] == TEXT[: place["end"] + 32]


def test_an_article_as_linked_data(client: FlaskClient) -> None:
    kept = keep(client)
    article, *claims = client.get(f"/v1/articles/{kept['id']}?format=jsonld").json["@graph"]
    assert article["articleBody"] == TEXT
    assert [one["text"] for one in claims] == [one["text"] for one in kept["claims"]]
    assert claims[0]["appearance"] == {"@id": article["@id"]}


def test_all_terms_of_linked_data_are_known(client: FlaskClient) -> None:
    """What the context does not name is schema.org's; these are its properties and types that are used."""
    keep(client, title="Bridge", publisher="Lund Daily", published="2024-05-31", url="https://news.example/1")
    ours = {
        "text", "creator", "appearance", "isBasedOn", "name", "headline", "publisher", "url", "datePublished",
        "inLanguage", "Claim", "Quotation", "Person", "NewsArticle", "Organization", "identifier", "author",
    }  # fmt: skip

    def terms(node: Any) -> Iterator[str]:
        if isinstance(node, list):
            for each in node:
                yield from terms(each)
        elif isinstance(node, dict):
            for name, value in node.items():
                if name == "@type":
                    yield from [value] if isinstance(value, str) else value
                elif not name.startswith("@"):
                    yield name
                    yield from terms(value)

    found = client.get("/v1/claims?format=jsonld").json
    assert set(terms(found["@graph"])) <= ours | found["@context"].keys()


def test_a_list_that_breaks_off_says_so(client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_some(client, 5)
    monkeypatch.setattr("service.api.lists.MAX_PAGE", 2)
    begun = client.get("/v1/articles?format=ndjson", buffered=False)
    pieces = iter(begun.iter_encoded())
    assert len(next(pieces).splitlines()) == 2
    monkeypatch.setattr("service.api.lists.rows_of", lambda *_: 1 / 0)
    lines = [next(pieces)]
    assert json.loads(lines[0])["type"] == "error"
    with pytest.raises(ZeroDivisionError):
        next(pieces)


@pytest.mark.parametrize("what", ["articles", "claims", "speakers"])
def test_what_the_caller_has_is_not_sent_again(client: FlaskClient, what: str) -> None:
    kept = keep(client)
    id = {"articles": kept, "claims": kept["claims"][0], "speakers": kept["speakers"][0]}[what]["id"]
    for where in (f"/v1/{what}/{id}", f"/v1/{what}"):
        first = client.get(where)
        tag = first.headers["ETag"]
        assert not tag.startswith("W/")
        assert first.headers["Cache-Control"] == "private, no-cache"
        again = client.get(where, headers={"If-None-Match": f'"other", {tag}'})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
        assert "Accept" in again.headers["Vary"]
        other = client.get(where, headers={"If-None-Match": tag, "Accept": "application/ld+json"})
        assert other.status_code == 200
        assert other.headers.get("ETag") != tag
    keep(client, TEXT + " “Stay,” said Amara.", external_id="b")
    keep(client, title="New")
    changed = client.get(f"/v1/{what}/{id}", headers={"If-None-Match": tag})
    assert changed.status_code == 200


@pytest.mark.parametrize("if_match", ['"other"', 'W/"other"', "*"])
def test_what_is_only_read_depends_on_if_none_match_alone(client: FlaskClient, if_match: str) -> None:
    where = f"/v1/articles/{keep(client)['id']}"
    first = client.get(where)
    tag = first.headers["ETag"]
    for headers in ({"If-Match": if_match}, {"If-Match": if_match, "If-None-Match": '"other"'}):
        again = client.get(where, headers=headers)
        assert (again.status_code, again.data, again.headers["ETag"]) == (200, first.data, tag)
    for known in (tag, f"W/{tag}", f'"other", W/{tag}', "*"):
        for ask in (client.get, client.head):
            again = ask(where, headers={"If-Match": if_match, "If-None-Match": known})
            assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)


def test_what_must_not_be_kept_is_not(client: FlaskClient) -> None:
    assert client.post("/v1/analyses", json={"text": TEXT}).headers["Cache-Control"] == "no-store"
    assert client.get("/healthz").headers["Cache-Control"] == "no-store"


def test_an_article_that_has_changed_is_not_removed(client: FlaskClient) -> None:
    stored = client.post("/v1/articles", json={"text": TEXT})
    where, tag = stored.headers["Location"], stored.headers["ETag"]
    assert client.get(where).headers["ETag"] == tag
    keep(client, title="New")
    refused = client.delete(where, headers={"If-Match": tag})
    assert (refused.status_code, refused.json["type"]) == (412, "/problems/changed")
    tag = client.get(where).headers["ETag"]
    assert client.delete(where, headers={"If-Match": tag}).status_code == 204


def test_a_speaker_that_has_changed_is_not_changed_again(client: FlaskClient) -> None:
    where = f"/v1/speakers/{keep(client)['speakers'][0]['id']}"
    tag = client.get(where).headers["ETag"]
    first = client.patch(where, json={"qid": "Q42"}, headers={"If-Match": tag})
    assert (first.status_code, first.headers["ETag"] != tag) == (200, True)
    assert client.patch(where, json={"qid": "Q43"}, headers={"If-Match": tag}).status_code == 412
    assert (
        client.patch(where, json={"name": "Amara D."}, headers={"If-Match": first.headers["ETag"]}).status_code == 200
    )
    assert client.patch(where, json={"qid": None}, headers={"If-Match": "*"}).status_code == 200
    assert client.get(where).json["name"] == "Amara D."


def test_forms_are_part_of_the_contract(client: FlaskClient) -> None:
    import yaml

    paths = yaml.safe_load(client.get("/openapi.yaml").text)["paths"]
    for path in ("/v1/articles", "/v1/claims", "/v1/claims/{id}", "/v1/speakers", "/v1/speakers/{id}"):
        get = paths[path]["get"]
        types = {"application/json", "text/csv", "application/x-ndjson", "application/ld+json"}
        assert set(get["responses"]["200"]["content"]) == types
        assert {"304", "406"} <= set(get["responses"])
        assert {"If-None-Match", "format"} <= {one["name"] for one in get["parameters"]}
    assert "412" in paths["/v1/speakers/{id}"]["patch"]["responses"]
    assert "412" in paths["/v1/articles/{id}"]["delete"]["responses"]

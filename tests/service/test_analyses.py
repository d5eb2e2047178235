"""POST /v1/analyses answers with spans that slice the text, and says clearly what is wrong with bad input."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from models.reader import Reader
from service.app import create_app
from service.config import load_settings
from tests.fakes import FakeSame

TEXT = "😀 “We will rebuild,” said Amara. Bruno said that the é bridge is closed.\n\nNothing else happened."
URL = "/v1/analyses"


def test_an_analysis_holds_article_attributions_and_model(client: FlaskClient) -> None:
    response = client.post(
        URL,
        json={
            "text": TEXT,
            "title": "Storm",
            "url": "https://news.example/storm",
            "published": "2024-05-31T09:30:00Z",
            "language": "en-GB",
            "habit": "polnear",
        },
    )
    assert response.status_code == 200
    found = response.json
    assert found["article"] | {"paragraphs": 0, "sentences": 0} == {
        "text": TEXT,
        "title": "Storm",
        "url": "https://news.example/storm",
        "published": "2024-05-31T09:30:00Z",
        "language": "en-GB",
        "byline": None,
        "publisher": None,
        "boilerplate": [],
        "paragraphs": 0,
        "sentences": 0,
    }
    assert found["model"] == {"version": "fake", "habit": "polnear"}
    first, second = found["attributions"]
    assert [span["text"] for span in first["source"] + first["cue"] + first["content"]] == [
        "Amara", "said", "“We will rebuild,”",
    ]  # fmt: skip
    assert (first["type"], second["type"]) == ("direct", "indirect")
    assert second["content"][0]["text"] == "that the é bridge is closed"


def test_speakers_and_claims_refer_to_attributions(client: FlaskClient) -> None:
    found = client.post(URL, json={"text": TEXT + " “Nothing is closed,” said Amara."}).json
    speakers = {one["id"]: one for one in found["speakers"]}
    assert [(one["name"], one["kind"], one["attributions"]) for one in speakers.values()] == [
        ("Amara", "person", [0, 2]),
        ("Bruno", "person", [1]),
    ]
    for claim in found["claims"]:
        said = found["attributions"][claim["attribution"]]
        assert claim["attribution"] in speakers[claim["speaker"]]["attributions"]
        assert said["speaker"] == claim["speaker"]
        assert said["candidates"][0]["name"] == said["mention"]["text"] == speakers[said["speaker"]]["name"]
        assert claim["context"]["text"] in found["article"]["text"]
    assert [one["text"] for one in found["claims"]] == [
        "We will rebuild", "the é bridge is closed", "Nothing is closed",
    ]  # fmt: skip
    assert {(one["category"], one["check_worthiness"]) for one in found["claims"]} == {("factual", 0.7)}


def test_a_claims_id_stays_the_same(client: FlaskClient) -> None:
    first, again = (client.post(URL, json={"text": TEXT, "title": str(n)}).json["claims"] for n in range(2))
    assert [one["id"] for one in first] == [one["id"] for one in again]


def test_boilerplate_is_marked_and_attributes_nothing(reader: Reader) -> None:
    app = create_app(load_settings({}, environ={}), reader, FakeSame())
    text = f"{TEXT}\n\nMost read\nMinister Ines Duarte says that the harbour is closed\nBridge opens\n"
    found = app.test_client().post(URL, json={"text": text}).json
    kept = [one["kind"] for one in found["article"]["boilerplate"]]
    assert kept == ["teaser"] * 3
    assert found["article"]["text"] == text
    assert len(found["attributions"]) == 2
    alone = app.test_client().post(URL, json={"text": "Minister Ines Duarte says that the harbour is closed"}).json
    assert len(alone["attributions"]) == 1


def test_another_language_is_refused_unless_forced(client: FlaskClient) -> None:
    text = "„Wir bauen wieder auf“, sagte Amara am Montag. Bruno meinte, die Brücke bleibe bis zum Herbst geschlossen."
    response = client.post(URL, json={"text": text})
    assert response.status_code == 422
    assert response.json["errors"] == [
        {"field": "text", "message": "This is German (de); only English is read. With language: en it is read anyway."}
    ]
    forced = client.post(URL, json={"text": text, "language": "en"})
    assert (forced.status_code, forced.json["article"]["language"]) == (200, "en")
    page = f"<html lang='de'><body><article>{f'<p>{text}</p>' * 5}</article></body></html>"
    assert client.post(URL, json={"html": page}).json["errors"][0]["field"] == "html"


def test_spans_slice_the_text(client: FlaskClient) -> None:
    found = client.post(URL, json={"text": TEXT}).json
    text = found["article"]["text"]
    for one in found["attributions"]:
        for role in ("source", "cue", "content"):
            for span in one[role]:
                assert text[span["start"] : span["end"]] == span["text"]
        start = one["cue"][0]["start"]
        for place, spans in (("sentence", "sentences"), ("paragraph", "paragraphs")):
            where = found["article"][spans][one[place]]
            assert where["start"] <= start < where["end"]


def test_a_text_without_attributions_gives_none(client: FlaskClient) -> None:
    response = client.post(URL, json={"text": "It rained."})
    assert (response.status_code, response.json["attributions"]) == (200, [])


def test_a_page_is_read_without_its_menus(client: FlaskClient) -> None:
    paragraph = "“The road is open again and the buses run as they did before,” said Amara on the market square."
    html = (
        '<html><head><title>Roads</title><link rel="canonical" href="https://news.example/roads"></head><body>'
        "<nav><ul><li><a href='/'>Home</a></li><li><a href='/s'>Sport</a></li></ul></nav>"
        f"<article><h1>Roads</h1>{''.join(f'<p>{paragraph} Number {n}.</p>' for n in range(6))}</article>"
        "<footer>All rights reserved</footer></body></html>"
    )
    found = client.post(URL, json={"html": html, "published": "2024-01-02"}).json
    assert "Home" not in found["article"]["text"]
    assert found["article"]["title"] == "Roads"
    assert found["article"]["published"] == "2024-01-02"
    assert len(found["attributions"]) == 6


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({}, "text", "send text or html"),
        ({"text": ""}, "text", "empty"),
        ({"text": " \n\t"}, "text", "empty"),
        ({"text": None}, "text", "null"),
        ({"text": 5}, "text", "string"),
        ({"text": ["a"]}, "text", "string"),
        ({"text": "a\0b"}, "text", "NUL; there is one at offset 1"),
        ({"text": "ab\ud800"}, "text", "U+D800 at offset 2"),
        ({"text": "a", "html": "<p>a</p>"}, "html", "not both"),
        ({"html": "<p></p>"}, "html", "No article"),
        ({"html": "no page at all"}, "html", "No article"),
        ({"text": "a", "titel": "x"}, "titel", "Unknown field"),
        ({"text": "a", "ti\ud800tel": "x"}, "ti\ud800tel", "Unknown field"),
        ({"text": "a", "title": ""}, "title", "empty"),
        ({"text": "a", "title": "x" * 1001}, "title", "1000"),
        ({"text": "a", "title": "\udfff"}, "title", "U+DFFF"),
        ({"text": "a", "url": "ftp://news.example/"}, "url", "http"),
        ({"text": "a", "url": "https://[news"}, "url", "http"),
        ({"text": "a", "url": "https://news.example/" + "x" * 2000}, "url", "2000"),
        ({"text": "a", "url": "https://news.example/" + "é" * 1000}, "url", "2000 in bytes of UTF-8"),
        ({"text": "a", "published": "yesterday"}, "published", "ISO 8601"),
        ({"text": "a", "published": f"2024-05-31T09:30:00.{'1' * 100}Z"}, "published", "40"),
        ({"text": "a", "published": "2024-02-30"}, "published", "ISO 8601"),
        ({"text": "a", "language": "English"}, "language", "BCP 47"),
        ({"text": "a", "language": "de"}, "language", "Only English"),
        ({"text": "a", "language": "en\n"}, "language", "BCP 47"),
        ({"text": "a", "language": "en" + "-latin" * 7}, "language", "40"),
        ({"text": "a", "habit": "mine"}, "habit", "world, polnear"),
        ([], "", "Invalid input"),
        ("text", "", "Invalid input"),
        (None, "", "Invalid input"),
    ],
)
def test_an_invalid_field_is_named(client: FlaskClient, body: object, field: str, says: str) -> None:
    response = client.post(URL, data=json.dumps(body), content_type="application/json")
    assert response.status_code == 422
    assert [(one["field"], says in one["message"]) for one in response.json["errors"]] == [(field, True)]


def test_all_invalid_fields_are_named_at_once(client: FlaskClient) -> None:
    response = client.post(URL, json={"text": "", "url": "x", "extra": 1})
    assert {one["field"] for one in response.json["errors"]} == {"text", "url", "extra"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"  ", "empty"),
        (b"{", "line 1, column 2"),
        (b'{"text": "a"} x', "Extra data"),
        (b'{"text": "a", "text": "b"}', "'text' stands twice"),
        (b'{"text": NaN}', "NaN"),
        (b'{"text": "\xff"}', "0xff at offset 10"),
        (b'{"text": "a\nb"}', "control character"),
        (b"[" * 9_000, "nested too deeply"),
        (b"1" * 9_000, "digits"),
    ],
)
def test_broken_json_is_a_bad_request(client: FlaskClient, body: bytes, says: str) -> None:
    response = client.post(URL, data=body, content_type="application/json")
    assert response.status_code == 400
    assert says in response.json["detail"]


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"Content-Type": "text/plain"}, "text/plain"),
        ({"Content-Type": "application/json; charset=latin-1"}, "latin-1"),
        ({"Content-Type": "application/json", "Content-Encoding": "br"}, "'br'"),
        ({}, "no Content-Type"),
    ],
)
def test_a_wrong_content_type_is_refused(client: FlaskClient, headers: dict[str, str], says: str) -> None:
    response = client.post(URL, data=b'{"text": "a"}', headers=headers)
    assert response.status_code == 415
    assert says in response.json["detail"]


def test_a_body_over_the_limit_names_limit_and_size(client: FlaskClient) -> None:
    body = json.dumps({"text": "a" * 20_000})
    response = client.post(URL, data=body, content_type="application/json")
    assert response.status_code == 413
    problem = response.json
    assert (problem["limit"], problem["observed"]) == (20_000, len(body))
    assert problem["setting"] == "WHOSAID_MAX_BODY_BYTES"


def test_a_body_at_the_limit_is_read(client: FlaskClient) -> None:
    frame = len('{"text": ""}')
    response = client.post(URL, data='{"text": "%s"}' % ("a" * (20_000 - frame)), content_type="application/json")
    assert response.status_code == 200

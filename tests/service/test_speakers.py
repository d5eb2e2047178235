"""The same speaker across articles: never merged silently, and what callers decide is remembered; on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from models.records import Article, Reading, Speaker
from tests.databases import ENGINES, served
from tests.fakes import FakeReader

Tell = Callable[..., Any]


class Names(FakeReader):
    """Reads one sentence a speaker; who they are is told beforehand."""

    speakers: tuple[Speaker, ...] = ()

    def read_one(self, article: str | Article, **how: Any) -> Reading:
        return replace(super().read_one(article, **how), speakers=self.speakers)


@pytest.fixture(params=ENGINES)
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FlaskClient]:
    with served(request.param, tmp_path, Names()) as app:
        yield app.test_client()


@pytest.fixture
def tell(client: FlaskClient) -> Tell:
    """Store an article in which some speakers speak; how it has them."""
    numbers = count()

    def store(*speakers: Speaker, **about: Any) -> Any:
        client.application.config["READER"].speakers = speakers
        letters = "ABCDEFGH"
        text = about.pop("text", f"Number {next(numbers)}.")
        said = " ".join(f"{letters[n]}x said that it rained." for n, _ in enumerate(speakers))
        response = client.post("/v1/articles", json={"text": f"{said} {text}", **about})
        assert response.status_code in (200, 201), response.json
        kept = response.json
        return kept["speakers"][0] | {"article": kept["id"]} if len(speakers) == 1 else kept["speakers"]

    return store


def person(name: str, *aliases: str, role: str | None = None) -> Speaker:
    return Speaker(name, "person", role, aliases)


def organization(name: str, *aliases: str) -> Speaker:
    return Speaker(name, "organization", None, aliases)


def ids(client: FlaskClient, **query: Any) -> list[str]:
    return [one["id"] for one in client.get("/v1/speakers", query_string=query).json["items"]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (person("Inés Duarte"), person("Ines DUARTE", "Duarte")),
        (person("Martin King Jr."), person("Martin King")),
        (organization("the White House"), organization("White House")),
        (organization("The White House"), organization("the White House")),
        (organization("Reuters"), organization("Reuters")),
        (organization("Federal Bureau of Investigation", "FBI"), organization("FBI")),
        (person("Donald J. Trump", "Donald Trump", "Trump"), person("Donald Trump")),
        (organization("FBI"), organization("Federal Bureau of Investigation", "the bureau", "FBI")),
    ],
)
def test_the_same_full_name_is_the_same_speaker(tell: Tell, one: Speaker, other: Speaker) -> None:
    first, second = tell(one), tell(other)
    assert (first["id"], second["candidates"]) == (second["id"], [])


@pytest.mark.parametrize(
    ("one", "other", "is_flagged"),
    [
        (person("Ines Duarte", "Duarte"), person("Duarte"), True),
        (person("Ines Duarte"), person("Ines M. Duarte"), True),
        (person("Ines Duarte"), person("Rui Duarte"), False),
        (person("Prime Minister"), person("Prime Minister"), False),
        (person("Ines"), person("Ines"), False),
        (person("Ines Duarte"), organization("Ines Duarte"), False),
        (organization("The Washington Post", "the Post"), organization("The Post"), True),
        (organization("Federal Bureau of Investigation"), organization("FBI"), False),
        (organization("the company"), organization("the company"), False),
        (Speaker("residents", "group"), Speaker("residents", "group"), False),
        (Speaker("the report", "document"), Speaker("the report", "document"), False),
    ],
)
def test_what_is_not_surely_the_same_is_kept_apart(tell: Tell, one: Speaker, other: Speaker, is_flagged: bool) -> None:
    first, second = tell(one), tell(other)
    assert first["id"] != second["id"]
    assert second["candidates"] == ([first["id"]] if is_flagged else [])


@pytest.mark.parametrize(
    ("father", "son"),
    [
        ("Donald Trump", "Donald Trump Jr."),
        ("Robert Roe, Sr.", "Robert Roe Jr"),
        ("King Charles II", "King Charles III"),
        ("Charles II of Spain", "Charles III of Spain"),
    ],
)
def test_father_and_son_are_two(tell: Tell, father: str, son: str) -> None:
    both = [one["id"] for one in tell(person(father), person(son))]
    assert len(set(both)) == 2
    later = [tell(person(name)) for name in (father, son)]
    assert [(one["id"], one["candidates"]) for one in later] == [(id_, []) for id_ in both]


@pytest.mark.parametrize("between", [[], ["King Charles"]])
def test_fathers_and_sons_are_two_across_articles(tell: Tell, between: list[str]) -> None:
    first, *_, last = (tell(person(name)) for name in ("King Charles II", *between, "King Charles III"))
    assert (first["id"] != last["id"], last["candidates"]) == (True, [])


@pytest.mark.parametrize("known", [["Donald Trump", "Donald Trump Jr."], ["Donald Trump Jr.", "Donald Trump"]])
@pytest.mark.parametrize("listed", [["Donald Trump", "Donald Trump Jr."], ["Donald Trump Jr.", "Donald Trump"]])
def test_who_was_taken_for_one_becomes_two_by_an_article_with_both(
    tell: Tell, known: list[str], listed: list[str]
) -> None:
    first, second = (tell(person(name))["id"] for name in known)
    assert first == second
    both = {one["called"]: one["id"] for one in tell(*map(person, listed))}
    assert (both[known[0]] == first, both[known[1]] == first) == (True, False)
    for name in known:
        later = tell(person(name))
        assert (later["id"], later["candidates"]) == (both[name], [])


def test_a_short_form_of_the_father_is_not_taken_for_the_son(tell: Tell) -> None:
    father, son = tell(person("Donald J. Trump Jr.", "Donald Trump Jr."), person("Donald Trump"))
    assert father["id"] != son["id"]
    alone = tell(person("Robert Roe"))
    assert tell(person("Robert F. Roe Jr.", "Robert Roe Jr."))["id"] != alone["id"]
    assert tell(person("Robert Roe"))["id"] == alone["id"]


def test_father_and_son_are_told_apart_by_callers(client: FlaskClient, tell: Tell) -> None:
    father, other = (tell(person("Donald Trump")) for _ in range(2))
    son = client.post(f"/v1/speakers/{father['id']}/split", json={"articles": [other["article"]]}).json["id"]
    assert client.patch(f"/v1/speakers/{son}", json={"name": "Donald Trump Jr."}).status_code == 200
    for name, id_ in (("Donald Trump", father["id"]), ("Donald Trump Jr.", son)):
        later = tell(person(name))
        assert (later["id"], later["candidates"]) == (id_, [])
    third = tell(person("Trump"))["id"]
    assert client.patch(f"/v1/speakers/{third}", json={"name": "Donald Trump III"}).status_code == 200
    assert client.patch(f"/v1/speakers/{third}", json={"name": "Donald Trump Jr."}).status_code == 409


def test_father_and_son_may_be_split(client: FlaskClient, tell: Tell) -> None:
    son, father = tell(person("Donald Trump Jr.")), tell(person("Donald Trump"))
    apart = client.post(f"/v1/speakers/{son['id']}/split", json={"articles": [father["article"]]}).json
    assert (apart["id"] != son["id"], apart["name"], apart["aliases"]) == (True, "Donald Trump", [])
    for name, id_ in (("Donald Trump", apart["id"]), ("Donald Trump Jr.", son["id"])):
        later = tell(person(name))
        assert (later["id"], later["candidates"]) == (id_, [])


def test_a_merge_of_two_suffixes_is_remembered(client: FlaskClient, tell: Tell) -> None:
    one, other = (tell(person(name)) for name in ("John Roe Jr.", "John Roe II"))
    merged = client.post(f"/v1/speakers/{one['id']}/merge", json={"speaker": other["id"]}).json
    assert merged["aliases"] == ["John Roe II"]
    assert [tell(person(name))["id"] for name in ("John Roe II", "John Roe Jr.")] == [one["id"]] * 2
    articles = {"articles": [one["article"], other["article"]]}
    assert client.post(f"/v1/speakers/{one['id']}/split", json=articles).json["aliases"] == ["John Roe II"]


def test_two_of_one_article_stay_two_when_it_is_read_again(tell: Tell) -> None:
    def read(*names: str) -> list[str]:
        found = tell(*(Speaker(name, "group") for name in names), external_id="a", text=f"Of {len(names)}.")
        return [one["id"] for one in found]

    (both, again) = (read("the residents", "Residents"), read("Residents", "the residents", "owners"))
    assert again[:2] == both[::-1]
    assert read("the residents", "RESIDENTS") == both
    three = read("the residents", "Residents", "residents", "the owners")
    assert len(set(three)) == 4
    assert three[0] == both[0]


def test_a_name_without_end_is_kept(client: FlaskClient, tell: Tell) -> None:
    long = "Ana " + "".join(f"{n:x}" for n in range(3000))  # more than PostgreSQL indexes
    kept = tell(person(long))
    assert tell(person(long))["id"] == kept["id"]
    assert client.get(f"/v1/speakers/{kept['id']}").json["name"] == long


def test_a_surname_may_be_several_people(tell: Tell) -> None:
    both = [tell(person(name))["id"] for name in ("Ines Duarte", "Rui Duarte")]
    assert tell(person("Duarte"))["candidates"] == both


def test_aliases_collect(client: FlaskClient, tell: Tell) -> None:
    id_ = tell(person("Ines Duarte", "Duarte"))["id"]
    tell(person("Ines Duarte", "Mayor Duarte"))
    assert client.get(f"/v1/speakers/{id_}").json["aliases"] == ["Duarte", "Mayor Duarte"]


def test_an_alias_of_one_article_is_nobodys_name_in_others(tell: Tell) -> None:
    first = tell(person("Ines Duarte", "Rui Duarte"))  # a mistake, of the article or its reading
    assert tell(person("Rui Duarte"))["id"] != first["id"]


def test_a_short_form_of_two_is_kept_apart(tell: Tell) -> None:
    both = [tell(organization(name, "AMA"))["id"] for name in ("American Medical Association", "Arab Media Agency")]
    found = tell(organization("AMA"))
    assert found["id"] not in both
    assert found["candidates"] == both


def test_a_merge_is_remembered(client: FlaskClient, tell: Tell) -> None:
    bill, william, short, other = (tell(person(name)) for name in ("Bill Roe", "William Roe", "Roe", "Rui Roe"))
    for each in (william, short):
        merged = client.post(f"/v1/speakers/{bill['id']}/merge", json={"speaker": each["id"]})
        assert merged.status_code == 200
    assert (merged.json["articles"], merged.json["aliases"]) == (3, ["William Roe", "Roe"])
    assert tell(person("William Roe"))["id"] == bill["id"]
    later = tell(person("Roe"))
    assert (later["id"], later["candidates"]) == (bill["id"], [other["id"]])
    for article in (one["article"] for one in (bill, william, short)):
        assert client.delete(f"/v1/articles/{article}").status_code == 204
    assert tell(person("William Roe"))["id"] == bill["id"]


def test_a_merge_is_remembered_without_articles(client: FlaskClient, tell: Tell) -> None:
    bill, william = tell(person("Bill Roe")), tell(person("William Roe"))
    client.post(f"/v1/speakers/{bill['id']}/merge", json={"speaker": william["id"]})
    for one in (bill, william):
        client.delete(f"/v1/articles/{one['article']}")
    assert client.get(f"/v1/speakers/{bill['id']}").json["articles"] == 0
    assert tell(person("William Roe"))["id"] == bill["id"]


def test_merged_groups_are_the_same_in_their_articles_only(client: FlaskClient, tell: Tell) -> None:
    one, other = (tell(Speaker("residents", "group")) for _ in range(2))
    assert client.post(f"/v1/speakers/{one['id']}/merge", json={"speaker": other["id"]}).json["articles"] == 2
    assert tell(Speaker("residents", "group"))["id"] != one["id"]


@pytest.mark.parametrize(
    ("name", "description"),
    [
        (organization("Acme Corp"), organization("the company")),
        (person("John Smith"), person("the spokesman")),
        (person("John Smith"), person("The Spokesman")),
        (person("John Smith"), person("A spokesman")),
        (person("John Smith"), person("Prime Minister")),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_a_merged_description_is_somebody_in_its_articles_only(
    client: FlaskClient, tell: Tell, name: Speaker, description: Speaker, turned: bool
) -> None:
    named, described = tell(name), tell(description, external_id="b")
    into, other = (described, named) if turned else (named, described)
    assert client.post(f"/v1/speakers/{into['id']}/merge", json={"speaker": other["id"]}).json["articles"] == 2
    assert tell(name)["id"] == into["id"]
    assert tell(description, external_id="b", text="It snowed.")["id"] == into["id"]
    later = tell(description)
    assert (later["id"] != into["id"], later["candidates"]) == (True, [])


def test_candidates_follow_a_merge(client: FlaskClient, tell: Tell) -> None:
    ines, rui = (tell(person(name))["id"] for name in ("Ines Duarte", "Rui Duarte"))
    unsure = tell(person("Duarte"))
    client.post(f"/v1/speakers/{ines}/merge", json={"speaker": rui})
    kept = client.get(f"/v1/articles/{unsure['article']}").json["speakers"][0]
    assert (kept["id"], kept["candidates"]) == (unsure["id"], [ines])


def test_a_split_is_remembered(client: FlaskClient, tell: Tell) -> None:
    first, second = (tell(person("John Roe"), external_id=one) for one in ("a", "b"))
    assert first["id"] == second["id"]
    apart = client.post(f"/v1/speakers/{first['id']}/split", json={"articles": [second["article"]]}).json["id"]
    later = tell(person("John Roe"))
    assert later["id"] not in (first["id"], apart)
    assert later["candidates"] == [first["id"], apart]
    again = tell(person("John Roe"), external_id="b", text="It snowed.")  # what a caller decided stays
    assert (again["id"], again["candidates"], again["article"]) == (apart, [], second["article"])


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("Inés Duarte-Müller", True),
        ("duarte", True),
        ("ines", True),
        ("MULLER ine", True),
        ("Mayor", True),
        ("uarte", False),
        ("Rui Duarte", False),
        ("%", False),
        ("...", False),
    ],
)
def test_speakers_are_found_by_parts_of_their_names(
    client: FlaskClient, tell: Tell, query: str, is_found: bool
) -> None:
    id_ = tell(person("Inés Duarte-Müller", "Mayor Duarte"))["id"]
    assert ids(client, name=query) == ([id_] if is_found else [])
    claims = client.get("/v1/claims", query_string={"speaker_name": query}).json["items"]
    assert len(claims) == is_found


@pytest.mark.parametrize("name", ["the White House", "White House", "house"])
def test_an_article_before_a_name_does_not_matter(client: FlaskClient, tell: Tell, name: str) -> None:
    assert ids(client, name=name) == []
    id_ = tell(organization("the White House"))["id"]
    assert ids(client, name=name) == [id_]


def test_a_speaker_tells_when_it_was_seen(client: FlaskClient, tell: Tell) -> None:
    for day in ("2024-06-02", "2024-05-31T23:30:00+02:00", "2024-06-01", None):
        one = tell(person("Ines Duarte"), **({"published": day} if day else {}))
    found = client.get(f"/v1/speakers/{one['id']}").json
    assert (found["first_seen"], found["last_seen"], found["articles"]) == ("2024-05-31", "2024-06-02", 4)
    unseen = client.get(f"/v1/speakers/{tell(person('Rui Duarte'))['id']}").json
    assert (unseen["first_seen"], unseen["last_seen"]) == (None, None)


def test_a_list_of_speakers_asks_the_same_number_of_times(client: FlaskClient, tell: Tell) -> None:
    from sqlalchemy import event

    asked: list[str] = []
    engine = client.application.config["STORE"].engine
    event.listen(engine, "before_cursor_execute", lambda *how: asked.append(how[2]))

    def queries() -> int:
        asked.clear()
        assert client.get("/v1/speakers").status_code == 200
        return len(asked)

    tell(person("Ines Duarte"))
    few = queries()
    for name in ("Rui Alves", "Ana Costa", "Eva Lima"):
        tell(person(name))
    assert queries() == few


def test_a_named_speaker_is_known_by_that_name(client: FlaskClient, tell: Tell) -> None:
    one = tell(person("Duarte"))
    client.patch(f"/v1/speakers/{one['id']}", json={"name": "Ines Duarte"})
    assert tell(person("Ines Duarte"))["id"] == one["id"]


def test_a_name_that_another_is_known_by_is_refused(client: FlaskClient, tell: Tell) -> None:
    ines, duarte = tell(person("Ines Duarte")), tell(person("Duarte"))
    url = f"/v1/speakers/{duarte['id']}"
    before = client.get(url).json
    refused = client.patch(url, json={"name": "Inés DUARTE", "qid": "Q42"})
    assert refused.status_code == 409
    assert refused.json["detail"] == f"{ines['id']} goes by that name; merge the two if they are the same."
    assert client.get(url).json == before
    assert tell(person("Ines Duarte"))["id"] == ines["id"]
    firm = tell(organization("the company"))["id"]
    assert client.patch(f"/v1/speakers/{firm}", json={"name": "Ines Duarte"}).status_code == 200  # of another kind


def test_a_shared_name_may_be_spelled_otherwise(client: FlaskClient, tell: Tell) -> None:
    one, other = (tell(person("John Roe")) for _ in range(2))
    client.post(f"/v1/speakers/{one['id']}/split", json={"articles": [other["article"]]})
    assert client.patch(f"/v1/speakers/{one['id']}", json={"name": "John ROE"}).json["name"] == "John ROE"


def test_a_split_undoes_a_merge(client: FlaskClient, tell: Tell) -> None:
    bill, william = tell(person("Bill Roe", "Roe")), tell(person("William Roe", "Roe", "Will"))
    client.post(f"/v1/speakers/{bill['id']}/merge", json={"speaker": william["id"]})
    apart = client.post(f"/v1/speakers/{bill['id']}/split", json={"articles": [william["article"]]}).json
    assert (apart["name"], apart["aliases"]) == ("William Roe", ["Roe", "Will"])
    assert client.get(f"/v1/speakers/{bill['id']}").json["aliases"] == ["Roe"]
    for name, id_ in (("William Roe", apart["id"]), ("Bill Roe", bill["id"])):
        later = tell(person(name))
        assert (later["id"], later["candidates"]) == (id_, [])


@pytest.mark.parametrize("which", [0, 1])
def test_a_split_takes_a_merged_surname_back(client: FlaskClient, tell: Tell, which: int) -> None:
    short, full = tell(person("Smith")), tell(person("John Smith"))
    client.post(f"/v1/speakers/{full['id']}/merge", json={"speaker": short["id"]})
    articles = [(short, full)[which]["article"]]
    apart = client.post(f"/v1/speakers/{full['id']}/split", json={"articles": articles}).json["id"]
    later = tell(person("Smith"))
    assert later["id"] not in (full["id"], apart)
    assert full["id"] in later["candidates"]


@pytest.mark.parametrize("description", ["the spokesman", "Prime Minister"])
@pytest.mark.parametrize("name", ["John Roe", "Roe"])
def test_a_split_off_speaker_is_shown_by_a_name(client: FlaskClient, tell: Tell, name: str, description: str) -> None:
    whole, *parts = (tell(person(one)) for one in ("Bill Roe", name, description))
    for part in parts:
        client.post(f"/v1/speakers/{whole['id']}/merge", json={"speaker": part["id"]})
    articles = [part["article"] for part in parts]
    apart = client.post(f"/v1/speakers/{whole['id']}/split", json={"articles": articles})
    assert (apart.status_code, apart.json["name"]) == (201, name)


def test_a_split_names_articles_that_are_not_the_speakers(client: FlaskClient, tell: Tell) -> None:
    (first, second), other = (tell(person("John Roe")) for _ in range(2)), tell(person("Rui Alves"))
    articles = [first["article"], other["article"], second["article"], "article-0"]
    refused = client.post(f"/v1/speakers/{first['id']}/split", json={"articles": articles})
    assert refused.status_code == 422
    assert [one["field"] for one in refused.json["errors"]] == ["articles.1", "articles.3"]
    assert client.get(f"/v1/speakers/{first['id']}").json["articles"] == 2

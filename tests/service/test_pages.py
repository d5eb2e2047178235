"""Pages are read like articles: what is not the article's own is told apart, and its metadata are found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pages import MAX_BYLINE, MAX_PUBLISHER, MAX_TITLE, MAX_URL, Page, PageError, read_page, read_text
from service.pages.boilerplate import BLOCK_KINDS, find_boilerplate
from service.pages.language import foreign_language, language_name

BODY = (
    "The harbour of Lund will open again on Monday after three weeks of work on its walls, the town said.\n"
    "“We are ready,” said Ines Duarte, the mayor. “The boats can come back.”\n"
)
PASTED = f"""Home
World
Sport
Weather
Log in
Harbour opens on Monday
{BODY}Ines Duarte looks at the new wall of the harbour on Friday. (Photo: Bram Rehn/Lund Pictures)
Ines Duarte looks at the new wall of the harbour on Friday.
Read more: Why the wall fell
Fishermen doubt that the repairs will hold through the winter. “Nobody asked us,” complained Tomas Rehn.
Sign up for our newsletter and never miss what the editors say
Most Read
1 Police say the missing painting was never missing
Anna Lund, who says that she painted it herself, stands in front of the museum in which it hung for twenty years.
2 Council says no to a second bridge
© 2024 Lund Pictures. All rights reserved, said the lawyer.
"""


def kinds(text: str) -> dict[str, str]:
    return {block.span.of(text): block.kind for block in find_boilerplate(text)}


def test_a_pasted_page() -> None:
    found = kinds(PASTED)
    own = [line for line in PASTED.splitlines() if line not in found]
    assert own == [
        "Harbour opens on Monday",
        *BODY.splitlines(),
        "Fishermen doubt that the repairs will hold through the winter. “Nobody asked us,” complained Tomas Rehn.",
    ]
    assert found["Weather"] == "navigation"
    assert found["Ines Duarte looks at the new wall of the harbour on Friday."] == "caption"
    assert found["Read more: Why the wall fell"] == "teaser"
    assert found["Sign up for our newsletter and never miss what the editors say"] == "prompt"
    assert found["Anna Lund, who says that she painted it herself, stands in front of the museum in which it hung for"
                 " twenty years."] == "teaser"  # fmt: skip


def test_the_article_goes_on_behind_a_list_in_its_middle() -> None:
    text = f"{BODY}Related stories\nWall of Lund falls into the sea\nMayor promises a new wall by May\n{BODY}"
    assert set(kinds(text)) == {
        "Related stories",
        "Wall of Lund falls into the sea",
        "Mayor promises a new wall by May",
    }


@pytest.mark.parametrize(
    "text",
    [
        BODY,
        "Mayor says wall will hold\n\nBy Bram Rehn\n\n" + BODY,
        "“Yes.”\n“No.”\n“Why?”\n“Because.”\nThey said no more.",
        "She said: we go.\nHe said: we stay.\nThey said: why?\nNobody knew.\n",
        "We are ready\nShe said",
        "",
    ],
)
def test_an_article_is_all_its_own(text: str) -> None:
    assert find_boilerplate(text) == []


@given(st.lists(st.sampled_from([*PASTED.splitlines(), "", "\x85", "a\u2028b", "😀", "("])).map("\n".join) | st.text())
def test_blocks_are_lines_of_the_text_in_order(text: str) -> None:
    blocks = find_boilerplate(text)
    assert all(block.span.of(text) == block.span.of(text).strip() != "" for block in blocks)
    assert all(block.kind in BLOCK_KINDS for block in blocks)
    assert all(one.span.end <= other.span.start for one, other in pairwise(blocks))


def test_credits_end_lines() -> None:
    text = f"{BODY}The new wall of Lund (left). (Bram Rehn/Reuters)\nThe mayor (photo credit: Rehn) smiled (again).\n"
    assert kinds(text) == {"The new wall of Lund (left). (Bram Rehn/Reuters)": "caption"}


@pytest.mark.parametrize(
    ("begins", "goes_on"), [("(A", "/AP"), ("(", "photo credit "), ("", "(A/AP)"), ("(Photo:", ".'")]
)
def test_no_line_takes_long(begins: str, goes_on: str) -> None:
    begun = process_time()
    for end in ("", "(", ") x"):
        find_boilerplate(begins + goes_on * 20_000 + end)
    assert process_time() - begun < 1


def test_what_is_pasted_is_read_exactly_as_it_is() -> None:
    page = read_text(PASTED)
    assert page.text == page.article.text == PASTED
    assert page.article.ignored == tuple(block.span for block in find_boilerplate(PASTED))


def page_with(head: str, language: str = "en-GB", **told: Any) -> Page:
    """A web page whose head and JSON-LD tell of its article."""
    linked = json.dumps({"@context": "https://schema.org", "@type": "NewsArticle", **told})
    return read_page(
        f'<html lang="{language}"><head><title>x</title>{head}<script type="application/ld+json">{linked}</script>'
        '</head><body><nav><a href="/">Home</a></nav>'
        f"<article>{''.join(f'<p>{line}</p>' for line in BODY.splitlines() * 3)}</article></body></html>"
    )


def test_a_web_page_tells_about_itself() -> None:
    page = page_with(
        '<meta property="og:title" content="Harbour opens"><meta property="og:site_name" content="Lund Daily">'
        '<link rel="canonical" href="https://news.example/harbour">',
        headline="Harbour opens",
        datePublished="2024-05-31T09:30:00+02:00",
        author={"@type": "Person", "name": "Bram Rehn"},
    )
    assert (page.title, page.byline, page.publisher) == ("Harbour opens", "Bram Rehn", "Lund Daily")
    assert (page.url, page.published, page.language) == ("https://news.example/harbour", "2024-05-31", "en-GB")
    assert "Home" not in page.text


@pytest.mark.parametrize("headline", [["Harbour", "opens"], {"@value": "Harbour"}, 5, 0.5, True, [], {}, [["x"]]])
def test_a_headline_that_is_no_string_is_none(headline: Any) -> None:
    assert page_with("", headline=headline).title in (None, "x")


def test_what_a_page_tells_has_limits() -> None:
    page = page_with(
        f'<link rel="canonical" href="https://news.example/{"x" * MAX_URL}">',
        f"en-{'x' * 8}-{'x' * 8}-{'x' * 8}-{'x' * 8}-{'x' * 8}",
        headline="Harbour " * 1_000,
        publisher={"@type": "Organization", "name": "Lund " * 1_000},
        author={"@type": "Person", "name": "Bram " * 1_000},
    )
    assert page.title == ("Harbour " * 1_000)[:MAX_TITLE].strip()
    assert page.publisher == ("Lund " * 1_000)[:MAX_PUBLISHER].strip()
    assert page.byline is None or len(page.byline) <= MAX_BYLINE
    assert (page.url, page.language) == (None, None)


def test_an_address_is_measured_in_bytes() -> None:
    for path, is_kept in (("é" * 980, True), ("é" * 1_000, False)):
        url = f"https://news.example/{path}"
        assert page_with(f'<meta property="og:url" content="{url}">').url == (url if is_kept else None)


def page_of(head: str = "", top: str = "", end: str = "", linked: Sequence[Any] = (), more: str = "") -> Page:
    """A web page with more in its head, at its headline, behind its article; what is linked is JSON, or a string."""
    scripts = "".join(
        f'<script type="application/ld+json">{one if isinstance(one, str) else json.dumps(one)}</script>'
        for one in linked
    )
    text = "".join(f"<p>{line}</p>" for line in BODY.splitlines() * 3)
    return read_page(
        f"<html><head>{head}{scripts}</head><body><article><h1>Harbour opens</h1>{top}{text}<p>The wall{more}</p>"
        f"</article>{end}</body></html>"
    )


OTHER_DAY = '<time datetime="2021-03-04">4 March 2021</time>'


@pytest.mark.parametrize(
    "told",
    [
        {"more": " was built on 3 May 2001 by the town."},
        {"more": " was built on 2001-05-03 by the town."},
        {"top": f"<p>The first wall of the harbour was built {OTHER_DAY}, {'and fell again, ' * 5}alas.</p>"},
        {"end": "<footer>© 2019 Harbour News</footer>"},
        {"end": "<footer><small>Last changed on 3 May 2001</small></footer>"},
        {"end": f"<aside><h2>Other story</h2>{OTHER_DAY}</aside>"},
        {"top": f"<aside>Other story {OTHER_DAY}</aside><ul><li>Other story {OTHER_DAY}</li></ul>"},
        {"end": f"<div class='date'>{OTHER_DAY}</div><article><h2>Other story</h2>{OTHER_DAY}</article>"},
        {"end": "<meta itemprop='datePublished' content='2021-03-04'>"},
        {"top": "<p class='date'>Updated 4 March 2021</p><time itemprop='dateModified' datetime='2021-03-04'></time>"},
        {"top": f"<p>Last updated: {OTHER_DAY}</p><p><b>Modified</b> {OTHER_DAY}</p><p>Edited on {OTHER_DAY}</p>"},
        {"top": "<p class='event-date'>4 March 2021</p><time class='date-updated' datetime='2021-03-04'></time>"},
        {"top": "<time datetime='0001-01-01T00:00:00Z'></time><time datetime='2999-01-01'></time>"},
        {"top": "<p class='date'>03/05/2001</p><p class='date'>30 February 2001, 4 ſep 2001</p>"},
        {"head": '<meta property="article:modified_time" content="2021-03-04"><meta name="lastmod" content="2021">'},
    ],
)  # fmt: skip
def test_a_day_that_is_not_said_of_the_page_is_none(told: dict[str, str]) -> None:
    assert page_of(**told).published is None


@pytest.mark.parametrize(
    "told",
    [
        {"head": '<meta property="article:published_time" content="1987-03-04T00:10:00+02:00">'},
        {"head": '<meta name="date" content="1999-01-01"><meta name="DC.date.issued" content="4 Mar 1987 08:00 GMT">'},
        {"head": '<meta name="publish-date" content="March 4th, 1987">', "top": OTHER_DAY},
        {"head": '<link rel="canonical" href="https://news.example/1987/03/04/harbour">', "top": OTHER_DAY},
        {"top": '<time datetime="1987-03-04T09:30">4 March</time>'},
        {"top": "<p class='byline'>By Bram Rehn, 4 March 1987</p>"},
        {"top": f"<p>{'The town has a wall. ' * 5}</p><div><span class='c-post__date'>Mar. 4, 1987</span></div>"},
        {"top": f"<p class='date'>Published 4 March 1987, updated 5 March 1987</p><p class='updated'>{OTHER_DAY}</p>"},
        {"top": "<p>Updated <time>5 May 1986</time> Published <time>4 March 1987</time></p>"},
        {"top": "<p class='date'>Updated 5 May 1987, published 4 March 1987</p>"},
        {"top": "<time class='updated' datetime='1987-01-01'></time><i class='published' title='1987-03-04'>today</i>"},
    ],
)  # fmt: skip
def test_a_page_says_when_it_was_published(told: dict[str, str]) -> None:
    assert page_of(**told, end=f"<aside>{OTHER_DAY}</aside><footer>© 2024</footer>").published == "1987-03-04"


@pytest.mark.parametrize(
    ("body", "published"),
    [
        ("<main><time>3 May 2001</time><h1>Harbour</h1><time>4 March 1987</time><article>{}</article></main>", True),
        ("<h1>Harbour</h1><time>4 March 1987</time><div>{}</div>", True),
        ("<h1>News</h1><p class='date'>5 May 2005</p><h2>Harbour</h2><div>{}</div>", False),
        ("<h1>News</h1><time>5 May 2005</time><article><h2>Harbour</h2><time>4 March 1987</time>{}</article>", True),
        ("<div itemtype='https://schema.org/NewsArticle'><h2>Harbour</h2><time>4 March 1987</time>{}</div>", True),
        ("<article>{}<time>4 March 1987</time></article><article><time>4 March 1987</time></article>", False),
        ("<time>4 March 1987</time><div>{}</div>", False),
    ],
)  # fmt: skip
def test_where_a_page_shows_its_day(body: str, published: bool) -> None:
    text = "".join(f"<p>{line}</p>" for line in BODY.splitlines() * 3)
    found = read_page(f"<html><body>{body.format(text)}</body></html>").published
    assert found == ("1987-03-04" if published else None)


def test_a_page_may_be_nothing_but_its_article() -> None:
    text = "".join(f"<p>{line}</p>" for line in BODY.splitlines() * 3)
    assert read_page(f"<article class='date' title='4 March 1987'>{text}</article>").published == "1987-03-04"


def article(**told: Any) -> dict[str, Any]:
    return {"@context": "https://schema.org", "@type": "NewsArticle", **told}


OWN = article(
    headline="Harbour &amp; wall <i>open</i>",
    datePublished="2024-05-31T09:30:00+02:00",
    author=[{"@type": "Person", "name": "By Tomas Rehn"}, {"givenName": "Toby", "familyName": "Lund"}],
    publisher={"@type": "Organization", "name": "Harbour News"},
)
OTHER = article(
    headline="Wall falls",
    url="https://news.example/wall",
    datePublished="2021-03-04",
    author="Bram Lund",
    publisher="Others",
)
TOLD = ("Harbour & wall open", "Tomas Rehn; Toby Lund", "Harbour News", "2024-05-31")
CANONICAL = '<link rel="canonical" href="https://news.example/harbour">'


def about(page: Page) -> tuple[str | None, ...]:
    return page.title, page.byline, page.publisher, page.published


@pytest.mark.parametrize(
    ("head", "own"),
    [
        (CANONICAL, {"url": "http://www.news.example/harbour/"}),
        (CANONICAL, {"@id": "https://news.example/harbour#article"}),
        (CANONICAL, {"mainEntityOfPage": {"@type": "WebPage", "@id": "https://news.example/harbour"}}),
        (CANONICAL, {"mainEntityOfPage": {"@id": "#page"}}),
        ('<meta property="og:title" content="Harbour  &amp; Wall open">', {}),
    ],
)
def test_of_several_articles_the_pages_own_is_told(head: str, own: dict[str, Any]) -> None:
    head = head.replace("Wall", "wall")
    site = {"@type": "WebPage", "@id": "#page", "url": "https://news.example/harbour"}
    for linked in ([OTHER, OWN | own, site], [[OTHER, OWN | own, site]], [{"@graph": [OTHER, OWN | own, site]}]):
        assert about(page_of(head, linked=linked)) == TOLD


def test_articles_at_one_address_are_told_apart_by_their_headlines() -> None:
    here = {"url": "https://news.example/harbour"}
    assert about(page_of(CANONICAL, linked=[OTHER | here, OWN | here | {"headline": "Harbour opens"}])) == (
        "Harbour opens",
        *TOLD[1:],
    )


def test_of_several_articles_that_are_not_the_page_nothing_is_taken() -> None:
    page = page_of("<title>x</title>" + CANONICAL, linked=[OTHER, OWN])
    assert about(page) == ("Harbour opens", None, "news.example", None)


def test_a_graph_is_followed() -> None:
    graph = [
        {"@type": "Organization", "@id": "#o", "name": "Harbour News"},
        {"@type": "WebSite", "name": "News of the harbour"},
        {"@type": "Person", "@id": "#p1", "name": "Site Admin"},
        OWN | {"author": [{"@id": "#p2"}, {"@id": "#none"}], "publisher": {"@id": "#o"}, "headline": "Walls"},
        {"@type": ["Person"], "@id": "#p2", "name": "Tomas Rehn"},
    ]
    linked = [{"@context": "https://schema.org", "@graph": graph}]
    assert about(page_of(linked=linked)) == ("Walls", "Tomas Rehn", "Harbour News", "2024-05-31")
    del graph[3]["publisher"]
    assert page_of(linked=linked).publisher == "News of the harbour"


def test_related_stories_are_no_articles_of_the_page() -> None:
    items = [{"@type": "ListItem", "item": OTHER}, OTHER]
    listed = {"@context": "https://schema.org", "@type": "ItemList", "itemListElement": items}
    page = page_of(linked=[listed, {"@type": "WebPage", "mainEntity": listed, "hasPart": OTHER}])
    assert about(page) == ("Harbour opens", None, None, None)
    assert about(page_of(linked=[listed, OWN])) == TOLD


def test_what_an_article_does_not_tell_its_page_may() -> None:
    head = '<meta name="author" content="Bram Rehn"><meta name="date" content="2024-05-30">'
    page = page_of(head, linked=[article(author={"@type": "Organization", "name": "Others"}, datePublished=20240531)])
    assert about(page) == ("Harbour opens", "Bram Rehn", None, "2024-05-30")


@pytest.mark.parametrize("end", [",}", "}", "} <!-- -->", "} //]]>", ",\n}"])
def test_usual_slips_in_json_are_overlooked(end: str) -> None:
    begin = "<!--" if "-->" in end else "//<![CDATA[\n" if "]]" in end else ""
    assert about(page_of(linked=[begin + json.dumps(OWN)[:-1] + end])) == TOLD


ODD = (None, True, 5, 1e400, [], {}, [[["x"]]], [None, 5, {}], {"name": {}}, {"@id": []}, {"@type": 5, "name": [5, []]})


@pytest.mark.parametrize("odd", ODD)
def test_no_json_fails_a_page(odd: Any) -> None:
    names = ("@type", "@id", "url", "mainEntityOfPage", "headline", "name", "author", "publisher", "datePublished")
    for name in (*names, "@graph", "mainEntity", "@context"):
        page = page_of(CANONICAL, linked=[odd, OTHER | {name: odd}, OWN | {name: odd}, [OWN, odd]])
        assert page.text
        assert about(page_of(linked=[OWN | {name: odd}]))[0] in (TOLD[0], "Harbour opens")


@pytest.mark.parametrize("broken", ["[" * 100_000, '{"a":' * 900 + "1" + "}" * 900, "9" * 5_000, "]{", "{", ""])
def test_no_broken_json_fails_a_page(broken: str) -> None:
    assert about(page_of(linked=[broken, OWN])) == TOLD


def test_no_broken_json_takes_long() -> None:
    begun = process_time()
    page_of(linked=['"author":' * 50_000, '{"@type":"Article",' * 20_000, "[" + "{}," * 100_000 + "{}]", "," * 100_000])
    assert process_time() - begun < 5


def test_what_cannot_be_stored_is_left_out_of_names() -> None:
    page = page_of(linked=[OWN | {"headline": "a\ud800b\0 &#1;c\x1f", "author": "\x00"}])
    assert (page.title, page.byline) == ("ab c", None)


@pytest.mark.parametrize("code", ["1", "3", "8", "11", "12", "14", "31", "xFFFE", "XffFF", "x0B", "0012", "9" * 5_000])
def test_a_character_that_xml_forbids_loses_no_page(code: str) -> None:
    assert "The wall 😀 of &#12; stands." in page_of(more=f"&#{code}; &#128512; of &amp;amp;#12; stands.").text


@pytest.mark.parametrize("site", ["https://news.example", "https://news.example/", "http://news.example:80/#"])
def test_the_address_of_a_site_is_no_articles(site: str) -> None:
    tells = f'<link rel="canonical" href="{site}">'
    assert page_of(tells).url is None
    assert page_of(f'<meta property="og:url" content="{site}">{CANONICAL}').url == "https://news.example/harbour"
    assert page_of(tells.replace(site, "https://news.example/?p=5")).url == "https://news.example/?p=5"
    assert read_page(f"<html><head>{tells}</head><body><p>{BODY * 3}</p></body></html>", url=site).url == site


@pytest.mark.parametrize("html", ["", "no page", "<p></p>", "<html><body></body></html>", "<<<>>>"])
def test_a_page_without_an_article_is_an_error(html: str) -> None:
    with pytest.raises(PageError):
        read_page(html)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (BODY, None),
        (
            "Der Hafen wird am Montag wieder geöffnet, sagte die Bürgermeisterin; die Arbeiten dauerten lange.",
            "de",
        ),
        (
            "Le port rouvrira lundi après trois semaines de travaux, a déclaré la maire aux pêcheurs réunis.",
            "fr",
        ),
        ("El puerto abrirá de nuevo el lunes tras tres semanas de obras, dijo la alcaldesa a los pescadores.", "es"),
        ("Порт снова откроется в понедельник после трёх недель работ, заявила мэр города рыбакам на собрании.", "ru"),
        ("Ja.", None),
        ("", None),
        ("12 34 !! 😀" * 50, None),
    ],
)
def test_languages(text: str, language: str | None) -> None:
    assert foreign_language(text) == language


def test_languages_have_names() -> None:
    assert language_name("de") == "German"
    assert language_name("xx") == "xx"

"""Pages are read like articles: what is not the article's own is told apart, and its metadata are found."""

from __future__ import annotations

import json
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

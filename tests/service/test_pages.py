"""Pages are read like articles: what is not the article's own is told apart, and its metadata are found."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pages import PageError, read_page, read_text
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


def test_what_is_pasted_is_read_exactly_as_it_is() -> None:
    page = read_text(PASTED)
    assert page.text == page.article.text == PASTED
    assert page.article.ignored == tuple(block.span for block in find_boilerplate(PASTED))


def test_a_web_page_tells_about_itself() -> None:
    page = read_page(
        """<html lang="en-GB"><head><title>x</title>
        <meta property="og:title" content="Harbour opens"><meta property="og:site_name" content="Lund Daily">
        <link rel="canonical" href="https://news.example/harbour">
        <script type="application/ld+json">{"@context": "https://schema.org", "@type": "NewsArticle",
        "headline": "Harbour opens", "datePublished": "2024-05-31T09:30:00+02:00",
        "author": {"@type": "Person", "name": "Bram Rehn"}}</script></head><body><nav><a href="/">Home</a></nav>"""
        f"<article>{''.join(f'<p>{line}</p>' for line in BODY.splitlines() * 3)}</article></body></html>"
    )
    assert (page.title, page.byline, page.publisher) == ("Harbour opens", "Bram Rehn", "Lund Daily")
    assert (page.url, page.published, page.language) == ("https://news.example/harbour", "2024-05-31", "en-GB")
    assert "Home" not in page.text


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

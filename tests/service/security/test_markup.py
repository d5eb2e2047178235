"""Web pages open no files, reach no network, and cannot keep the parser busy."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pages import PageError, read_page
from service.security.markup import MAX_ATTRIBUTES, has_too_many_attributes

PARAGRAPHS = "".join(
    f"<p>“We will rebuild the bridge before winter,” said Amara Diallo, number {n}, on the square.</p>"
    for n in range(6)
)


def page(body: str, before: str = "", head: str = "") -> str:
    return f"{before}<html><head>{head}</head><body><article>{body}{PARAGRAPHS}</article></body></html>"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("declaration", ["", '<?xml version="1.0"?>'])
@pytest.mark.parametrize("address", ["file://{}", "http://127.0.0.1:1/x"])
def test_no_entity_is_opened(tmp_path: Path, declaration: str, address: str) -> None:
    (tmp_path / "own").write_text("this stands in a file")
    where = address.format(tmp_path / "own")
    for entity in (f'<!ENTITY x SYSTEM "{where}">', f'<!ENTITY % y SYSTEM "{where}"> %y;'):
        found = read_page(page("<p>&x; and so on and on it goes.</p>", f"{declaration}<!DOCTYPE html [{entity}]>"))
        assert "stands in a file" not in found.text
        assert "rebuild the bridge" in found.text


def test_entities_do_not_grow() -> None:
    laughs = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
    found = read_page(page("<p>&a12; they laughed.</p>", f'<!DOCTYPE html [<!ENTITY a0 "ha">{laughs}]>'))
    assert len(found.text) < 2_000


def test_nothing_that_a_page_names_is_fetched() -> None:
    there = "http://127.0.0.1:1/x"
    head = f'<link rel="stylesheet" href="{there}"><base href="{there}"><script src="{there}"></script>'
    found = read_page(page(f'<iframe src="{there}"></iframe><img src="{there}">', head=head), there)
    assert "rebuild the bridge" in found.text


@pytest.mark.parametrize("element", ["div", "span", "b", "ul><li", "table><tr><td", "blockquote", "section"])
def test_deep_pages_end(element: str) -> None:
    with suppress(PageError):  # no article can be found so deep
        assert read_page(page(f"<{element}>" * 30_000)).text


@pytest.mark.parametrize("begin", ["[", '{"a":'])
def test_deep_metadata_ends(begin: str) -> None:
    assert read_page(page("", head=f'<script type="application/ld+json">{begin * 50_000}</script>')).text


@pytest.mark.parametrize(
    "attributes",
    [
        " ".join(f"a{n}" for n in range(100_000)),
        " ".join(f"a{n}=1" for n in range(50_000)),
        "".join(f'a{n}=">"' + " " for n in range(50_000)),
        "".join(f"/a{n}='<'" for n in range(50_000)),
        "\n".join(f'a{n} = "</p>"' for n in range(50_000)),
    ],
)
def test_an_element_with_too_many_attributes_is_refused(attributes: str) -> None:
    with pytest.raises(PageError, match="2,000 attributes"):
        read_page(page(f"<p {attributes}>x</p>"))


def test_ordinary_pages_are_not_refused() -> None:
    image = f'<img src="data:image/png;base64,{"A" * 200_000}" alt="a > b">'
    code = "<script>" + "if (a<b && c>d) { f('x', \"y\"); } for (i=0;i<n;i++) g(i);\n" * 5_000 + "</script>"
    most = " ".join(f"a{n}=1" for n in range(MAX_ATTRIBUTES - 100))
    assert "rebuild the bridge" in read_page(page(image + code + f"<p {most}>x</p>")).text


@given(st.text("<>a =\"'/b\n", max_size=300))
def test_any_markup_is_looked_through(html: str) -> None:
    assert not has_too_many_attributes(html)


def test_looking_takes_time_in_proportion() -> None:
    for piece in ("<a ", "<a b", '<a b="', "<a b='\"", "<a =", "<", "<a/", "<a b = "):
        has_too_many_attributes(piece * (900_000 // len(piece)))

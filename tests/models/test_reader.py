"""The real Reader on short articles that were written for it."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.decoding import Cue, Roles, spans_in_text
from models.encoding import Encoder
from models.reader import WEIGHTS, Reader, Seen, WeightsError, _clocks, load_tokenizer
from models.records import ROLES, Reading
from models.text import paragraphs

pytestmark = pytest.mark.model

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text(encoding="utf-8"))


def shown(reading: Reading) -> list[dict[str, Any]]:
    """The attributions with their spans as the text has them."""
    return [
        {**{role: [span.of(reading.text) for span in getattr(one, role)] for role in ROLES}, "type": one.type}
        for one in reading.attributions
    ]


@pytest.mark.parametrize("article", GOLDEN, ids=lambda article: article["about"])
def test_golden_articles(reader: Reader, article: dict[str, Any]) -> None:
    reading = reader.read_one(article["text"])
    assert shown(reading) == article["attributions"]
    assert all(0 < one.confidence <= 1 for one in reading.attributions)


@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from(["“We go,” she said. ", "\n\n", "😀", "\ud800", "\0", '" ', "He thinks so. "])).map(
        "".join
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_gives_spans_of_it(reader: Reader, text: str) -> None:
    reading = reader.read_one(text)
    assert reading.text == text
    for one in reading.attributions:
        assert one.cue
        assert one.content
        for role in ROLES:
            spans = getattr(one, role)
            assert all(0 <= span.start < span.end <= len(text) for span in spans)
            assert all(left.end <= right.start for left, right in itertools.pairwise(spans))
            assert all(span.of(text) == span.of(text).strip() for span in spans)


def test_many_articles_are_read_as_each_alone(reader: Reader) -> None:
    texts = [article["text"] for article in GOLDEN] + ["", "It rained."]
    together = list(reader.read(texts))
    assert [reading.text for reading in together] == texts
    for reading in together:
        assert shown(reading) == shown(reader.read_one(reading.text))


def test_articles_are_read_as_they_come(reader: Reader) -> None:
    taken = 0

    def endless() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield "“We will go,” Amara Diallo said. " * 200

    readings = reader.read(endless())
    assert len(next(readings).attributions) > 100
    assert taken < 40


def test_a_long_text_is_read_to_its_end_with_the_same_result_everywhere(reader: Reader) -> None:
    paragraph = "“We will rebuild the school,” Amara Diallo said. The rain has stopped since then.\n\n"
    reading = reader.read_one(paragraph * 300)
    starts = [one.cue[0].start for one in reading.attributions]
    assert starts == [paragraph.index("said") + len(paragraph) * number for number in range(300)]


def test_a_paragraph_without_end_is_read(reader: Reader) -> None:
    reading = reader.read_one("“We will rebuild,” said Amara Diallo, and " * 400)
    assert len(reading.attributions) > 380


def test_habits_differ_and_are_checked(reader: Reader) -> None:
    assert reader.read_one("“We go,” Amara said.", habit="polnear").attributions
    with pytest.raises(ValueError, match="world, polnear"):
        reader.read_one("a", habit="mine")  # type: ignore[arg-type]


def test_missing_and_broken_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"config\.json, .*heads\.safetensors, .* missing"):
        Reader.from_pretrained(tmp_path)
    for file in WEIGHTS.iterdir():
        if file.suffix != ".md":
            (tmp_path / file.name).write_bytes(file.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="broken weights"):
        Reader.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("14:20 The mayor says that it rains.", "The mayor"),
        ("[9.05am GMT] – The mayor says that it rains.", "The mayor"),
        ("(14:20) “It rains,” the mayor says.", "“It rains"),
        ("3.50 per cent of voters say that it rains.", "3.50 per cent"),
    ],
)
def test_a_time_that_a_paragraph_begins_with_is_nobodys(text: str, rest: str) -> None:
    words = Encoder(load_tokenizer(WEIGHTS)).encode(text)
    last = next(number for number, span in enumerate(words.spans) if span.end >= text.index(rest) + len(rest))
    seen = Seen(
        [(Cue(last + 1, last + 2, 1.0), Roles(((0, last + 1),), (), 1.0))], [], [], np.zeros((0, 1), np.float16)
    )
    seen.leave_out(_clocks(text, words, paragraphs(text)))
    ((_, roles),) = seen.attributions
    assert spans_in_text(words.spans, roles.source)[0].of(text) == rest

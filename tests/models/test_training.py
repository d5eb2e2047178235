"""A short training: the loss falls, and what was interrupted goes on as if it had not been."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from models.clues import Cited
from models.encoding import Encoder, Window
from models.names import Mention
from models.network import Network, NetworkConfig
from models.reader import WEIGHTS, Reader, ReaderConfig, load_tokenizer
from models.records import KINDS, Span
from models.speakers import casting_of
from models.training.__main__ import main
from models.training.augmentation import Augmenter, edit
from models.training.corpora import Example, Marked, Name, Pronoun, held_out, read_newswire
from models.training.evaluation import name_figures
from models.training.labels import ROLE_LABELS, SPEAKER_LABELS, read_role_labels, read_speaker_labels
from models.training.loop import Plan, Trainer
from models.training.naming import NamingPlan, fit_naming
from models.training.samples import label
from models.training.silver import marked_by
from models.training.speakers import cast, fit_speakers, speaker_accuracy
from tests.fakes import NO_GIVEN_NAMES

TEXTS = [
    ("“We will rebuild,” said Amara Diallo.", ("Amara Diallo", "said", "“We will rebuild,”")),
    ("Bruno Lund said that the bridge is closed.", ("Bruno Lund", "said", "that the bridge is closed")),
    ("The council believes it will rain.", ("The council", "believes", "it will rain")),
    ("According to Chen, buses run.", ("Chen", "According to", "buses run")),
]
NAMES = [("Ines", "Duarte"), ("Kofi", "Asante", "Mensah")]


def example(number: int, text: str, roles: tuple[str, str, str]) -> Example:
    spans = {
        role: (Span(text.index(piece), text.index(piece) + len(piece)),)
        for role, piece in zip(("source", "cue", "content"), roles, strict=True)
    }
    names = (Name(spans["source"][0], "person"),) if number < 2 else None
    habit = "world" if number % 2 else "polnear"
    return Example(str(number), text, habit, (Marked(spans, "factual" if number else None),), names)


EXAMPLES = [example(number, *one) for number, one in enumerate(TEXTS)]


def small_network() -> Network:
    torch.manual_seed(0)
    return Network(
        NetworkConfig(
            {
                "vocab_size": 30522,
                "hidden_size": 32,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "intermediate_size": 64,
            },
            naming_layers=1,
            roles_width=16,
        )
    )


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(load_tokenizer(WEIGHTS))


def trainer(folder: Path, encoder: Encoder, plan: Plan) -> Trainer:
    return Trainer(small_network(), encoder, EXAMPLES, plan, Augmenter(NAMES, ["Rain again"]), None, folder)


PLAN = replace(Plan(), epochs=16, rate=5e-3, head_rate=1e-2, group=3, bfloat16=False, world_copies=1)


def test_the_loss_falls_and_a_resumed_training_is_the_same(tmp_path: Path, encoder: Encoder) -> None:
    whole = trainer(tmp_path / "whole", encoder, PLAN)
    assert whole.run()
    log = [json.loads(line)["loss"] for line in (tmp_path / "whole/log.jsonl").read_text().splitlines()]
    assert sum(log[-4:]) < 0.5 * sum(log[:4])

    stops = 0
    while not trainer(tmp_path / "parts", encoder, PLAN).run(until=0.0):
        stops += 1  # after each group a new process would begin here
    assert stops == 2 * PLAN.epochs
    one, other = (torch.load(tmp_path / name / "best.pt", weights_only=True) for name in ("whole", "parts"))
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def test_a_checkpoint_of_another_plan_is_refused(tmp_path: Path, encoder: Encoder) -> None:
    trainer(tmp_path, encoder, PLAN).run(until=0.0)
    with pytest.raises(ValueError, match="another plan"):
        trainer(tmp_path, encoder, replace(PLAN, seed=2)).run()


def told(encoder: Encoder) -> list[Example]:
    """The examples with their speakers, as people mark them."""
    return [
        replace(
            one,
            gold=[
                {
                    **{role: [list(span) for span in spans] for role, spans in marked.roles.items()},
                    "speaker": marked.roles["source"][0].of(one.text),
                    "kind": "person",
                }
                for marked in one.attributions or ()
            ],
        )
        for one in EXAMPLES
    ]


def test_the_speaker_head_is_fitted_alone(encoder: Encoder) -> None:
    network = small_network().eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    known = [cast(network, encoder, [one])[0] for one in told(encoder)]
    assert sum(len(one.sought) for one in known) == len(EXAMPLES)
    shown: list[str] = []
    fit_speakers(network, known, epochs=60, rate=5e-3, seed=1, show=shown.append)
    losses = [float(line.split()[-1]) for line in shown]
    assert losses[-1] < 0.5 * losses[0]
    assert speaker_accuracy(network, known) == 1
    assert all(
        torch.equal(value, before[name])
        for name, value in network.state_dict().items()
        if not name.startswith("speaker.")
    )


def test_names_and_speakers_have_layers_for_themselves(encoder: Encoder) -> None:
    network = small_network()
    network.double_upper_layers()
    network.eval()
    words = [encoder.encode(one.text) for one in EXAMPLES]
    batch = encoder.collate([(text, Window(0, len(text), Span(0, len(text))), "world") for text in words])
    said, below = network.words(batch)
    naming = network.naming_words(batch, below)
    assert torch.equal(said, naming)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    known = cast(network, encoder, told(encoder))
    lines: list[str] = []
    plan = NamingPlan(epochs=40, rate=1e-3, names_rate=1e-2, speakers_rate=5e-3)
    fit_naming(network, encoder, list(zip(told(encoder), known, strict=True)), EXAMPLES, NAMES, plan, lines.append)
    for at in (4, 8):  # of speakers, and of names
        losses = [float(line.split()[at]) for line in lines]
        assert losses[-1] < 0.5 * losses[0]
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert {name.split(".")[0] for name in changed} == {"naming", "names", "name_crf", "speaker"}
    assert all(weight.requires_grad for weight in network.parameters())
    assert torch.equal(network.words(batch)[0], said)
    assert torch.equal(network.words(batch)[1], below)
    assert not torch.equal(network.naming_words(batch, below), naming)


def test_speakers_that_were_read_are_put_to_their_articles(tmp_path: Path) -> None:
    one = Example("one", "Ines Duarte, the\nmayor, left. She said so. It rained, they say.", "world", None)
    labels = tmp_path / "labels.tsv"
    article = sha256(b"one").hexdigest()[:12]
    rows = ["# told", f"{article}\t30-33\t34-38\t0-22\tperson", f"{article}\t-\t43-44 58-61\t-\tunknown"]
    rows += [f"{article}\t53-57\t58-61\t=all of them\tgroup", "0123456789ab\t-\t0-4\t-\tunknown"]
    labels.write_text("\n".join(rows) + "\n", encoding="utf-8")
    (read,) = read_speaker_labels([one, replace(one, id="two")], labels)
    assert read.tells_speakers
    assert [told["speaker"] for told in read.gold] == ["Ines Duarte, the mayor", None, "all of them"]
    assert [told["kind"] for told in read.gold] == ["person", "unknown", "group"]
    assert [marked.roles["source"] for marked in read.attributions or ()] == [(Span(30, 33),), (), (Span(53, 57),)]
    assert read.gold[0]["source"] == (Span(30, 33),)


def test_all_speakers_that_were_read_stand_in_a_line_each() -> None:
    place = r"\d+-\d+(?: \d+-\d+)*"
    shape = re.compile(rf"[0-9a-f]{{12}}\t(?:-|{place})\t{place}\t(?:-|=.+|{place})\t(?:{'|'.join(KINDS)})")
    lines = SPEAKER_LABELS.read_text(encoding="utf-8").splitlines()
    assert len(lines) > 22_000
    assert [line for line in lines if not line.startswith("#") and not shape.fullmatch(line)] == []


def test_roles_that_were_read_are_places_in_the_text(tmp_path: Path) -> None:
    one = Example("one", "Ines Duarte said that it rains and hoped to leave. Amara Diallo, she added.", "world", None)
    key = sha256(b"one").hexdigest()[:12]
    labels = tmp_path / "labels.tsv"
    rows = ["# a comment", f"{key}\t0-11\t12-16\t17-30\t", f"{key}\t-\t35-40\t41-49 51-63\t?", "ffffffffffff"]
    labels.write_text("\n".join(rows) + "\n", encoding="utf-8")
    read, other = read_role_labels([one, replace(one, id="two")], labels)
    assert other.attributions is None
    assert [marked.doubtful for marked in read.attributions or ()] == [False, True]
    assert [[span.of(one.text) for span in marked.roles["content"]] for marked in read.attributions or ()] == [
        ["that it rains"],
        ["to leave", "Amara Diallo"],
    ]
    assert [marked.roles["source"] for marked in read.attributions or ()] == [(Span(0, 11),), ()]
    labels.write_text(f"{key}\n", encoding="utf-8")
    assert read_role_labels([one], labels)[0].attributions == ()


def test_all_roles_that_were_read_stand_in_a_line_each() -> None:
    place = r"\d+-\d+(?: \d+-\d+)*"
    shape = re.compile(rf"[0-9a-f]{{12}}(?:\t(?:-|{place})\t{place}\t{place}\t\??)?")
    lines = ROLE_LABELS.read_text(encoding="utf-8").splitlines()
    assert len(lines) > 6_500
    assert [line for line in lines if not line.startswith("#") and not shape.fullmatch(line)] == []


def test_a_pronoun_is_told_by_the_names_that_it_stands_for(encoder: Encoder) -> None:
    text = "Amara Diallo met Bruno Lund before she left."
    names = (Span(0, 12),)
    pronoun = Example("p", text, "world", None, pronoun=Pronoun(Span(35, 38), names))
    labels = label(pronoun, encoder.encode(text))
    assert (labels.cues, labels.doubtful) == ([], [(0, len(encoder.encode(text)))])
    mentions = [Mention(0, 2, "person"), Mention(3, 5, "person")]
    casting = casting_of(text, encoder.encode(text), mentions, "world", NO_GIVEN_NAMES)
    candidates = casting.candidates(Cited(((6, 7),), (7, 8)))
    assert [one.name for one in candidates[:2]] == ["Bruno Lund", "Amara Diallo"]


def test_what_was_saved_reads_the_same(tmp_path: Path, encoder: Encoder) -> None:
    tuned = trainer(tmp_path / "run", encoder, replace(PLAN, epochs=30))
    tuned.run()
    tuned.network.load_state_dict({name: value.half().float() for name, value in tuned.averaged.items()})
    calibration = {"world": [1.0, 1.0, 0.0], "polnear": [1.0, 1.0, 0.0]}
    config = ReaderConfig("test", {"world": 0.3, "polnear": 0.3}, calibration)
    before = Reader(tuned.network, encoder, config)
    before.save_pretrained(tmp_path / "weights", WEIGHTS / "tokenizer.json")
    after = Reader.from_pretrained(tmp_path / "weights")
    texts = [text for text, _ in TEXTS]
    readings = list(before.read(texts))
    assert readings == list(after.read(texts))
    assert sum(len(reading.attributions) for reading in readings) >= 3


def test_doubtful_and_cueless_attributions_teach_nothing(encoder: Encoder) -> None:
    text = TEXTS[0][0]
    roles = EXAMPLES[0].attributions[0].roles
    labels = label(
        replace(EXAMPLES[0], attributions=(Marked(roles, doubtful=True), Marked({**roles, "cue": ()}))),
        encoder.encode(text),
    )
    assert labels.cues == []
    assert [text[encoder.encode(text).spans[first].start :][:4] for first, _ in labels.doubtful] == ["said"]


@given(st.integers(0, 3), st.integers(0, 10_000))
@settings(max_examples=200, deadline=None)
def test_augmentation_moves_spans_along(number: int, seed: int) -> None:
    old = EXAMPLES[number]
    new = Augmenter(NAMES, ["Rain again", "Bridge closed"])(old, Random(seed))
    for before, after in zip(old.attributions, new.attributions, strict=True):
        assert before.category == after.category
        cue_before, cue_after = (one.roles["cue"][0] for one in (before, after))
        assert cue_after.of(new.text).lower() == cue_before.of(old.text).lower()
        assert after.roles["content"][0].of(new.text).lower().rstrip(".,") in new.text.lower()
        assert len(after.roles["source"][0].of(new.text).split()) <= 3


def test_edits_grow_and_move_spans() -> None:
    old = Example(
        "0", "abcdef", "world", (Marked({"source": (Span(0, 2),), "cue": (Span(2, 4),), "content": (Span(4, 6),)}),)
    )
    new = edit(old, [(1, 3, "XYZ"), (6, 6, "!")])
    assert new.text == "aXYZdef!"
    roles = new.attributions[0].roles
    assert [spans[0].of(new.text) for spans in roles.values()] == ["aXYZ", "XYZd", "ef"]


def test_a_fifth_of_the_articles_is_held_out() -> None:
    share = sum(held_out(f"article {number}") for number in range(2000)) / 2000
    assert 0.17 < share < 0.24


def test_newswire_is_put_together_again(tmp_path: Path) -> None:
    sents = [
        {
            "tokens": ["Amara", "Diallo", "said", ":", '"', "We", "do", "n't", "go", ".", '"'],
            "tags": ["B-Person", "I-Person"] + ["O"] * 9,
        },
        {"tokens": ["Lund", "’", "s", "mayor", "agreed", "."], "tags": ["B-Location"] + ["O"] * 5},
    ]
    file = tmp_path / "newswire.jsonl"
    file.write_text(json.dumps({"id": "n", "sents": sents}) + "\n", encoding="utf-8")
    (one,) = read_newswire(file)
    assert one.text.replace("\n\n", " ").strip() == 'Amara Diallo said: "We don\'t go." Lund’s mayor agreed.'
    assert one.attributions is None
    assert [(name.span.of(one.text), name.kind) for name in one.names or ()] == [
        ("Amara Diallo", "person"),
        ("Lund", "place"),
    ]


@pytest.mark.model
def test_a_network_marks_what_nobody_marked(reader: Reader) -> None:
    text = "“We will rebuild the school,” said Amara Diallo. It rained."
    (one,) = marked_by(reader, [Example("0", text, "world", None)])
    assert one.attributions is not None
    (marked,) = one.attributions
    assert [span.of(text) for span in marked.roles["source"]] == ["Amara Diallo"]
    assert not marked.doubtful


@pytest.mark.model
def test_weights_are_drawn_towards_a_run_and_its_names_head_is_taken(tmp_path: Path, reader: Reader) -> None:
    before = reader.network.state_dict()
    torch.save({name: value + 1 for name, value in before.items()}, tmp_path / "best.pt")
    done = CliRunner().invoke(main, ["mix", "--run", str(tmp_path), "--share", "0.25"])
    assert done.exit_code == 0, done.output
    mixed = torch.load(tmp_path / "best.pt", weights_only=True)
    for name, share in (
        ("cue_tags.bias", 0.25),
        ("roles.word.bias", 0.25),
        ("names.tags.bias", 1),
        ("name_crf.begin", 1),
    ):
        assert torch.allclose(mixed[name], before[name] + share, atol=1e-5), name


@pytest.mark.model
def test_names_are_measured(reader: Reader) -> None:
    text = "“We will rebuild the school,” said Amara Diallo in Lund."
    names = (Name(Span(35, 47), "person"), Name(Span(0, 3), "place"))
    found = name_figures(reader.network, reader.encoder, [Example("0", text, "world", None, names)])
    assert found["person"] == 100
    assert found["place"] == 0
    assert found["organization"] == 0

"""The one door: articles in, readings out."""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import compress
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedTokenizerFast

from models.clues import Cited
from models.crf import spans_of, tag_count
from models.decoding import Cue, Roles, find_cues, find_roles, spans_in_text
from models.encoding import EncodedText, Encoder, Window, batched, reach, windows
from models.given_names import GivenNames
from models.names import Mention
from models.network import NAME_KINDS, TAGGED_KINDS, NamedWords, Network, beside
from models.records import HABITS, Article, Attribution, Habit, Reading, Span
from models.speakers import casting_of, find_speakers
from models.text import attribution_type, paragraphs, quotations, sentences

WEIGHTS: Final = Path(__file__).parent / "weights"
"""The weights that travel with the project."""

CORE: Final = 288
CONTEXT: Final = 48

_GROUP_CHARACTERS: Final = 60_000  # some ten articles: enough to fill batches with windows of like length
_WINDOWS_TOGETHER: Final = 8
_TOWARDS_MEAN: Final = 0.7
_NAMED_TOGETHER: Final = 4096  # words whose names are decided together, padding counted
_OPENING: Final = 96  # word pieces at a text's beginning that are read again for names,
_OPENING_KEPT: Final = 48  # those of them that are seen as they are then,
_OPENING_PLACE: Final = 40  # and the place that they are taken to have
_CUES_TOGETHER: Final = 64  # bounds the memory of the roles head

_CLOCK: Final = re.compile(
    r"[(\[]?\d{1,2}[:.]\d\d ?(?:[ap]\.?m\b\.?)?(?: ?(?:GMT|BST|CES?T|E[SD]?T|P[SD]?T|UTC)\b)?[)\]]?"
    r"\s*[-–—:|]?\s+(?=(?-i:[A-ZÀ-Þ])|[“\"‘'])",
    re.IGNORECASE,
)

_FILES: Final = ("config.json", "model.safetensors", "heads.safetensors", "reader.json", "tokenizer.json")


class WeightsError(Exception):
    """The weights cannot be loaded; the message says which file and why."""


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """How the shipped network is to be used; chosen on the dev sets."""

    version: str
    thresholds: dict[str, float]
    """The least probability of a cue, by habit."""
    calibration: dict[str, list[float]]
    """By habit, the weights of a logistic regression: cue's log odds, roles' log probability, constant."""
    category_temperatures: dict[str, float] = field(default_factory=dict)
    """By habit, what the scores of categories are divided by, so that their probabilities mean what they say."""
    speaker_temperatures: dict[str, float] = field(default_factory=dict)
    """By habit, the same for the scores of candidates."""
    core: int = CORE
    """The most word pieces of a window's own."""
    context: int = CONTEXT
    """The most word pieces of context on either side."""


class Reader:
    """Finds the attributions of articles.

    Args:
        network: A trained network.
        encoder: For its tokenizer.
        config: How to use it.
        habit: Whose way of marking attributions to follow.

    One Reader may serve several threads.
    """

    def __init__(self, network: Network, encoder: Encoder, config: ReaderConfig, habit: Habit = "world") -> None:
        self.network, self.encoder, self.config, self.habit = network.eval(), encoder, config, habit
        self._given = GivenNames(network.given_names.numpy())

    @property
    def version(self) -> str:
        """The version of the weights."""
        return self.config.version

    @classmethod
    def from_pretrained(
        cls, path: str | Path | None = None, *, habit: Habit = "world", threads: int | None = None
    ) -> Reader:
        """Load trained weights.

        Args:
            path: A folder of weights; None for those that travel with the project.
            habit: Whose way of marking attributions to follow where ``read`` is not told.
            threads: How many cores to use, for the whole process; None leaves torch's choice.

        Raises:
            WeightsError: Files are missing or broken.
            ValueError: There is no such habit.
        """
        folder = WEIGHTS if path is None else Path(path)
        _check_habit(habit)
        missing = [name for name in _FILES if not (folder / name).is_file()]
        if missing:
            raise WeightsError(f"no weights in {folder}: {', '.join(missing)} missing")
        if threads is not None:
            torch.set_num_threads(threads)
        try:
            config = ReaderConfig(**json.loads((folder / "reader.json").read_text(encoding="utf-8")))
            network = Network.from_pretrained(folder)
            encoder = Encoder(load_tokenizer(folder))
        except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
            raise WeightsError(f"broken weights in {folder}: {error}") from error
        return cls(network, encoder, config, habit)

    def save_pretrained(self, path: Path, tokenizer_file: Path) -> None:
        """Write everything that ``from_pretrained`` needs."""
        self.network.save_pretrained(path)
        (path / "reader.json").write_text(json.dumps(asdict(self.config), indent=1) + "\n", encoding="utf-8")
        (path / "tokenizer.json").write_bytes(tokenizer_file.read_bytes())

    def read_one(self, article: str | Article, *, habit: Habit | None = None) -> Reading:
        """Read one article; see ``read``."""
        return next(self.read([article], habit=habit))

    def read(self, articles: Iterable[str | Article], *, habit: Habit | None = None) -> Iterator[Reading]:
        """Read articles of any length, one after the other, holding one group of them at a time.

        Short articles are read together, which is faster; time and memory are linear in an
        article's length.

        Args:
            articles: Texts or articles.
            habit: Whose way of marking attributions to follow; None for the Reader's own.

        Yields:
            A reading for each article, in their order.

        Raises:
            ValueError: There is no such habit.
        """
        chosen = _check_habit(habit or self.habit)
        group: list[Article] = []
        size = 0
        for given in articles:
            article = Article(given) if isinstance(given, str) else given
            group.append(article)
            size += len(article.text)
            if size >= _GROUP_CHARACTERS:
                yield from self._read_group(group, chosen)
                group, size = [], 0
        yield from self._read_group(group, chosen)

    def _read_group(self, articles: Sequence[Article], habit: Habit) -> Iterator[Reading]:
        encoded = [self.encoder.encode(article.text) for article in articles]
        seen = scan(
            self.network,
            self.encoder,
            encoded,
            habit,
            threshold=self.config.thresholds[habit],
            core=self.config.core,
            context=self.config.context,
            whole=True,
        )
        for article, words, one in zip(articles, encoded, seen, strict=True):
            if article.ignored:
                one.ignore([words.spans[cue.first].start for cue, _ in one.attributions], article.ignored)
            yield self._reading(article.text, words, one, habit)

    def _reading(self, text: str, words: EncodedText, seen: Seen, habit: Habit) -> Reading:
        blocks = paragraphs(text)
        seen.leave_out(_clocks(text, words, blocks))
        marks = quotations(text, blocks)
        speakers, verdicts = find_speakers(
            self.network.speaker,
            casting_of(text, words, seen.names, habit, self._given),
            torch.from_numpy(seen.states),
            [Cited(roles.source, (cue.first, cue.last)) for cue, roles in seen.attributions],
            self.config.speaker_temperatures.get(habit, 1.0),
        )
        temperature = self.config.category_temperatures.get(habit, 1.0)
        attributions = []
        for (cue, roles), category, verdict in zip(seen.attributions, seen.categories, verdicts, strict=True):
            content = spans_in_text(words.spans, roles.content)
            attributions.append(
                Attribution(
                    source=spans_in_text(words.spans, roles.source),
                    cue=spans_in_text(words.spans, [(cue.first, cue.last)]),
                    content=content,
                    type=attribution_type(text, content, marks),
                    confidence=self._confidence(habit, cue, roles),
                    speaker=verdict.speaker,
                    mention=verdict.mention,
                    candidates=verdict.candidates,
                    categories=tempered(category, temperature),
                )
            )
        return Reading(text, tuple(blocks), tuple(sentences(text, blocks)), tuple(attributions), speakers)

    def _confidence(self, habit: Habit, cue: Cue, roles: Roles) -> float:
        cue_weight, roles_weight, constant = self.config.calibration[habit]
        log_odds, log_roles = confidence_features(cue, roles)
        return round(1 / (1 + math.exp(-(cue_weight * log_odds + roles_weight * log_roles + constant))), 4)


def _clocks(text: str, words: EncodedText, blocks: Sequence[Span]) -> list[tuple[int, int]]:
    """The words of the times of day that paragraphs of live blogs begin with: "14:20 The mayor says"."""
    out = []
    for first, block in zip(words.breaks.tolist(), blocks, strict=True):
        if found := _CLOCK.match(text, *block):
            out.append((first, bisect_left(words.spans, found.end(), first, key=lambda word: word.start)))
    return out


def weights_version(folder: Path) -> str | None:
    """The version of the weights in a folder, without loading them; None if there are none."""
    try:
        version = json.loads((folder / "reader.json").read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError):
        return None
    return str(version)


def tempered(probabilities: Sequence[float], temperature: float) -> tuple[float, ...]:
    """Probabilities as they would be with their scores divided by a temperature."""
    powers = [max(one, 1e-6) ** (1 / temperature) for one in probabilities]
    return tuple(round(one / sum(powers), 4) for one in powers)


def confidence_features(cue: Cue, roles: Roles) -> tuple[float, float]:
    """What confidence is computed from: the cue's log odds and the roles' log probability."""
    likely = min(max(cue.probability, 1e-4), 1 - 1e-4)
    return math.log(likely / (1 - likely)), math.log(max(roles.probability, 1e-4))


@dataclass(slots=True)
class Seen:
    """What the network saw in one text, as ranges of its words.

    ``attributions`` are in order; ``categories``, ``names`` and ``states``, (words, H), are
    empty unless they were asked for.
    """

    attributions: list[tuple[Cue, Roles]]
    categories: list[tuple[float, ...]]
    names: list[Mention]
    states: NDArray[np.float16]

    def leave_out(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Take ranges of words from the beginnings of sources and contents."""
        ends = {at: last for first, last in ranges for at in range(first, last)}

        def rest(pieces: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
            begun = [(ends.get(first, first), last) for first, last in pieces]
            return tuple(one for one in begun if one[0] < one[1]) or pieces

        if ends:
            self.attributions = [
                (cue, Roles(rest(roles.source), rest(roles.content), roles.probability))
                for cue, roles in self.attributions
            ]

    def ignore(self, cues: Sequence[int], ranges: Sequence[Span]) -> None:
        """Drop the attributions whose cue, given by its offset, begins in one of some ranges."""
        keep = []
        for offset in cues:
            at = bisect_right(ranges, offset, key=lambda span: span.start) - 1
            keep.append(at < 0 or offset >= ranges[at].end)
        self.attributions = list(compress(self.attributions, keep))
        self.categories = list(compress(self.categories, keep))


@torch.inference_mode()
def scan(
    network: Network,
    encoder: Encoder,
    texts: Sequence[EncodedText],
    habit: Habit,
    *,
    threshold: float,
    core: int,
    context: int,
    whole: bool = False,
) -> list[Seen]:
    """Let the network see texts.

    Windows of all texts are read together, those of like length side by side.

    Args:
        network: The network.
        encoder: Its encoder.
        texts: The texts.
        habit: Whose way of marking attributions to follow.
        threshold: The least probability of a cue.
        core: The most word pieces of a window's own.
        context: The most word pieces of context on either side.
        whole: Ask all heads, and keep the states; otherwise only cues and roles are looked for.
    """
    width = network.encoder.config.hidden_size
    found: list[list[tuple[Cue, Roles, tuple[float, ...]]]] = [[] for _ in texts]
    states = [np.zeros((len(text) if whole else 0, width), dtype=np.float16) for text in texts]
    todo = [
        (number, window) for number, text in enumerate(texts) for window in windows(text, core=core, context=context)
    ]
    todo.sort(key=lambda item: _pieces(texts[item[0]], item[1]))
    for at in range(0, len(todo), _WINDOWS_TOGETHER):
        part = todo[at : at + _WINDOWS_TOGETHER]
        batch = encoder.collate([(texts[number], window, habit) for number, window in part])
        words, below = network.words(batch)
        if whole:
            naming = network.naming_words(batch, below)
            for row, (number, window) in enumerate(part):
                own, here = window.core, slice(window.core.start - window.first, window.core.end - window.first)
                states[number][own.start : own.end] = naming[row, here].half().numpy()
        cues: list[tuple[int, Cue]] = []
        for row, of_row in enumerate(find_cues(network.cue_crf, network.cues(words), batch.word_mask, threshold)):
            number, window = part[row]
            mine = range(window.core.start - window.first, window.core.end - window.first)
            cues += [(row, cue) for cue in of_row if cue.first in mine]
        for start in range(0, len(cues), _CUES_TOGETHER):
            some = cues[start : start + _CUES_TOGETHER]
            places = torch.tensor([(row, cue.first, cue.last) for row, cue in some])
            emissions = network.roles(words, batch.word_mask, places)
            all_roles = find_roles(
                network.roles_crf, emissions, batch.word_mask[places[:, 0]], [cue for _, cue in some]
            )
            categories = _categories(network, words, places, all_roles) if whole else [()] * len(some)
            for (row, cue), roles, category in zip(some, all_roles, categories, strict=True):
                number, window = part[row]
                if roles.content:  # without it a cue attributes nothing
                    found[number].append((cue.moved(window.first), roles.moved(window.first), category))
    if whole:
        _see_openings_again(network, encoder, texts, habit, states)
    names = _find_names(network, texts, states) if whole else [[] for _ in texts]
    out = []
    for number, of_text in enumerate(found):
        of_text.sort(key=lambda item: item[0].first)
        out.append(Seen([one[:2] for one in of_text], [one[2] for one in of_text], names[number], states[number]))
    return out


def _see_openings_again(
    network: Network,
    encoder: Encoder,
    texts: Sequence[EncodedText],
    habit: Habit,
    states: Sequence[NDArray[np.float16]],
) -> None:
    """Put in the states that a text's first words have for names if they do not stand first.

    What taught names had addresses there: the network believes that no text begins with a name.  It is told
    otherwise as soon as names are fitted anew (``models.training.naming``); then this can go.
    """
    todo = [number for number, text in enumerate(texts) if len(text)]
    for at in range(0, len(todo), _WINDOWS_TOGETHER):
        part = todo[at : at + _WINDOWS_TOGETHER]
        ends = [reach(texts[number].starts, 0, _OPENING) for number in part]
        rows = [(texts[number], Window(0, end, Span(0, end)), habit) for number, end in zip(part, ends, strict=True)]
        batch = encoder.collate(rows)
        naming = network.naming_words_from(batch, _OPENING_PLACE)
        for row, number in enumerate(part):
            kept = reach(texts[number].starts, 0, _OPENING_KEPT)
            states[number][:kept] = naming[row, :kept].half().numpy()


def _find_names(
    network: Network, texts: Sequence[EncodedText], states: Sequence[NDArray[np.float16]]
) -> list[list[Mention]]:
    """The names of texts, from the states of their words, (words, H) each."""
    names: list[list[Mention]] = [[] for _ in texts]
    known = [NamedWords(torch.from_numpy(of_text), text.letters) for text, of_text in zip(texts, states, strict=True)]
    tags = [torch.zeros(len(text), tag_count(len(TAGGED_KINDS))) for text in texts]
    blocks = [(number, block) for number, text in enumerate(texts) for block in text.blocks]
    parts = batched(blocks, _NAMED_TOGETHER, lambda item: item[1].end - item[1].start)
    masks = []
    for part in parts:
        words, mask, letters, others = beside([known[number].of(*block) for number, block in part])
        masks.append(mask)
        scores = network.names(words, mask, letters, others)
        for (number, block), row in zip(part, scores, strict=True):
            tags[number][block.start : block.end] = row[: block.end - block.start]
    drawn = [_drawn(one, scores) for one, scores in zip(known, tags, strict=True)]
    for part, mask in zip(parts, masks, strict=True):
        scores = pad_sequence([drawn[number][block.start : block.end] for number, block in part], batch_first=True)
        for (number, block), path in zip(part, network.name_crf.best(scores, mask)[0], strict=True):
            names[number] += [
                Mention(first + block.start, last + block.start, NAME_KINDS[kind])
                for kind, first, last in spans_of(path)
                if kind < len(NAME_KINDS)
            ]
    for of_text in names:
        of_text.sort(key=lambda mention: mention.first)
    return names


def _drawn(words: NamedWords, scores: Tensor) -> Tensor:
    """Tag scores, each kind's drawn towards its mean over the same word's places in a text: it mostly names the same.

    Where in a name the word stands is left as it is: "Kao" may be "Kao Yung-cheng" elsewhere.
    """
    kinds = torch.cat([scores[:, :1], scores[:, 1:].unflatten(1, (-1, 4)).logsumexp(2)], 1)
    drawn = _TOWARDS_MEAN * (words.means(kinds) - kinds)
    return scores + torch.cat([drawn[:, :1], drawn[:, 1:].repeat_interleave(4, 1)], 1)


def _categories(network: Network, words: Tensor, cues: Tensor, roles: Sequence[Roles]) -> list[tuple[float, ...]]:
    """Probabilities of the contents' categories."""
    content = torch.zeros(len(roles), words.shape[1], dtype=torch.bool)
    for row, one in enumerate(roles):
        for first, last in one.content:
            content[row, first:last] = True
    likely = network.categories(words, cues, content).softmax(1).tolist()
    return [tuple(row) for row in likely]


def _pieces(text: EncodedText, window: Window) -> int:
    return int(text.starts[window.last] - text.starts[window.first])


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """The backbone's tokenizer from a folder with its ``tokenizer.json``."""
    return PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        unk_token="[UNK]",
        sep_token="[SEP]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        mask_token="[MASK]",
    )


def _check_habit(habit: str) -> Habit:
    for known in HABITS:
        if habit == known:
            return known
    raise ValueError(f"habit must be one of {', '.join(HABITS)}, not {habit!r}")

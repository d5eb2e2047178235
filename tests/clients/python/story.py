"""A whole story with the generated Python client: ``python story.py ADDRESS KEY``."""

from __future__ import annotations

import sys
import time
from typing import TypeVar

from whosaid_client import AuthenticatedClient
from whosaid_client.api.analyses import analyse
from whosaid_client.api.articles import delete_article, get_article, list_articles, store_article
from whosaid_client.api.batches import create_batch, get_batch, list_batch_errors, list_batch_results
from whosaid_client.api.claims import get_claim, list_claims
from whosaid_client.api.health import get_info, get_readiness
from whosaid_client.api.similar import search_claims
from whosaid_client.api.speakers import change_speaker, get_speaker, list_speakers, merge_speakers
from whosaid_client.models import (
    AnalysisRequest,
    ArticleRequest,
    BatchItem,
    BatchRequest,
    Merge,
    Options,
    Problem,
    Search,
    SpeakerChange,
    StoredArticle,
    StoredSpeaker,
)
from whosaid_client.types import UNSET, Unset

TEXT = "The harbour will reopen on Monday, Mayor Ines Duarte said. “We are ready,” she added."

T = TypeVar("T")


def good(answer: T | Problem | None) -> T:
    """The answer, if it is none of the errors."""
    if answer is None or isinstance(answer, Problem):
        raise AssertionError(f"not answered: {answer}")
    return answer


def refused(answer: object) -> Problem:
    """The error, if it is one."""
    assert isinstance(answer, Problem), f"not refused: {answer}"
    return answer


def store(client: AuthenticatedClient, number: int, who: str) -> StoredArticle:
    """Store one of several articles."""
    text = f"The harbour will reopen in {number} days, {who} said. “We are ready for it,” the mayor added."
    body = ArticleRequest(text=text, external_id=f"python-{number}", publisher="Harbour News", published="2024-05-31")
    return good(store_article.sync(client=client, body=body, idempotency_key=f"python-{number}"))


def tell_of_batches(client: AuthenticatedClient) -> None:
    """Hand in an archive, wait for it, and get what was found."""
    items = [BatchItem(id=f"batch-{number}", text=f"{TEXT} Ship {number} waits.") for number in range(3)]
    items.append(BatchItem(id="batch-empty", text=" "))
    handed = good(create_batch.sync(client=client, body=BatchRequest(items=items, options=Options(store=True))))
    while (batch := good(get_batch.sync(handed.id, client=client))).state not in ("finished", "cancelled"):
        time.sleep(0.2)
    assert (batch.state, batch.done, batch.failed) == ("finished", 3, 1)

    found: dict[str | None, str | None] = {}
    cursor: str | Unset | None = UNSET
    while cursor is not None:
        page = good(list_batch_results.sync(batch.id, client=client, limit=2, cursor=cursor))
        found |= {one.external_id: one.article for one in page.items}
        cursor = page.next_
    assert sorted(map(str, found)) == ["batch-0", "batch-1", "batch-2", "batch-empty"]
    (error,) = good(list_batch_errors.sync(batch.id, client=client)).items
    assert (error.number, error.external_id, error.error.status) == (4, "batch-empty", 422)
    for article in found.values():
        assert article is None or delete_article.sync_detailed(article, client=client).status_code == 204


def main(address: str, key: str) -> None:
    """Analyse, store, list, merge, be refused, and clean up."""
    with AuthenticatedClient(base_url=address, token=key) as client:
        assert good(get_readiness.sync(client=client)).status == "ok"
        assert good(get_info.sync(client=client)).limits.max_title > 0

        found = good(analyse.sync(client=client, body=AnalysisRequest(text="😀 " + TEXT)))
        for attribution in found.attributions:
            for span in attribution.source + attribution.cue + attribution.content:
                assert found.article.text[span.start : span.end] == span.text
        assert found.speakers[0].name == "Ines Duarte"
        assert {claim.type_ for claim in found.claims} == {"direct", "indirect"}

        names = ["Mayor Ines Duarte", "Mayor Inês Duarte-Lima", "Mayor Ines Duarte"]
        stored = [store(client, number, who) for number, who in enumerate(names)]
        again = store(client, 0, names[0])
        assert (again.id, [one.id for one in again.claims]) == (stored[0].id, [one.id for one in stored[0].claims])
        kept = good(get_article.sync(stored[0].id, client=client))
        assert [one.id for one in kept.claims] == [one.id for one in stored[0].claims]
        assert good(get_claim.sync(kept.claims[0].id, client=client)) == kept.claims[0]

        listed: list[str | None] = []
        cursor: str | Unset | None = UNSET
        while cursor is not None:
            page = good(list_articles.sync(client=client, limit=1, publisher="Harbour News", cursor=cursor))
            listed += [one.external_id for one in page.items]
            cursor = page.next_
        assert listed == ["python-2", "python-1", "python-0"]
        assert good(list_claims.sync(client=client, q="harbour", article=stored[1].id)).items

        asked = Search(text="The port opens again in a few days.", limit=3)
        alike = good(search_claims.sync(client=client, body=asked)).items
        assert alike[0].text.startswith("The harbour will reopen")
        assert alike[0].score >= alike[-1].score

        speakers: dict[str, StoredSpeaker] = {
            one.name: one for one in good(list_speakers.sync(client=client, kind="person", limit=200)).items
        }
        one, other = speakers["Ines Duarte"], speakers["Inês Duarte-Lima"]
        merged = good(merge_speakers.sync(one.id, client=client, body=Merge(speaker=other.id)))
        assert merged.claims >= one.claims + other.claims
        assert other.name in merged.aliases
        changed = good(change_speaker.sync(one.id, client=client, body=SpeakerChange(qid="Q42")))
        assert changed.qid == "Q42"
        assert refused(get_speaker.sync(other.id, client=client)).type_ == "/problems/not-found"

        problem = refused(analyse.sync(client=client, body=AnalysisRequest(text=TEXT, html=TEXT)))
        assert problem.status == 422
        assert problem.errors
        assert [error.field for error in problem.errors] == ["html"]
        for article in stored:
            assert delete_article.sync_detailed(article.id, client=client).status_code == 204
        tell_of_batches(client)
        assert refused(get_article.sync(stored[0].id, client=client)).status == 404

    with AuthenticatedClient(base_url=address, token="wrong") as stranger:  # noqa: S106
        assert refused(list_claims.sync(client=stranger)).type_ == "/problems/unauthorized"
    print("the Python client tells its story")


if __name__ == "__main__":
    main(*sys.argv[1:])

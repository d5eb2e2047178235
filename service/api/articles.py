"""``/v1/articles``: articles that are kept, with their claims."""

from __future__ import annotations

from typing import Any, Final

from flask import current_app, url_for
from flask.views import MethodView

from service.api import Blueprint
from service.api.linked import whole_article_nodes
from service.api.lists import ARTICLES
from service.api.records import (
    ArticleArgumentsSchema,
    ArticlePageSchema,
    ArticleRequestSchema,
    StoredArticleSchema,
    existing,
    known_id,
    whole_article,
)
from service.api.representations import check_unchanged, list_answer, one_answer
from service.api.schemas import FormatSchema
from service.api.turns import habit_of, page_for, read
from service.keeping import Keeper
from service.store.articles import Handed, get_article
from service.store.engine import Store

blueprint = Blueprint("articles", __name__, url_prefix="/v1/articles", description="Keep articles and their claims.")

_FORMS: Final = ("json", "jsonld")


@blueprint.route("")
class Articles(MethodView):
    """All articles."""

    @blueprint.arguments(ArticleRequestSchema)
    @blueprint.idempotent
    @blueprint.tagged
    @blueprint.response(201, StoredArticleSchema)
    @blueprint.alt_response(
        200, schema=StoredArticleSchema, description="It was stored before, and is updated.", success=True
    )
    @blueprint.problems(400, 409, 413, 415, 422, 429)
    @blueprint.doc(operationId="storeArticle")
    def post(self, asked: dict[str, Any]) -> Any:
        """Read an article and keep it.

        All of it is stored or nothing. An article that was stored before, which its external_id, its
        url or its text tells, is updated: claims at the same places keep their ids. Its speakers are those
        of all articles: the same full name is the same speaker.
        """
        asked_page, habit = page_for(asked), habit_of(asked)
        handed = Handed(asked_page, asked.get("external_id"))
        keeper: Keeper = current_app.config["KEEPER"]
        kept = keeper.keep(handed, habit, lambda: read(asked_page, habit))
        where = {"Location": url_for("articles.One", id_=kept.id)}
        return _whole(keeper.store, kept.id), 201 if kept.is_new else 200, where

    @blueprint.arguments(ArticleArgumentsSchema, location="query")
    @blueprint.represented(ArticlePageSchema)
    @blueprint.problems(422)
    @blueprint.doc(operationId="listArticles")
    def get(self, asked: dict[str, Any]) -> Any:
        """List articles, the latest stored first.

        Without their texts and claims. The filters go together: an article is listed if it passes
        all of them.

        A page in JSON, and as long as next is not null there is another one: ask again with the
        same filters and cursor set to it. All of them in the other forms.
        """
        return list_answer(ARTICLES, _store(), asked)


@blueprint.route("/<id_>")
class One(MethodView):
    """One article."""

    @blueprint.arguments(FormatSchema, location="query")
    @blueprint.represented(StoredArticleSchema, _FORMS)
    @blueprint.problems(404, 422)
    @blueprint.doc(operationId="getArticle")
    def get(self, asked: dict[str, Any], id_: str) -> Any:
        """Get an article with its claims.

        With the text that was read, its speakers and all its claims, whose spans count the code points
        of that text. For its claims as CSV or NDJSON, list the claims of this article.
        """
        with _store().read() as session:
            one = existing(get_article(session, known_id(id_, "article")), id_, "article")
            record = whole_article(session, one)
            return one_answer(ARTICLES, record, lambda: whole_article_nodes(one, record), asked, _FORMS)

    @blueprint.tagged
    @blueprint.response(204)
    @blueprint.problems(404)
    @blueprint.doc(operationId="deleteArticle")
    def delete(self, id_: str) -> None:
        """Remove an article with its claims.

        Speakers that no other article has go too, but for those with a Wikidata identifier and those
        that were ever renamed, merged or split. It cannot be undone; the same article sent again gets
        a new id.
        """
        keeper: Keeper = current_app.config["KEEPER"]
        with keeper.store.write() as session:
            one = existing(get_article(session, known_id(id_, "article")), id_, "article")
            check_unchanged(StoredArticleSchema, whole_article(session, one))
            keeper.remove(session, one.id)


def _whole(store: Store, id_: str) -> dict[str, Any]:
    with store.read() as session:
        return whole_article(session, existing(get_article(session, id_), id_, "article"))


def _store() -> Store:
    store: Store = current_app.config["STORE"]
    return store

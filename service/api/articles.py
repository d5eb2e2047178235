"""``/v1/articles``: articles that are kept, with their claims."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for
from flask.views import MethodView
from sqlalchemy import Select, select

from service.api import Blueprint
from service.api.paging import page
from service.api.records import (
    ArticleArgumentsSchema,
    ArticlePageSchema,
    ArticleRequestSchema,
    StoredArticleSchema,
    article_head,
    existing,
    known_id,
    whole_article,
)
from service.api.turns import habit_of, read
from service.errors import NotFound
from service.intake import page_of
from service.keeping import Keeper
from service.store.articles import Handed, delete_article, get_article
from service.store.engine import Store
from service.store.tables import Article

blueprint = Blueprint("articles", __name__, url_prefix="/v1/articles", description="Keep articles and their claims.")


@blueprint.route("")
class Articles(MethodView):
    """All articles."""

    @blueprint.arguments(ArticleRequestSchema)
    @blueprint.idempotent
    @blueprint.response(201, StoredArticleSchema)
    @blueprint.alt_response(200, schema=StoredArticleSchema, description="It was stored before, and is updated.")
    @blueprint.problems(400, 409, 413, 415, 422, 429)
    @blueprint.doc(operationId="storeArticle")
    def post(self, asked: dict[str, Any]) -> Any:
        """Read an article and keep it.

        All of it is stored or nothing. An article that was stored before, which its external_id, its
        url or its text tells, is updated: claims at the same places keep their ids. Its speakers are those
        of all articles: the same full name is the same speaker.
        """
        asked_page, habit = page_of(asked), habit_of(asked)
        handed = Handed(asked_page, asked.get("external_id"))
        keeper: Keeper = current_app.config["KEEPER"]
        kept = keeper.keep(handed, habit, lambda: read(asked_page, habit))
        where = {"Location": url_for("articles.One", id_=kept.id)}
        return _whole(keeper.store, kept.id), 201 if kept.is_new else 200, where

    @blueprint.arguments(ArticleArgumentsSchema, location="query")
    @blueprint.response(200, ArticlePageSchema)
    @blueprint.problems(422)
    @blueprint.doc(operationId="listArticles")
    def get(self, asked: dict[str, Any]) -> dict[str, Any]:
        """List articles, the latest stored first.

        Without their texts and claims. The filters go together: an article is listed if it passes
        all of them. As long as next is not null there is another page: ask again with the same
        filters and cursor set to it.
        """
        with _store().read() as session:
            return page(session, published_in(select(Article), asked), Article.seq, asked, article_head)


@blueprint.route("/<id_>")
class One(MethodView):
    """One article."""

    @blueprint.response(200, StoredArticleSchema)
    @blueprint.problems(404)
    @blueprint.doc(operationId="getArticle")
    def get(self, id_: str) -> dict[str, Any]:
        """Get an article with its claims.

        With the text that was read, its speakers and all its claims, whose spans count the code
        points of that text.
        """
        return _whole(_store(), known_id(id_, "article"))

    @blueprint.response(204)
    @blueprint.problems(404)
    @blueprint.doc(operationId="deleteArticle")
    def delete(self, id_: str) -> None:
        """Remove an article with its claims.

        Speakers that no other article has go too, but for those with a Wikidata identifier. It cannot
        be undone; the same article sent again gets a new id.
        """
        with _store().write() as session:
            if not delete_article(session, known_id(id_, "article")):
                raise NotFound(f"There is no article {id_!r}.")


def published_in(query: Select[Any], asked: dict[str, Any]) -> Select[Any]:
    """Only those of articles that the filters on publisher and date let through."""
    if "publisher" in asked:
        query = query.where(Article.publisher == asked["publisher"])
    if "published_from" in asked:
        query = query.where(Article.published_on >= asked["published_from"])
    if "published_to" in asked:
        query = query.where(Article.published_on <= asked["published_to"])
    return query


def _whole(store: Store, id_: str) -> dict[str, Any]:
    with store.read() as session:
        return whole_article(existing(get_article(session, id_), id_, "article"))


def _store() -> Store:
    store: Store = current_app.config["STORE"]
    return store

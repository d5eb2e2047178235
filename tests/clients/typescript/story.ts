// A whole story with the generated TypeScript client: node build/story.js ADDRESS KEY

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import createClient from "openapi-fetch";

import { Offsets } from "./offsets.js";
import type { components, paths } from "./schema.js";

type Article = components["schemas"]["StoredArticle"];
type Problem = components["schemas"]["Problem"];

const [address = "", key = ""] = process.argv.slice(2);
/** Lists are there in other forms as well; of those, the client is to know JSON. */
type Forms = "application/json" | "application/problem+json";

const client = createClient<paths, Forms>({ baseUrl: address, headers: { Authorization: `Bearer ${key}` } });
const text = "😀 The harbour will reopen on Monday, Mayor Ines Duarte said. “We are ready,” she added.";

/** The answer, if it is none of the errors. */
function good<T>(answer: { data?: T; error?: unknown }): T {
  assert.ok(answer.data !== undefined, JSON.stringify(answer.error));
  return answer.data;
}

/** The error, if it is one. */
function refused(answer: { error?: Problem }): Problem {
  assert.ok(answer.error !== undefined);
  return answer.error;
}

async function store(number: number, who: string): Promise<Article> {
  return good(
    await client.POST("/v1/articles", {
      params: { header: { "Idempotency-Key": `typescript-${number}` } },
      body: {
        text: `The bridge will open in ${number} days, ${who} said. “We are ready for it,” the mayor added.`,
        external_id: `typescript-${number}`,
        publisher: "Bridge News",
        published: "2024-05-31",
      },
    }),
  );
}

async function articles(): Promise<(string | null)[]> {
  const found: (string | null)[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: 1, publisher: "Bridge News", ...(cursor === undefined ? {} : { cursor }) };
    const page = good(await client.GET("/v1/articles", { params: { query } }));
    found.push(...page.items.map((one) => one.external_id));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return found;
}

/** Hand in an archive as NDJSON, wait for it, and get what was found. */
async function batches(): Promise<void> {
  const lines = [0, 1, 2].map((number) => JSON.stringify({ id: `ndjson-${number}`, text: `${text} Ship ${number}.` }));
  let batch: components["schemas"]["Batch"] = good(
    await client.POST("/v1/batches", {
      headers: { "Content-Type": "application/x-ndjson" },
      body: [...lines, "{}"].join("\n"),
      bodySerializer: (body) => body,
    }),
  );
  const path = { id: batch.id };
  while (batch.state !== "finished" && batch.state !== "cancelled") {
    await sleep(200);
    batch = good(await client.GET("/v1/batches/{id}", { params: { path } }));
  }
  assert.deepEqual([batch.done, batch.failed], [3, 1]);
  const found: (string | null)[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: 2, ...(cursor === undefined ? {} : { cursor }) };
    const page = good(await client.GET("/v1/batches/{id}/results", { params: { path, query } }));
    for (const one of page.items) {
      if (one.analysis === null) continue;
      const offsets = new Offsets(one.analysis.article.text);
      for (const { content } of one.analysis.attributions) {
        for (const span of content) assert.equal(offsets.slice(span), span.text);
      }
      found.push(one.external_id);
    }
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  assert.deepEqual(found.sort(), ["ndjson-0", "ndjson-1", "ndjson-2"]);
  const errors = good(await client.GET("/v1/batches/{id}/errors", { params: { path } })).items;
  assert.deepEqual(errors.map((one) => [one.number, one.error.status]), [[4, 422]]);
}

assert.equal(good(await client.GET("/readyz")).status, "ok");
assert.ok(good(await client.GET("/v1/info")).limits.max_title > 0);

const found = good(await client.POST("/v1/analyses", { body: { text } }));
const offsets = new Offsets(found.article.text);
for (const one of found.attributions) {
  for (const span of [...one.source, ...one.cue, ...one.content]) {
    assert.equal(offsets.slice(span), span.text);
  }
}
assert.equal(found.speakers[0]?.name, "Ines Duarte");

const names = ["Mayor Rui Salgado", "Mayor Rui Salgado-Pinto", "Mayor Rui Salgado"];
const stored: Article[] = [];
for (const [number, who] of names.entries()) stored.push(await store(number, who));
const [first] = stored;
assert.ok(first);
assert.equal((await store(0, "Mayor Rui Salgado")).id, first.id);
const path = { id: first.id };
const kept = good(await client.GET("/v1/articles/{id}", { params: { path } }));
assert.deepEqual(kept.claims.map((one) => one.id), first.claims.map((one) => one.id));
assert.deepEqual(await articles(), ["typescript-2", "typescript-1", "typescript-0"]);
assert.ok(good(await client.GET("/v1/claims", { params: { query: { q: "bridge", article: first.id } } })).items.length);

const asked = { text: "The crossing can be used soon.", filters: { publisher: "Bridge News" }, limit: 3 };
const alike = good(await client.POST("/v1/claims/search", { body: asked })).items;
assert.ok(alike.length > 0 && alike.every((one) => one.score >= 0 && one.score <= 1));

const people = good(await client.GET("/v1/speakers", { params: { query: { kind: "person", limit: 200 } } })).items;
const one = people.find((each) => each.name === "Rui Salgado");
const other = people.find((each) => each.name === "Rui Salgado-Pinto");
assert.ok(one && other);
const merged = good(
  await client.POST("/v1/speakers/{id}/merge", { params: { path: { id: one.id } }, body: { speaker: other.id } }),
);
assert.ok(merged.aliases.includes(other.name));
assert.equal(
  refused(await client.GET("/v1/speakers/{id}", { params: { path: { id: other.id } } })).type,
  "/problems/not-found",
);

const problem = refused(await client.POST("/v1/analyses", { body: { text, html: text } }));
assert.equal(problem.status, 422);
assert.deepEqual(problem.errors?.map((error) => error.field), ["html"]);

for (const { id } of stored) {
  assert.equal((await client.DELETE("/v1/articles/{id}", { params: { path: { id } } })).response.status, 204);
}
await batches();
const stranger = createClient<paths, Forms>({ baseUrl: address, headers: { Authorization: "Bearer wrong" } });
assert.equal(refused(await stranger.GET("/v1/claims")).type, "/problems/unauthorized");
console.log("the TypeScript client tells its story");

// @ts-check
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { insertParts } from "../../../web/vite/parts.js";
import { WEB } from "../lens-page.mjs";

for (const [name, link] of [
  ["index.html", "./"],
  ["audit.html", "audit.html"],
  ["teach.html", "teach.html"],
]) {
  test(`${name} has the shared parts, and marks the link to itself`, async () => {
    const html = insertParts(await readFile(WEB + name, "utf8"), name);
    assert.doesNotMatch(html, /<!-- insert/);
    assert.match(html, /<head>\n {4}<meta charset="utf-8" \/>\n {4}<meta\n {6}http-equiv=/);
    assert.equal(html.match(/Content-Security-Policy/g)?.length, 1);
    assert.equal(html.match(/rel="icon"/g)?.length, 1);
    const current = [...html.matchAll(/<a href="([^"]+)" aria-current="page">/g)];
    assert.deepEqual(
      current.map(([, address]) => address),
      [link],
    );
    assert.equal(
      html.match(/<details id="model-menu"/g)?.length ?? 0,
      name === "teach.html" ? 0 : 1,
    );
  });
}

test("a part that does not exist is an error", () => {
  assert.throws(() => insertParts("<!-- insert nothing -->", "index.html"), /nothing\.html/);
});

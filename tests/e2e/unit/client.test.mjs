// @ts-check
/** The reader that a page talks to, with workers of the test's making. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Recognizer } from "../../../web/src/client.js";
import { CONFIG, FakeWorker } from "../fake/worker.mjs";

beforeEach(() => FakeWorker.install());

test("says what the loaded network reads", async () => {
  const lens = await Recognizer.load({ backend: "cpu", weights: new Uint8Array() });
  assert.deepEqual(lens.config, CONFIG);
  lens.close();
});

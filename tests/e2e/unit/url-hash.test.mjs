// @ts-check
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { setFragment, writeFragment } from "../../../web/src/lens/url-hash.js";

/** The URL hashes written so far. @type {string[]} */
let written = [];
/** Whether the browser refuses changes. */
let refuses = false;

const location = { pathname: "/lens/", search: "?backend=cpu", hash: "" };
Object.assign(globalThis, {
  location,
  history: {
    replaceState: (/** @type {null} */ _, /** @type {string} */ __, /** @type {string} */ url) => {
      if (refuses) throw new DOMException("100 times in 30 seconds", "SecurityError");
      const { hash, pathname, search } = new URL(url, "http://localhost");
      assert.equal(pathname + search, "/lens/?backend=cpu");
      location.hash = hash;
      written.push(hash);
    },
  },
});

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  location.hash = "";
  written = [];
  refuses = false;
});

test("url hash is written after changes pause", () => {
  for (let i = 0; i < 500; i++) {
    setFragment(`#generate?seed=${i}`);
    mock.timers.tick(20);
  }
  assert.deepEqual(written, []);
  mock.timers.tick(300);
  assert.deepEqual(written, ["#generate?seed=499"]);
});

test("url hash is written at once on demand, and only when it changed", () => {
  setFragment("#generate?seed=1");
  writeFragment();
  assert.deepEqual(written, ["#generate?seed=1"]);
  setFragment("#generate?seed=1");
  mock.timers.tick(10_000);
  writeFragment();
  assert.equal(written.length, 1);
});

test("url hash is written again later when the browser refuses a change", () => {
  refuses = true;
  setFragment("#generate?seed=2");
  mock.timers.tick(300);
  refuses = false;
  mock.timers.tick(10_000);
  assert.deepEqual(written, ["#generate?seed=2"]);
});

// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { fromFragment, toFragment } from "../../../web/src/lens/share-link.js";

test("share link keeps all settings", () => {
  for (const options of [
    { seed: 7 },
    { seed: 7, length: 4, random: true, style: "waves" },
    { seed: 7, length: 16, style: "serial-sixteen" },
    { seed: 3, text: "3A7f", style: "random", look: 4_000_000_000 },
    {
      seed: 0,
      text: "thus",
      random: true,
      font: "pen-07",
      distorted: true,
      strokes: 0,
      noise: 0.015,
    },
  ]) {
    const given = Object.entries(fromFragment(toFragment(options)) ?? {});
    const known = given.filter(([, value]) => value !== undefined);
    assert.deepEqual(Object.fromEntries(known), options);
  }
});

test("share link corrects invalid numbers", () => {
  const { seed, length, strokes, text } =
    fromFragment("#generate?seed=1e300&length=4.5&strokes=-3&text=WHALE") ?? {};
  assert.deepEqual(
    { seed, length, strokes, text },
    { seed: 1, length: 4, strokes: 3, text: "whale" },
  );
});

test("share link clamps settings to their ranges", () => {
  for (const [link, wanted] of /** @type {const} */ ([
    ["strokes=80&noise=0.15", { strokes: 80, noise: 0.15 }],
    ["strokes=500&noise=3", { strokes: 100, noise: 0.2 }],
    ["noise=-1&length=9", { noise: 0, length: undefined }],
  ])) {
    const options = Object.entries(fromFragment(`#generate?${link}`) ?? {});
    for (const option of Object.entries(wanted))
      assert.ok(
        options.some((one) => isDeepStrictEqual(one, option)),
        link,
      );
  }
});

test("share link accepts the setting names of earlier versions", () => {
  assert.deepEqual(
    fromFragment("#generate?seed=2&face=pen-07&bent=true&speckle=0.1"),
    fromFragment("#generate?seed=2&font=pen-07&distorted=true&noise=0.1"),
  );
});

test("share link ignores missing and damaged settings", () => {
  assert.equal(fromFragment(""), null);
  assert.equal(fromFragment("#about"), null);
  const damaged = fromFragment("#generate?seed=x&strokes=&noise=much&text=");
  assert.deepEqual(damaged, {
    seed: 1,
    style: undefined,
    look: undefined,
    text: undefined,
    length: undefined,
    random: undefined,
    font: undefined,
    distorted: undefined,
    strokes: undefined,
    noise: undefined,
  });
});

// @ts-check
/** Exports of a reading, with the fake engine. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { holdDecoding } from "./browser.mjs";
import { panelsOf } from "./images.mjs";
import { GOOD_IMAGE, imageWithFault, serveFakeLens, WORD } from "./fake/lens-suite.mjs";

describe("export of a reading", () => {
  const { open } = serveFakeLens();

  test("exports the text, the figure and the JSON", async () => {
    const lens = await open({ permissions: ["clipboard-read", "clipboard-write"] });
    assert.ok(await lens.page.locator("#export").isHidden());
    await lens.choose(GOOD_IMAGE);
    await lens.page.click("#copy");
    await lens.page.waitForSelector("#copy:text('Copied')");
    assert.equal(await lens.page.evaluate(() => navigator.clipboard.readText()), WORD);

    const exported = async (/** @type {string} */ kind) => {
      const [download] = await Promise.all([
        lens.page.waitForEvent("download"),
        lens.page.click(`#export-${kind}`),
      ]);
      assert.equal(download.suggestedFilename(), `captcha-lens-${WORD}.${kind}`);
      return readFile(await download.path());
    };
    const svg = (await exported("svg")).toString();
    assert.equal(svg.match(/<image /g)?.length, 2 * WORD.length);
    assert.match(svg, /<title>thus, 85\.3/);
    const picture = await exported("png");
    assert.equal(picture.toString("latin1", 1, 4), "PNG");
    // Four panels of 280 with gaps of 16, at a scale of two.
    assert.equal(picture.readUInt32BE(16), 2 * (4 * (280 + 16) + 16));
    const panels = await panelsOf(lens.page, picture);
    assert.equal(panels.length, WORD.length);
    for (const { least, most } of panels) assert.ok(most - least > 60, `${least} to ${most}`);
    assert.equal(new Set(panels.map(({ squares }) => String(squares))).size, WORD.length);
    const json = JSON.parse((await exported("json")).toString());
    assert.equal(json.text, WORD);
    assert.equal(json.characters[0].attention.length, 72);

    await lens.choose(imageWithFault("lowConfidence"));
    const unsure = (await exported("svg")).toString();
    const title = await lens.page.evaluate(
      (text) => new DOMParser().parseFromString(text, "image/svg+xml").title,
      unsure,
    );
    assert.match(title, /^Probably not a text CAPTCHA .+\. Best guess: thus, <0\.1/);
    assert.match(unsure, /<text [^>]*>Best guess: thus, /, "to see, too");
    assert.equal((await exported("png")).toString("latin1", 1, 4), "PNG");
    await lens.close();
  });

  test("names an export after its reading and says so when it fails", async () => {
    const lens = await open({ permissions: ["clipboard-read", "clipboard-write"] });
    const { page } = lens;
    await lens.choose(GOOD_IMAGE);
    await page.click("#copy");
    await page.waitForSelector("#copy:text('Copied')");
    await page.click("#copy");
    await page.waitForSelector("#copy:text('Copy')");

    await page.evaluate(holdDecoding);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page
        .click("#export-png")
        .then(() => page.setInputFiles("#file-input", imageWithFault("panic")))
        .then(() => page.evaluate(() => /** @type {any} */ (globalThis).release())),
    ]);
    assert.equal(download.suggestedFilename(), `captcha-lens-${WORD}.png`);

    await lens.choose(GOOD_IMAGE);
    await page.evaluate(() => {
      OffscreenCanvas.prototype.convertToBlob = () => Promise.reject(new Error("no"));
    });
    await page.click("#export-png");
    await page.waitForSelector("#export-png:text('Could not save')");
    await page.waitForSelector("#export-png:text('PNG')");
    assert.deepEqual(
      lens.watched.consoleMessages.filter((words) => words.includes("no")),
      [],
    );
    await lens.close();
  });
});

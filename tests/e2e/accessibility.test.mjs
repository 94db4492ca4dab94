// @ts-check
/** Accessibility of a reading, with the fake engine. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { WIDTHS, fitsWidth, resizeText, stopClock } from "./browser.mjs";
import { png } from "./lens-page.mjs";
import { GOOD_IMAGE, serveFakeLens } from "./fake/lens-suite.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

describe("reading", () => {
  const { open } = serveFakeLens();

  describe("accessibility", () => {
    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      test(`has no accessibility violations in ${colorScheme} mode`, async () => {
        const lens = await open({ colorScheme });
        const axe = await readFile(AXE, "utf8");
        for (const file of [undefined, GOOD_IMAGE, png(Buffer.from("no image"))]) {
          if (file) await lens.choose(file);
          else await lens.waitUntilSettled();
          await lens.page.evaluate(axe);
          const { violations } = await lens.page.evaluate(() =>
            /** @type {any} */ (globalThis).axe.run(),
          );
          const found = violations.map((/** @type {any} */ { id, nodes }) => [
            id,
            nodes.map((/** @type {any} */ { html }) => html),
          ]);
          assert.deepEqual(found, []);
        }
        await lens.close();
      });
    }

    test("shows transparency on white and announces notes", async () => {
      const lens = await open({ colorScheme: "dark" });
      await lens.choose(GOOD_IMAGE);
      for (const picture of ["#picture", ".thumb img"]) {
        const ground = await lens.page
          .locator(picture)
          .first()
          .evaluate((image) => getComputedStyle(image).backgroundColor);
        assert.equal(ground, "rgb(255, 255, 255)", picture);
      }
      // Also while it is empty.
      const note = lens.page.locator("#note");
      assert.equal(await note.getAttribute("role"), "status");
      assert.notEqual(await note.evaluate((one) => getComputedStyle(one).display), "none");
      await lens.close();
    });

    test("keeps characters over their positions and untranslated in any language", async () => {
      const lens = await open();
      const { page } = lens;
      await lens.choose(GOOD_IMAGE);
      const places = () =>
        page.evaluate(() => {
          const frame = /** @type {Element} */ (document.querySelector("#frame"));
          const { x, width } = frame.getBoundingClientRect();
          const of = (/** @type {string} */ selector) =>
            [...document.querySelectorAll(selector)].map((one) => {
              const box = one.getBoundingClientRect();
              return Math.round((100 * (box.x + box.width / 2 - x)) / width);
            });
          const inOrder = (/** @type {number[]} */ [first, second]) => first < second;
          return {
            tags: of("#character-labels > span"),
            word: inOrder(of("#word > span")),
            cells: inOrder(of("#cells [role=gridcell]")),
            columns: inOrder(of("#weights-head th")),
          };
        });
      const before = await places();
      await page.evaluate(() => (document.documentElement.dir = "rtl"));
      assert.deepEqual(await places(), before);
      const translated = await page.evaluate(() =>
        [
          ...[
            "#word span",
            "#character-labels span",
            ".character .glyph",
            "#alternative-list .text",
          ],
          ...[
            "#candidates .text",
            "#explain-characters button",
            "#cell-shares b",
            "#weights-caption",
          ],
          ...["#step-state", "#step-previous", "#step-character", "#status-details"],
        ].filter((selector) => {
          const found = [...document.querySelectorAll(selector)];
          return !found.length || found.some((one) => /** @type {HTMLElement} */ (one).translate);
        }),
      );
      assert.deepEqual(translated, []);
      await lens.close();
    });

    test("keeps list semantics and announces a copy", async () => {
      const lens = await open({ permissions: ["clipboard-read", "clipboard-write"] });
      await lens.choose(GOOD_IMAGE);
      const unnamed = await lens.page
        .locator("main :is(ol, ul):not([role=list])")
        .evaluateAll((lists) =>
          lists
            .filter((list) => getComputedStyle(list).listStyleType === "none")
            .map((list) => list.id || list.className),
        );
      assert.deepEqual(unnamed, []);
      assert.equal(await lens.page.getAttribute("#export-status", "role"), "status");
      await lens.page.click("#copy");
      await lens.page.waitForSelector("#export-status:text('Copied')", { state: "attached" });
      await lens.close();
    });

    test("prints the whole reading without controls", async () => {
      const lens = await open({ reducedMotion: "no-preference" });
      await lens.waitUntilSettled();
      await stopClock(lens.page);
      assert.equal(await lens.choose(GOOD_IMAGE), "done");
      const unread = () => lens.page.locator(".pending").count();
      assert.ok((await unread()) > 0, "it plays");
      const pdf = await lens.page.pdf({ format: "A4" });
      assert.equal(await unread(), 0);
      const pages = pagesOf(pdf);
      assert.ok(1 <= pages && pages <= 4, `${pages} pages`);
      await lens.page.emulateMedia({ media: "print" });
      assert.equal(
        await lens.page.locator("button:visible:not(.character):not([tabindex])").count(),
        0,
      );
      await lens.page.emulateMedia({ media: "screen" });
      await lens.page.click("#crop");
      await lens.page.waitForSelector("#cropper:visible");
      assert.ok(await lens.page.locator("#picture").isHidden());
      await lens.page.emulateMedia({ media: "print" });
      assert.ok(await lens.page.locator("#picture").isVisible());
      assert.ok(await lens.page.locator("#cropper").isHidden());
      await lens.close();
    });

    for (const [width, size] of WIDTHS) {
      test(`needs no horizontal scrolling at ${width} pixels with text of ${size}%`, async () => {
        const lens = await open({ viewport: { width, height: 700 } });
        await resizeText(lens.page, size);
        for (const file of [undefined, GOOD_IMAGE, png(Buffer.from("no image"))]) {
          if (file) await lens.choose(file);
          else await lens.waitUntilSettled();
          assert.ok(await fitsWidth(lens.page), file?.name ?? "at first");
        }
        await lens.close();
      });
    }
  });
});

/** @param {Buffer} pdf */
const pagesOf = (pdf) => (pdf.toString("latin1").match(/\/Type \/Page\b/g) ?? []).length;

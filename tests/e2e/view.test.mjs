// @ts-check
/** How the page shows a reading, with the fake engine. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { WIDTHS, fitsWidth, holdDecoding, launch, resizeText, stopClock } from "./browser.mjs";
import { FAULTS } from "./fake/captcha_wasm.js";
import { FAKE_ENGINE } from "./fake/mounts.mjs";
import { blankPng, panelsOf } from "./images.mjs";
import { LensPage, png } from "./lens-page.mjs";
import { SOURCES, serve } from "./site.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const WORD = "thus";
/** Milliseconds for which the playback shows a character. */
const CHARACTER = 900;
const GOOD = png(blankPng(200, 100), "good.png");

/** @param {keyof typeof FAULTS} fault */
const faulty = (fault) => png(blankPng(FAULTS[fault], 10), `${fault}.png`);

describe("reading", () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import("playwright-core").Browser} */
  let browser;

  before(async () => {
    site = await serve({
      base: "/some/where/",
      folders: SOURCES,
      mounts: FAKE_ENGINE,
    });
    browser = await launch({ webgpu: false });
  });
  after(async () => {
    await browser.close();
    await site.close();
  });

  /** @param {Parameters<typeof LensPage.open>[2]} [options] */
  const open = (options) => LensPage.open(browser, site.address, options);

  describe("controls", () => {
    test("steps through the characters with the arrow keys", async () => {
      const reader = await open();
      await reader.choose(GOOD);
      assert.equal(await current(reader), 0);
      await reader.page.keyboard.press("ArrowRight");
      await reader.page.keyboard.press("ArrowRight");
      assert.equal(await current(reader), 2);
      await reader.page.keyboard.press("ArrowLeft");
      assert.equal(await current(reader), 1);
      await reader.page.click("#smooth-toggle"); // a checkbox does not use the arrow keys
      for (let i = 0; i < 9; i++) await reader.page.keyboard.press("ArrowRight");
      assert.equal(await current(reader), WORD.length - 1);
      await reader.close();
    });

    test("leaves pasted text and arrow keys to the focused field", async () => {
      const reader = await open({ permissions: ["clipboard-read", "clipboard-write"] });
      await reader.choose(GOOD);
      await reader.page.evaluate(() => {
        const panel = /** @type {HTMLElement} */ (document.querySelector("#generator"));
        panel.hidden = false; // the fake engine has no generator
        return navigator.clipboard.writeText("whale");
      });
      await reader.page.focus("#generator-text");
      await reader.page.keyboard.press("ArrowRight");
      assert.equal(await current(reader), 0);
      await reader.page.keyboard.press("Control+V");
      assert.equal(await reader.page.inputValue("#generator-text"), "whale");
      await reader.close();
    });

    test("leaves arrow keys to a text selection and to other focused elements", async () => {
      const reader = await open();
      const { page } = reader;
      await reader.choose(GOOD);
      await page.keyboard.press("Shift+ArrowRight");
      assert.equal(await current(reader), 0);
      await page.focus(".pages a");
      await page.keyboard.press("ArrowRight");
      assert.equal(await current(reader), 0);
      await page.evaluate(() => {
        /** @type {HTMLElement} */ (document.activeElement).blur();
        getSelection()?.selectAllChildren(/** @type {Element} */ (document.querySelector("h1")));
      });
      await page.keyboard.press("ArrowRight");
      assert.equal(await current(reader), 0);
      await page.evaluate(() => getSelection()?.removeAllRanges());
      await page.keyboard.press("ArrowRight");
      assert.equal(await current(reader), 1);
      await reader.close();
    });

    test("pastes the text of a spreadsheet cell into a text field", async () => {
      const reader = await open();
      await reader.settled();
      const paste = (/** @type {string} */ selector) =>
        reader.page.evaluate((to) => {
          const data = new DataTransfer();
          data.setData("text/plain", "whale");
          data.items.add(new File([new Uint8Array(9)], "cell.png", { type: "image/png" }));
          const event = new ClipboardEvent("paste", {
            bubbles: true,
            cancelable: true,
            clipboardData: data,
          });
          document.querySelector(to)?.dispatchEvent(event);
          return event.defaultPrevented;
        }, selector);
      assert.equal(await paste("#generator-text"), false, "the field takes the words");
      assert.equal(await reader.page.getAttribute("body", "data-state"), "ready");
      assert.equal(await paste("body"), true, "elsewhere it is an image");
      await reader.close();
    });

    test("shows the attention of the hovered, focused or clicked character", async () => {
      const reader = await open();
      await reader.choose(GOOD);
      const first = await overlay(reader);
      await reader.page.hover("[data-character-index='3']");
      assert.equal(await current(reader), 3);
      assert.notEqual(await overlay(reader), first);
      await reader.page.hover("h1");
      assert.equal(await current(reader), 0);
      assert.equal(await overlay(reader), first);
      await reader.page.click("[data-character-index='2']");
      await reader.page.hover("h1");
      assert.equal(await current(reader), 2);
      assert.deepEqual(await candidates(reader), ["u 87.1%", "o 7.7%", "end of text 3.9%"]);
      await reader.page.keyboard.press("Tab");
      assert.equal(await current(reader), 3);
      // Hovering does not move the focus and does not change the pinned character.
      await reader.page.hover("[data-character-index='0']");
      assert.equal(await current(reader), 0);
      await reader.page.hover("h1");
      assert.equal(await current(reader), 3);
      await reader.close();
    });

    test("switches smoothing and changes the opacity of the heatmap", async () => {
      const reader = await open();
      await reader.choose(GOOD);
      const size = () =>
        reader.page.locator("#overlay").evaluate((canvas) => {
          const { width, height } = /** @type {HTMLCanvasElement} */ (canvas);
          return [width, height];
        });
      const [width, height] = await size();
      assert.ok(width > 12 && height > 6);
      await reader.page.click("#smooth-toggle");
      assert.deepEqual(await size(), [12, 6]);
      await reader.page.fill("#opacity", "0.3");
      const opacity = await reader.page
        .locator("#overlay")
        .evaluate((canvas) => getComputedStyle(canvas).opacity);
      assert.equal(opacity, "0.3");
      await reader.close();
    });

    test("continues the playback from the slider position", async () => {
      const reader = await open({ reducedMotion: "no-preference" });
      await reader.settled();
      await stopClock(reader.page);
      await reader.choose(GOOD);
      await reader.page.fill("#scrub", "3");
      assert.equal(await current(reader), 2);
      assert.match(
        (await reader.page.getAttribute("#scrub", "aria-valuetext")) ?? "",
        /^u, 3 of 4/,
      );
      await reader.page.selectOption("#speed", "2");
      await reader.page.fill("#scrub", "1");
      await reader.page.click("#play");
      await reader.page.clock.runFor((WORD.length * CHARACTER) / 2 - 1);
      assert.equal(await reader.page.textContent("#play"), "Pause");
      await reader.page.clock.runFor(1);
      assert.equal(await reader.page.textContent("#play"), "Play");
      assert.equal(await reader.page.inputValue("#scrub"), "4");
      await reader.close();
    });

    test("exports the text, the figure and the JSON", async () => {
      const reader = await open({ permissions: ["clipboard-read", "clipboard-write"] });
      assert.ok(await reader.page.locator("#export").isHidden());
      await reader.choose(GOOD);
      await reader.page.click("#copy");
      await reader.page.waitForSelector("#copy:text('Copied')");
      assert.equal(await reader.page.evaluate(() => navigator.clipboard.readText()), WORD);

      const kept = async (/** @type {string} */ kind) => {
        const [download] = await Promise.all([
          reader.page.waitForEvent("download"),
          reader.page.click(`#export-${kind}`),
        ]);
        assert.equal(download.suggestedFilename(), `captcha-lens-${WORD}.${kind}`);
        return readFile(await download.path());
      };
      const svg = (await kept("svg")).toString();
      assert.equal(svg.match(/<image /g)?.length, 2 * WORD.length);
      assert.match(svg, /<title>thus, 85\.3/);
      const picture = await kept("png");
      assert.equal(picture.toString("latin1", 1, 4), "PNG");
      // Four panels of 280 with gaps of 16, at a scale of two.
      assert.equal(picture.readUInt32BE(16), 2 * (4 * (280 + 16) + 16));
      const panels = await panelsOf(reader.page, picture);
      assert.equal(panels.length, WORD.length);
      for (const { least, most } of panels) assert.ok(most - least > 60, `${least} to ${most}`);
      assert.equal(new Set(panels.map(({ squares }) => String(squares))).size, WORD.length);
      const json = JSON.parse((await kept("json")).toString());
      assert.equal(json.text, WORD);
      assert.equal(json.characters[0].attention.length, 72);

      await reader.choose(faulty("unsure"));
      const unsure = (await kept("svg")).toString();
      const title = await reader.page.evaluate(
        (text) => new DOMParser().parseFromString(text, "image/svg+xml").title,
        unsure,
      );
      assert.match(title, /^Probably not a text CAPTCHA .+\. Best guess: thus, <0\.1/);
      assert.match(unsure, /<text [^>]*>Best guess: thus, /, "to see, too");
      assert.equal((await kept("png")).toString("latin1", 1, 4), "PNG");
      await reader.close();
    });

    test("names an export after its reading and says so when it fails", async () => {
      const reader = await open({ permissions: ["clipboard-read", "clipboard-write"] });
      const { page } = reader;
      await reader.choose(GOOD);
      await page.click("#copy");
      await page.waitForSelector("#copy:text('Copied')");
      await page.click("#copy");
      await page.waitForSelector("#copy:text('Copy')");

      await page.evaluate(holdDecoding);
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page
          .click("#export-png")
          .then(() => page.setInputFiles("#file-input", faulty("panic")))
          .then(() => page.evaluate(() => /** @type {any} */ (globalThis).release())),
      ]);
      assert.equal(download.suggestedFilename(), `captcha-lens-${WORD}.png`);

      await reader.choose(GOOD);
      await page.evaluate(() => {
        OffscreenCanvas.prototype.convertToBlob = () => Promise.reject(new Error("no"));
      });
      await page.click("#export-png");
      await page.waitForSelector("#export-png:text('Could not save')");
      await page.waitForSelector("#export-png:text('PNG')");
      assert.deepEqual(
        reader.watched.complaints.filter((words) => words.includes("no")),
        [],
      );
      await reader.close();
    });

    test("shows and announces an uncertain reading as uncertain", async () => {
      const reader = await open();
      const { page } = reader;
      const size = () =>
        page.locator("#word").evaluate((word) => parseFloat(getComputedStyle(word).fontSize));
      const seen = async () => (await page.innerText("#reading")).split(/\s*\n\s*/).join(" | ");
      const said = async () =>
        ((await page.textContent("#status")) ?? "").trim().replaceAll("\u202f", " ");

      await reader.choose(GOOD);
      const sure = await size();
      assert.match(await seen(), /^RESULT \| thus \| 85\.3% confidence$/i);
      assert.match(await said(), /^Read in 13 ms \(first reading\): thus, .+ 85\.3% confidence$/);
      await reader.choose(GOOD);
      assert.match(await said(), /^Read in 13 ms: /);

      await reader.choose(faulty("doubtful"));
      assert.match(await seen(), /^UNCERTAIN RESULT \| thus \| 46\.1% confidence$/i);
      assert.match(await said(), /: Uncertain result: thus, spelt t h u s, 46\.1% confidence$/);
      const doubtful = await size();
      assert.ok(doubtful < sure);

      await reader.choose(faulty("unsure"));
      const verdict =
        /^Probably not a text CAPTCHA that this model can read \| BEST GUESS \| thus/i;
      assert.match(await seen(), verdict);
      assert.match(await said(), /: Probably not .+\. Best guess: thus, .+<0\.1% confidence/);
      assert.ok((await size()) < doubtful);
      await reader.close();
    });

    test("says that no text was found or that the image is blank", async () => {
      const reader = await open();
      const { page } = reader;
      const seen = async () => (await page.innerText("#reading")).trim();
      for (const [fault, words] of /** @type {const} */ ([
        ["blank", /^The image is blank$/],
        ["nothing", /^No text found\s+Crop the image .+$/],
      ])) {
        assert.equal(await reader.choose(faulty(fault)), "done");
        assert.match(await seen(), words);
        const status = await page.textContent("#status-text");
        assert.match((await seen()).replace(/\n.*/s, ""), new RegExp(`^${status}$`));
        assert.ok(await page.isHidden("#alternatives"), "nothing else that it could be");
        assert.doesNotMatch(await page.innerText(".reader"), /\bconfidence\b|99\.8/);
      }
      await reader.close();
    });

    test("plays one character at a time unless reduced motion is set", async () => {
      const reader = await open({ reducedMotion: "no-preference" });
      await reader.settled();
      const { clock } = reader.page;
      await stopClock(reader.page);
      await reader.choose(GOOD);
      const unread = reader.page.locator("#characters .pending");
      for (let character = 0; character < WORD.length; character++) {
        assert.equal(await current(reader), character);
        assert.equal(await unread.count(), WORD.length - 1 - character, "still to come");
        assert.equal(await reader.page.textContent("#play"), "Pause");
        await clock.runFor(CHARACTER);
      }
      assert.equal(await reader.page.textContent("#play"), "Play");
      assert.equal(await current(reader), WORD.length - 1);
      await reader.page.click("#play");
      assert.equal(await current(reader), 0, "from the start");
      await reader.close();

      const still = await open();
      await still.choose(GOOD);
      assert.equal(await still.page.locator("#characters .pending").count(), 0);
      await still.close();
    });
  });

  describe("accessibility", () => {
    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      test(`has no accessibility violations in ${colorScheme} mode`, async () => {
        const reader = await open({ colorScheme });
        const axe = await readFile(AXE, "utf8");
        for (const file of [undefined, GOOD, png(Buffer.from("no image"))]) {
          if (file) await reader.choose(file);
          else await reader.settled();
          await reader.page.evaluate(axe);
          const { violations } = await reader.page.evaluate(() =>
            /** @type {any} */ (globalThis).axe.run(),
          );
          const found = violations.map((/** @type {any} */ { id, nodes }) => [
            id,
            nodes.map((/** @type {any} */ { html }) => html),
          ]);
          assert.deepEqual(found, []);
        }
        await reader.close();
      });
    }

    test("shows transparency on white and announces notes", async () => {
      const reader = await open({ colorScheme: "dark" });
      await reader.choose(GOOD);
      for (const picture of ["#picture", ".thumb img"]) {
        const ground = await reader.page
          .locator(picture)
          .first()
          .evaluate((image) => getComputedStyle(image).backgroundColor);
        assert.equal(ground, "rgb(255, 255, 255)", picture);
      }
      // Also while it is empty.
      const note = reader.page.locator("#note");
      assert.equal(await note.getAttribute("role"), "status");
      assert.notEqual(await note.evaluate((one) => getComputedStyle(one).display), "none");
      await reader.close();
    });

    test("keeps characters over their positions and untranslated in any language", async () => {
      const reader = await open();
      const { page } = reader;
      await reader.choose(GOOD);
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
      await reader.close();
    });

    test("keeps list semantics and announces a copy", async () => {
      const reader = await open({ permissions: ["clipboard-read", "clipboard-write"] });
      await reader.choose(GOOD);
      const unnamed = await reader.page
        .locator("main :is(ol, ul):not([role=list])")
        .evaluateAll((lists) =>
          lists
            .filter((list) => getComputedStyle(list).listStyleType === "none")
            .map((list) => list.id || list.className),
        );
      assert.deepEqual(unnamed, []);
      assert.equal(await reader.page.getAttribute("#export-status", "role"), "status");
      await reader.page.click("#copy");
      await reader.page.waitForSelector("#export-status:text('Copied')", { state: "attached" });
      await reader.close();
    });

    test("prints the whole reading without controls", async () => {
      const reader = await open({ reducedMotion: "no-preference" });
      await reader.settled();
      await stopClock(reader.page);
      assert.equal(await reader.choose(GOOD), "done");
      const unread = () => reader.page.locator(".pending").count();
      assert.ok((await unread()) > 0, "it plays");
      const pdf = await reader.page.pdf({ format: "A4" });
      assert.equal(await unread(), 0);
      const pages = pagesOf(pdf);
      assert.ok(1 <= pages && pages <= 4, `${pages} pages`);
      await reader.page.emulateMedia({ media: "print" });
      assert.equal(
        await reader.page.locator("button:visible:not(.character):not([tabindex])").count(),
        0,
      );
      await reader.page.emulateMedia({ media: "screen" });
      await reader.page.click("#crop");
      await reader.page.waitForSelector("#cropper:visible");
      assert.ok(await reader.page.locator("#picture").isHidden());
      await reader.page.emulateMedia({ media: "print" });
      assert.ok(await reader.page.locator("#picture").isVisible());
      assert.ok(await reader.page.locator("#cropper").isHidden());
      await reader.close();
    });

    for (const [width, size] of WIDTHS) {
      test(`needs no horizontal scrolling at ${width} pixels with text of ${size}%`, async () => {
        const reader = await open({ viewport: { width, height: 700 } });
        await resizeText(reader.page, size);
        for (const file of [undefined, GOOD, png(Buffer.from("no image"))]) {
          if (file) await reader.choose(file);
          else await reader.settled();
          assert.ok(await fitsWidth(reader.page), file?.name ?? "at first");
        }
        await reader.close();
      });
    }
  });
});

/** @param {LensPage} reader */
const candidates = async (reader) =>
  (await reader.page.locator("#candidates li").allInnerTexts()).map((row) =>
    row.split(/\s*\n\s*/).join(" "),
  );

/** @param {Buffer} pdf */
const pagesOf = (pdf) => (pdf.toString("latin1").match(/\/Type \/Page\b/g) ?? []).length;

/**
 * The current character. All parts of the page must agree.
 *
 * @param {LensPage} reader
 */
function current(reader) {
  return reader.page.evaluate(() => {
    /** @param {string} selector */
    const at = (selector) =>
      [...document.querySelectorAll(selector)].findIndex(
        (element) =>
          element.classList.contains("current") || element.getAttribute("aria-pressed") === "true",
      );
    const places = [
      at("#word > span"),
      at("#character-labels > span"),
      at("[data-character-index]"),
    ];
    if (new Set(places).size > 1) throw new Error(`the parts disagree: ${places}`);
    return places[0];
  });
}

/**
 * The heatmap over the image.
 *
 * @param {LensPage} reader
 */
function overlay(reader) {
  return reader.page.locator("#overlay").evaluate((canvas) => {
    return /** @type {HTMLCanvasElement} */ (canvas).toDataURL();
  });
}

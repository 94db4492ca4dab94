// @ts-check
/** How the page shows a reading, with the fake engine. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stopClock } from "./browser.mjs";
import { GOOD_IMAGE, imageWithFault, serveFakeLens, WORD } from "./fake/lens-suite.mjs";

/** @import { LensPage } from "./lens-page.mjs" */

/** Milliseconds for which the playback shows a character. */
const CHARACTER = 900;

describe("reading", () => {
  const { open } = serveFakeLens();

  describe("controls", () => {
    test("steps through the characters with the arrow keys", async () => {
      const lens = await open();
      await lens.choose(GOOD_IMAGE);
      assert.equal(await current(lens), 0);
      await lens.page.keyboard.press("ArrowRight");
      await lens.page.keyboard.press("ArrowRight");
      assert.equal(await current(lens), 2);
      await lens.page.keyboard.press("ArrowLeft");
      assert.equal(await current(lens), 1);
      await lens.page.click("#smooth-toggle"); // a checkbox does not use the arrow keys
      for (let i = 0; i < 9; i++) await lens.page.keyboard.press("ArrowRight");
      assert.equal(await current(lens), WORD.length - 1);
      await lens.close();
    });

    test("leaves pasted text and arrow keys to the focused field", async () => {
      const lens = await open({ permissions: ["clipboard-read", "clipboard-write"] });
      await lens.choose(GOOD_IMAGE);
      await lens.page.evaluate(() => {
        const panel = /** @type {HTMLElement} */ (document.querySelector("#generator"));
        panel.hidden = false; // the fake engine has no generator
        return navigator.clipboard.writeText("whale");
      });
      await lens.page.focus("#generator-text");
      await lens.page.keyboard.press("ArrowRight");
      assert.equal(await current(lens), 0);
      await lens.page.keyboard.press("Control+V");
      assert.equal(await lens.page.inputValue("#generator-text"), "whale");
      await lens.close();
    });

    test("leaves arrow keys to a text selection and to other focused elements", async () => {
      const lens = await open();
      const { page } = lens;
      await lens.choose(GOOD_IMAGE);
      await page.keyboard.press("Shift+ArrowRight");
      assert.equal(await current(lens), 0);
      await page.focus(".pages a");
      await page.keyboard.press("ArrowRight");
      assert.equal(await current(lens), 0);
      await page.evaluate(() => {
        /** @type {HTMLElement} */ (document.activeElement).blur();
        getSelection()?.selectAllChildren(/** @type {Element} */ (document.querySelector("h1")));
      });
      await page.keyboard.press("ArrowRight");
      assert.equal(await current(lens), 0);
      await page.evaluate(() => getSelection()?.removeAllRanges());
      await page.keyboard.press("ArrowRight");
      assert.equal(await current(lens), 1);
      await lens.close();
    });

    test("pastes the text of a spreadsheet cell into a text field", async () => {
      const lens = await open();
      await lens.waitUntilSettled();
      const paste = (/** @type {string} */ selector) =>
        lens.page.evaluate((to) => {
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
      assert.equal(await lens.page.getAttribute("body", "data-state"), "ready");
      assert.equal(await paste("body"), true, "elsewhere it is an image");
      await lens.close();
    });

    test("shows the attention of the hovered, focused or clicked character", async () => {
      const lens = await open();
      await lens.choose(GOOD_IMAGE);
      const first = await overlay(lens);
      await lens.page.hover("[data-character-index='3']");
      assert.equal(await current(lens), 3);
      assert.notEqual(await overlay(lens), first);
      await lens.page.hover("h1");
      assert.equal(await current(lens), 0);
      assert.equal(await overlay(lens), first);
      await lens.page.click("[data-character-index='2']");
      await lens.page.hover("h1");
      assert.equal(await current(lens), 2);
      assert.deepEqual(await candidates(lens), ["u 87.1%", "o 7.7%", "end of text 3.9%"]);
      await lens.page.keyboard.press("Tab");
      assert.equal(await current(lens), 3);
      // Hovering does not move the focus and does not change the pinned character.
      await lens.page.hover("[data-character-index='0']");
      assert.equal(await current(lens), 0);
      await lens.page.hover("h1");
      assert.equal(await current(lens), 3);
      await lens.close();
    });

    test("continues the playback from the slider position", async () => {
      const lens = await open({ reducedMotion: "no-preference" });
      await lens.waitUntilSettled();
      await stopClock(lens.page);
      await lens.choose(GOOD_IMAGE);
      await lens.page.fill("#scrub", "3");
      assert.equal(await current(lens), 2);
      assert.match((await lens.page.getAttribute("#scrub", "aria-valuetext")) ?? "", /^u, 3 of 4/);
      await lens.page.selectOption("#speed", "2");
      await lens.page.fill("#scrub", "1");
      await lens.page.click("#play");
      await lens.page.clock.runFor((WORD.length * CHARACTER) / 2 - 1);
      assert.equal(await lens.page.textContent("#play"), "Pause");
      await lens.page.clock.runFor(1);
      assert.equal(await lens.page.textContent("#play"), "Play");
      assert.equal(await lens.page.inputValue("#scrub"), "4");
      await lens.close();
    });

    test("shows and announces an uncertain reading as uncertain", async () => {
      const lens = await open();
      const { page } = lens;
      const size = () =>
        page.locator("#word").evaluate((word) => parseFloat(getComputedStyle(word).fontSize));
      const visibleText = async () =>
        (await page.innerText("#reading")).split(/\s*\n\s*/).join(" | ");
      const statusText = async () =>
        ((await page.textContent("#status")) ?? "").trim().replaceAll("\u202f", " ");

      await lens.choose(GOOD_IMAGE);
      const sure = await size();
      assert.match(await visibleText(), /^RESULT \| thus \| 85\.3% confidence$/i);
      assert.match(
        await statusText(),
        /^Read in 13 ms \(first reading\): thus, .+ 85\.3% confidence$/,
      );
      await lens.choose(GOOD_IMAGE);
      assert.match(await statusText(), /^Read in 13 ms: /);

      await lens.choose(imageWithFault("mediumConfidence"));
      assert.match(await visibleText(), /^UNCERTAIN RESULT \| thus \| 46\.1% confidence$/i);
      assert.match(
        await statusText(),
        /: Uncertain result: thus, spelt t h u s, 46\.1% confidence$/,
      );
      const doubtful = await size();
      assert.ok(doubtful < sure);

      await lens.choose(imageWithFault("lowConfidence"));
      const verdict =
        /^Probably not a text CAPTCHA that this model can read \| BEST GUESS \| thus/i;
      assert.match(await visibleText(), verdict);
      assert.match(await statusText(), /: Probably not .+\. Best guess: thus, .+<0\.1% confidence/);
      assert.ok((await size()) < doubtful);
      await lens.close();
    });

    test("says that no text was found or that the image is blank", async () => {
      const lens = await open();
      const { page } = lens;
      const visibleText = async () => (await page.innerText("#reading")).trim();
      for (const [fault, words] of /** @type {const} */ ([
        ["blank", /^The image is blank$/],
        ["noText", /^No text found\s+Crop the image .+$/],
      ])) {
        assert.equal(await lens.choose(imageWithFault(fault)), "done");
        assert.match(await visibleText(), words);
        const status = await page.textContent("#status-text");
        assert.match((await visibleText()).replace(/\n.*/s, ""), new RegExp(`^${status}$`));
        assert.ok(await page.isHidden("#alternatives"), "nothing else that it could be");
        assert.doesNotMatch(await page.innerText(".reader"), /\bconfidence\b|99\.8/);
      }
      await lens.close();
    });

    test("plays one character at a time unless reduced motion is set", async () => {
      const lens = await open({ reducedMotion: "no-preference" });
      await lens.waitUntilSettled();
      const { clock } = lens.page;
      await stopClock(lens.page);
      await lens.choose(GOOD_IMAGE);
      const unread = lens.page.locator("#characters .pending");
      for (let character = 0; character < WORD.length; character++) {
        assert.equal(await current(lens), character);
        assert.equal(await unread.count(), WORD.length - 1 - character, "still to come");
        assert.equal(await lens.page.textContent("#play"), "Pause");
        await clock.runFor(CHARACTER);
      }
      assert.equal(await lens.page.textContent("#play"), "Play");
      assert.equal(await current(lens), WORD.length - 1);
      await lens.page.click("#play");
      assert.equal(await current(lens), 0, "from the start");
      await lens.close();

      const still = await open();
      await still.choose(GOOD_IMAGE);
      assert.equal(await still.page.locator("#characters .pending").count(), 0);
      await still.close();
    });
  });
});

/** @param {LensPage} lens */
const candidates = async (lens) =>
  (await lens.page.locator("#candidates li").allInnerTexts()).map((row) =>
    row.split(/\s*\n\s*/).join(" "),
  );

/**
 * The current character. All parts of the page must agree.
 *
 * @param {LensPage} lens
 */
function current(lens) {
  return lens.page.evaluate(() => {
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
 * @param {LensPage} lens
 */
function overlay(lens) {
  return lens.page.locator("#overlay").evaluate((canvas) => {
    return /** @type {HTMLCanvasElement} */ (canvas).toDataURL();
  });
}

// @ts-check
/** Images that come to the lens page, with the fake engine. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { holdRequest, holdDecoding, stopClock } from "./browser.mjs";
import { blankPng, largePng } from "./images.mjs";
import { png } from "./lens-page.mjs";
import { GOOD_IMAGE, imageWithFault, serveFakeLens, WORD } from "./fake/lens-suite.mjs";

describe("lens page", () => {
  const { open, address } = serveFakeLens();

  describe("image input", () => {
    test("scrolls into view on a phone, without animation when reduced motion is set", async () => {
      for (const reducedMotion of /** @type {const} */ (["reduce", "no-preference"])) {
        const lens = await open({ viewport: { width: 360, height: 740 }, reducedMotion });
        const { page } = lens;
        await lens.waitUntilSettled();
        await page.evaluate(recordScrolling);
        await page.locator("#samples button").first().click();
        await page.waitForSelector("#samples button[aria-pressed=true]");
        assert.equal(await lens.waitUntilSettled(), "done");
        await page.waitForFunction(() => {
          const frame = /** @type {Element} */ (document.querySelector("#frame"));
          const { top, bottom } = frame.getBoundingClientRect();
          return top >= 0 && bottom <= innerHeight;
        });
        const how = await page.evaluate(() => /** @type {any} */ (globalThis).scrolled);
        assert.deepEqual(how, [reducedMotion === "reduce" ? "auto" : "smooth"]);
        // A low image fits below the samples until the characters above it appear.
        await page.evaluate(() => scrollTo(0, 0));
        assert.equal(await lens.choose(png(blankPng(200, 80))), "done");
        await page.waitForFunction(() => {
          const frame = /** @type {Element} */ (document.querySelector("#frame"));
          return frame.getBoundingClientRect().bottom <= innerHeight;
        });
        await lens.close();
      }
    });

    test("renders SVG of any size without running scripts or loading files", async () => {
      const lens = await open();
      const svg = (/** @type {string} */ attributes) => ({
        name: "captcha.svg",
        mimeType: "image/svg+xml",
        buffer: Buffer.from(
          `<svg ${attributes}><style>rect{stroke:red}</style><script>parent.ran = 1</script>` +
            `<image href="${address()}asked.png" width="9" height="9"/><rect width="100%" height="100%" fill="#eee"/></svg>`,
        ),
      });
      const xmlns = 'xmlns="http://www.w3.org/2000/svg"';
      /** @type {string[]} */
      const requests = [];
      lens.page.on("request", (request) => requests.push(request.url()));
      for (const [attributes, width, height] of /** @type {const} */ ([
        [`${xmlns} width="150" height="50" viewBox="0,0,150,50"`, 600, 200],
        [`${xmlns} viewBox="0 0 80 40"`, 600, 300],
        ['width="200px" height="100px"', 600, 300],
        [`${xmlns} width="100%" viewBox="0 0 9000 4500"`, 2400, 1200],
        [xmlns, 600, 300],
      ])) {
        assert.equal(await lens.choose(svg(attributes)), "done", attributes);
        const result = await lens.result();
        assert.deepEqual([result.width, result.height], [width, height], attributes);
        assert.ok(await lens.page.isVisible("#picture"));
      }
      // SVG is also recognized by its content.
      const unnamed = { ...svg(xmlns), name: "captcha", mimeType: "" };
      assert.equal(await lens.dispatchFiles("drop", unnamed), "done");
      assert.equal((await lens.result()).width, 600);
      assert.equal(await lens.page.evaluate(() => "ran" in globalThis), false);
      assert.deepEqual(
        requests.filter((url) => url.includes("asked")),
        [],
      );
      const damaged = { ...svg(xmlns), buffer: Buffer.from("<svg><path</svg>") };
      assert.equal(await lens.choose(damaged), "error");
      assert.equal((await lens.error()).code, "unreadable-image");
      assert.match((await lens.error()).message, /SVG/);
      await lens.close();
    });

    test("rejects or shrinks an image with too many pixels before decoding it", async () => {
      const lens = await open();
      assert.equal(await lens.choose(png(largePng(12_000, 12_000))), "error");
      const { code, message } = await lens.error();
      assert.equal(code, "image-too-large");
      assert.match(message, /12000 × 12000 pixels, at most 120 megapixels/);
      assert.equal(await lens.choose(png(largePng(1000, 41_000))), "done");
      const { width, height } = await lens.result();
      assert.ok(width * height < 16_100_000 && width > 600, `${width} x ${height}`);
      assert.match((await lens.page.textContent("#note")) ?? "", /1000 × 41000 pixels/);
      const shown = await lens.page.locator("#picture").evaluate(naturalWidth);
      assert.equal(shown, width, "the page shows what is read");
      await lens.close();
    });

    test("is read after loading when it was chosen during loading", async () => {
      const lens = await open();
      assert.equal(await lens.page.getAttribute("body", "data-state"), "loading");
      assert.equal(await lens.choose(GOOD_IMAGE), "done");
      assert.equal(await lens.word(), WORD);
      await lens.close();
    });

    test("replaces an image that is still being read", async () => {
      const lens = await open();
      await lens.waitUntilSettled();
      const first = await holdRequest(lens.page, "**/held");
      await lens.page.setInputFiles("#file-input", imageWithFault("held"));
      await first.requested;
      await lens.page.setInputFiles("#file-input", GOOD_IMAGE);
      first.release(); // its response comes first, because one worker reads both
      assert.equal(await lens.waitUntilSettled(), "done");
      assert.equal((await lens.result()).width, 200);
      assert.equal(await lens.page.locator("#picture").evaluate(naturalWidth), 200);
      await lens.close();
    });

    test("clears the retry of an earlier error when a new image arrives", async () => {
      const lens = await open({ query: "?backend=cpu" });
      const { page } = lens;
      await lens.waitUntilSettled();
      assert.equal(await lens.choose(imageWithFault("panic")), "error");
      const sample = await holdRequest(page, "**/samples/*.png");
      await page.locator("#samples button").first().click();
      assert.equal(await page.getAttribute("body", "data-state"), "reading");
      assert.ok(await page.isHidden("#retry"));
      sample.release();
      await page.waitForSelector("#samples button[aria-pressed=true]");
      assert.equal(await lens.waitUntilSettled(), "done");
      assert.equal((await lens.result()).width, 600);
      await lens.close();
    });

    test("is read by the backend that was selected while it was opened", async () => {
      const lens = await open({ query: "?backend=cpu" });
      const { page } = lens;
      await lens.waitUntilSettled();
      await lens.choose(GOOD_IMAGE);
      const sample = await holdRequest(page, "**/samples/*.png");
      await page.locator("#samples button").first().click();
      await page.selectOption("#backend", "webgpu");
      sample.release();
      await page.waitForSelector("#samples button[aria-pressed=true]");
      assert.equal(await lens.waitUntilSettled(), "done");
      assert.equal((await lens.result()).width, 600);
      assert.equal((await lens.result()).backend.kind, "webgpu");
      await lens.close();
    });

    test("keeps the reading when the browser blocks the clipboard", async () => {
      const lens = await open();
      const { page } = lens;
      await lens.choose(GOOD_IMAGE);
      await page.evaluate(() => {
        navigator.clipboard.read = () => Promise.reject(new DOMException("", "NotAllowedError"));
      });
      await page.click("#paste");
      await page.waitForSelector("#note:text('clipboard')");
      assert.equal(await lens.waitUntilSettled(), "done");
      assert.equal(await lens.word(), WORD);
      await page.evaluate(() => {
        const getType = () => Promise.reject(new DOMException("", "DataError"));
        const item = /** @type {any} */ ({ types: ["image/png"], getType });
        navigator.clipboard.read = async () => [item];
      });
      await page.click("#paste");
      assert.equal(await lens.waitUntilSettled(), "done");
      assert.equal(await lens.word(), WORD);
      assert.equal(await lens.choose(GOOD_IMAGE), "done");
      assert.ok(await page.isHidden("#note"));
      await lens.close();
    });

    test("keeps the current image when the input is not an image", async () => {
      const lens = await open();
      const { page } = lens;
      await lens.waitUntilSettled();
      await lens.dispatchFiles("paste"); // an empty clipboard
      assert.equal((await lens.error()).code, "not-a-file");
      await page.evaluate(holdDecoding);
      await page.setInputFiles("#file-input", GOOD_IMAGE);
      const handed = lens.dispatchFiles("paste");
      const note = async () => (await page.textContent("#note")) ?? "";
      await page.waitForSelector("#note:text('clipboard contains no image')");
      await page.evaluate(() => /** @type {any} */ (globalThis).release());
      assert.equal(await handed, "done");
      assert.match(await note(), /clipboard contains no image/);
      assert.equal(await lens.word(), WORD);
      await lens.dispatchFiles("drop", png(Buffer.from("no image"), "words.txt"));
      assert.equal((await lens.error()).code, "unreadable-image");
      assert.equal(await note(), "");

      assert.equal(await lens.choose(GOOD_IMAGE), "done");
      const status = await page.textContent("#status-text");
      await page.locator(".about").scrollIntoViewIfNeeded();
      assert.equal(await lens.dispatchFiles("paste"), "done");
      assert.match(await note(), /clipboard contains no image/);
      assert.ok(await inSight(page, "#note"), "wherever the page is");
      assert.equal((await lens.error()).shown, false);
      assert.equal(await page.textContent("#status-text"), status);
      assert.equal(await lens.word(), WORD);
      assert.ok(await page.locator("#picture").isVisible());
      assert.equal(await lens.choose(GOOD_IMAGE), "done");
      assert.equal((await lens.error()).shown, false);
      await lens.close();
    });

    test("keeps its reading inert while another backend loads", async () => {
      const lens = await open({ query: "?backend=cpu", reducedMotion: "no-preference" });
      const { page } = lens;
      await lens.waitUntilSettled();
      await stopClock(page);
      await lens.choose(GOOD_IMAGE);
      assert.ok((await page.locator(".pending").count()) > 0, "it plays");
      const other = await holdRequest(page, "**/captcha_wasm_bg.wasm");
      await page.selectOption("#backend", "webgpu");
      assert.equal(await lens.word(), WORD);
      assert.equal(await page.locator(".pending").count(), 0);
      assert.ok(await page.locator("#reading[inert]").isVisible());
      await page.waitForSelector("body[data-state=loading]");
      other.release();
      assert.equal(await lens.waitUntilSettled(), "done");
      assert.equal((await lens.result()).backend.kind, "webgpu");
      assert.equal(await page.locator("[inert]").count(), 0);
      await lens.close();
    });
  });
});

/**
 * Whether an element is inside the viewport.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} selector
 */
const inSight = (page, selector) =>
  page.locator(selector).evaluate((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });

/** Runs in the page: records the scroll calls. */
function recordScrolling() {
  /** @type {unknown[]} */
  const scrolled = [];
  Object.assign(globalThis, { scrolled });
  const { scrollIntoView } = Element.prototype;
  Element.prototype.scrollIntoView = function (how) {
    scrolled.push(typeof how === "object" && how.behavior);
    scrollIntoView.call(this, how);
  };
}

/** @param {any} picture */
const naturalWidth = (picture) => picture.naturalWidth;

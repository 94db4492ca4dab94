// @ts-check
/** The lens page with the real engine, in a browser without WebGPU. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { blankBmp, blankPng, hugePng } from "./images.mjs";
import { meter } from "./meter.mjs";
import { LensPage, WEB, png, sampleFile, samples } from "./lens-page.mjs";
import { SOURCES, serve } from "./site.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

describe("lens page on the CPU", () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import("playwright-core").Browser} */
  let browser;
  /** @type {LensPage} */
  let lens;
  /** @type {{ file: string, text: string }[]} */
  let shipped;

  before(async () => {
    site = await serve({ base: "/some/where/" });
    browser = await launch({ webgpu: false });
    shipped = await samples();
    lens = await LensPage.open(browser, site.address);
  });
  after(async () => {
    await browser.close();
    await site.close();
  });

  /** An error must cost one reading only. @param {string} code */
  async function failedWith(code) {
    const error = await lens.error();
    assert.deepEqual({ shown: error.shown, code: error.code }, { shown: true, code });
    assert.match(error.message, /^[A-Z].{20,}[.]$/, "a sentence");
    const [good] = shipped;
    assert.equal(await lens.choose(await sampleFile(good.file)), "done");
    assert.equal(await lens.word(), good.text);
    assert.equal((await lens.error()).shown, false);
  }

  test("uses the CPU and gives the reason when there is no WebGPU", async () => {
    assert.equal(await lens.waitUntilSettled(), "ready");
    await lens.page.waitForSelector("#reason:text('No WebGPU')");
    assert.equal(await lens.page.getAttribute("#badge", "data-kind"), "cpu");
    assert.match((await lens.page.textContent("#reason")) ?? "", /WebGPU: .{10,}/);
  });

  test("reads the six samples", async () => {
    assert.equal(shipped.length, 6);
    for (const { file, text } of shipped) {
      assert.equal(await lens.chooseSample(file), "done");
      assert.equal(await lens.word(), text);
    }
  });

  test("describes each character for screen readers", async () => {
    const { file, text } = shipped[0];
    await lens.chooseSample(file);
    const { characters, grid, confidence, milliseconds, width, height } = await lens.result();
    assert.equal(characters.map((/** @type {any} */ { character }) => character).join(""), text);
    for (const { attention } of characters) {
      assert.equal(attention.length, grid.rows * grid.cols);
      const sum = attention.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0);
      assert.ok(Math.abs(sum - 1) < 1e-3);
    }
    assert.ok(confidence > 0 && confidence <= 1);
    assert.ok(milliseconds.total > 0);
    const { buffer } = await sampleFile(file);
    assert.deepEqual([width, height], [buffer.readUInt32BE(16), buffer.readUInt32BE(20)]);
    const labels = await lens.page
      .locator("[data-character-index]")
      .evaluateAll((buttons) => buttons.map((button) => button.getAttribute("aria-label") ?? ""));
    assert.equal(labels.length, text.length);
    assert.match(
      labels[1],
      new RegExp(
        `^Character 2 of ${text.length}: ${text[1]}, .*%, (focused on|spread over) [\\d.]+ of 144 cells, columns? \\d`,
      ),
    );
  });

  test("reads a chosen, a pasted and a dropped image", async () => {
    for (const [i, way] of /** @type {const} */ (["upload", "paste", "drop"]).entries()) {
      const { file, text } = shipped[i];
      const image = await sampleFile(file);
      const state = await (way === "upload" ? lens.choose(image) : lens.dispatchFiles(way, image));
      assert.equal(state, "done", way);
      assert.equal(await lens.word(), text, way);
    }
  });

  test("reads a file dragged from the desktop", async () => {
    const { file, text } = shipped[4];
    await lens.drag(join(WEB, "samples", file));
    await lens.page.waitForFunction(
      (wanted) => document.querySelector("#word")?.textContent === wanted,
      text,
    );
  });

  test("reads the clipboard on Ctrl+V and on a click", async () => {
    await lens.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const ways = [() => lens.page.keyboard.press("Control+V"), () => lens.page.click("#paste")];
    for (const [i, paste] of ways.entries()) {
      const { file, text } = shipped[3 + i];
      await lens.page.evaluate(
        async (address) => {
          const image = await (await fetch(address ?? "")).blob();
          await navigator.clipboard.write([new ClipboardItem({ "image/png": image })]);
        },
        await lens.page.getAttribute(`[data-sample="${file}"] img`, "src"),
      );
      await paste();
      await lens.page.waitForFunction(
        (wanted) => document.querySelector("#word")?.textContent === wanted,
        text,
      );
    }
  });

  test("reads the first of several files and says so", async () => {
    const files = await Promise.all(shipped.slice(0, 3).map(({ file }) => sampleFile(file)));
    assert.equal(await lens.dispatchFiles("drop", ...files), "done");
    assert.equal(await lens.word(), shipped[0].text);
    assert.match((await lens.page.textContent("#note")) ?? "", /first of 3/);
  });

  test("attends to the positions of the characters", async (t) => {
    const sources = await serve({ folders: SOURCES });
    t.after(sources.close);
    const page = await browser.newPage();
    await page.goto(`${sources.address}samples/index.json`);
    // Compares the center of attention with the position at which the generator drew the character.
    const { inside, all } = await page.evaluate(async () => {
      const load = (/** @type {string} */ name) =>
        import(new URL(`/src/${name}.js`, location.href).href);
      const [{ Recognizer }, { runImageTask }, { centerOf }] = await Promise.all(
        ["lib/client", "image/image-worker-client", "lib/overlay"].map(load),
      );
      const lens = await Recognizer.load({ backend: "cpu" });
      let [inside, all] = [0, 0];
      for (let seed = 1001; seed <= 1100; seed++) {
        const { file, drawing } = await runImageTask("generate", { seed });
        const { text, characters, grid } = await lens.recognize(file);
        if (text !== drawing.text) continue;
        for (const [i, { x, width }] of drawing.characters.entries()) {
          const center = (centerOf(characters[i].attention, grid) / 100) * drawing.width;
          all++;
          if (x <= center && center <= x + width) inside++;
        }
      }
      lens.close();
      return { inside, all };
    });
    assert.ok(all > 300, `only ${all} characters of words that were read right`);
    assert.ok(inside >= 0.9 * all, `${inside} of ${all}`);
  });

  test("transfers at most 1 MB besides the weights before the first result, and 1.3 MB in total", async (t) => {
    const metered = await meter(site.address);
    t.after(() => metered.close());
    const other = await LensPage.open(browser, metered.address, { serviceWorkers: "allow" });
    await other.chooseSample(shipped[0].file);
    assert.equal(await other.word(), shipped[0].text);
    await other.page.evaluate(() => navigator.serviceWorker.ready);
    const { sent } = metered;
    const bytesOf = (/** @type {typeof sent} */ files) =>
      files
        .filter(({ path }) => !path.endsWith(".safetensors"))
        .reduce((sum, { bytes }) => sum + bytes, 0);
    // Precaching for offline use starts after the result; 0.5 MB of it is the generator with its fonts.
    const first = bytesOf(
      sent.slice(
        0,
        sent.findIndex(({ path }) => path === "sw.js"),
      ),
    );
    assert.ok(first > 500_000 && first <= 1_000_000, `${first} bytes to the result`);
    assert.ok(bytesOf(sent) > first && bytesOf(sent) <= 1_300_000, `${bytesOf(sent)} bytes in all`);
    const large = sent.filter(({ bytes }) => bytes > 100_000).map(({ path }) => path);
    assert.equal(new Set(large).size, large.length, `more than once: ${large}`);
    await other.close();
  });

  test("keeps the layout stable while a generator slider is dragged", async () => {
    const other = await LensPage.open(browser, site.address, {
      query: "#generate?seed=2&text=line",
      reducedMotion: "no-preference",
    });
    const { page } = other;
    await page.waitForSelector(".characters li:last-child:not(.pending)"); // the playback has ended
    await page.evaluate(() => {
      /** @type {number[]} */
      const heights = [];
      Object.assign(globalThis, { heights });
      const frame = () => {
        heights.push(document.documentElement.scrollHeight);
        requestAnimationFrame(frame);
      };
      frame();
    });
    for (const strokes of ["3", "4", "5"]) {
      const before = await page.getAttribute("#picture", "src");
      await page.getByRole("slider", { name: "Strokes" }).fill(strokes);
      await page.waitForFunction(
        (old) => document.querySelector("#picture")?.getAttribute("src") !== old,
        before,
      );
      await other.waitUntilSettled();
      assert.equal(await page.locator(".pending").count(), 0);
    }
    const heights = await page.evaluate(() => /** @type {any} */ (globalThis).heights);
    const [least, most] = [Math.min(...heights), Math.max(...heights)];
    assert.ok(most - least < 300, `${least} to ${most} pixels`);
    assert.equal(await page.locator("[inert]").count(), 0);
    await other.close();
  });

  test("generates an image, reads it, and offers a link to it", async () => {
    const { page } = lens;
    const drawn = async (/** @type {() => Promise<unknown>} */ change) => {
      const before = await page.getAttribute("#picture", "src");
      await change();
      await page.waitForFunction(
        (old) =>
          document.querySelector("#picture")?.getAttribute("src") !== old &&
          document.body.dataset.state === "done",
        before,
      );
    };
    await drawn(() => page.click("#generate"));
    assert.match((await page.textContent("#generator-info")) ?? "", /^Text: [a-z]{3,5}\. Font: /);
    await drawn(() => page.selectOption("#generator-length", "5"));
    assert.match((await page.textContent("#generator-info b")) ?? "", /^[a-z]{5}$/);
    await drawn(() => page.selectOption("#generator-length", ""));
    await drawn(() => page.fill("#generator-text", "line"));
    await drawn(() => page.getByLabel("Distort font").check());
    await drawn(() => page.getByRole("slider", { name: "Strokes" }).fill("2"));
    await drawn(() => page.click("#generator-new-seed"));
    assert.equal(await page.textContent("#generator-info b"), "line");
    await drawn(() => page.getByLabel("Style").selectOption("waves"));
    const word = await lens.word();
    const { characters } = await lens.result();
    const hash = "#generate?seed=2&style=waves&text=line&distorted=true&strokes=2";
    await page.waitForURL((url) => url.hash === hash);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.click("#copy-link");
    await page.waitForSelector("#copy-link:text('Copied')");
    const link = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(link, site.address + hash, "without the backend that was chosen here");

    const other = await LensPage.open(browser, site.address, { query: hash });
    assert.equal(await other.waitUntilSettled(), "done");
    assert.equal(await other.word(), word);
    assert.deepEqual((await other.result()).characters, characters);
    assert.equal(await other.page.getByRole("slider", { name: "Strokes" }).inputValue(), "2");
    assert.equal(await other.page.getByLabel("Style").inputValue(), "waves");
    assert.ok(await other.page.getByLabel("Distort font").isChecked());
    await other.page.fill("#generator-text", "zwölf");
    await other.page.waitForSelector("#generator-error:text('1 to 5 letters')");
    assert.equal(await other.word(), word, "the last drawing stays");
    await other.close();

    // Every look of the generator is offered, and a random one.
    const looks = await page.locator("#generator-style option").allTextContents();
    assert.ok(looks.length > 20 && looks.includes("digits-plain"), looks.join());
    const digits = await LensPage.open(browser, site.address, {
      query: "#generate?seed=3&style=digits-plain&length=6",
    });
    await digits.waitUntilSettled();
    assert.match((await digits.page.textContent("#generator-info b")) ?? "", /^[0-9]{6}$/);
    assert.ok(await digits.page.locator("#generator-random-field").isHidden());
    await digits.page.fill("#generator-text", "12a");
    await digits.page.waitForSelector("#generator-error:text('of the characters 0123456789')");
    await digits.page.click("#generator-surprise");
    await digits.page.waitForURL((url) =>
      /^#generate\?seed=3&style=random&look=\d+$/.test(url.hash),
    );
    await digits.page.waitForSelector("#generator-info:text('Style: A random look.')");
    await digits.page.selectOption("#generator-style", { label: "hard random look" });
    await digits.page.waitForURL((url) => /style=random-hard&look=\d+$/.test(url.hash));
    await digits.page.waitForSelector("#generator-info:text('Style: A hard random look.')");
    await digits.close();

    const far = await LensPage.open(browser, site.address, {
      query: "#generate?text=line&strokes=80&noise=0.15",
    });
    assert.equal(await far.waitUntilSettled(), "done");
    assert.match((await far.page.textContent("#generator-info")) ?? "", /Strokes: 80/);
    const sliders = ["Strokes", "Noise"].map((name) => far.page.getByRole("slider", { name }));
    const values = await Promise.all(sliders.map((slider) => slider.inputValue()));
    assert.deepEqual(values, ["80", "15"]);
    await far.page.fill("#generator-seed", "");
    await far.page.waitForURL((url) => url.hash.includes("seed=1&"));
    await far.page.waitForURL((url) => url.hash.includes("strokes=80&noise=0.15"));
    await far.close();

    await page.evaluate(await readFile(AXE, "utf8"));
    const { violations } = await page.evaluate(() => /** @type {any} */ (globalThis).axe.run());
    assert.deepEqual(
      violations.map((/** @type {any} */ { id }) => id),
      [],
    );

    const [good] = shipped;
    await lens.chooseSample(good.file);
    assert.equal(await lens.word(), good.text);
    assert.equal(await page.textContent("#generator-info"), "");
    assert.ok(await page.locator("#copy-link").isHidden());
    await page.waitForURL((url) => url.hash === "");
  });

  test("finds no text in a blank image", async () => {
    assert.equal(await lens.choose(png(blankPng(600, 320))), "done");
    assert.equal(await lens.word(), "");
    assert.match((await lens.page.textContent("#status")) ?? "", /The image is blank/);
    assert.equal(await lens.page.locator("[data-character-index]").count(), 0);
  });

  test("reads an image that has too many bytes for the engine", async () => {
    const picture = { ...png(blankBmp(3000, 2500), "large.bmp"), mimeType: "image/bmp" };
    assert.ok(picture.buffer.length > 20 * 1024 * 1024);
    assert.equal(await lens.choose(picture), "done");
    assert.equal((await lens.result()).width, 2400); // the maximum size of a crop
  });

  test("reads an image that has too many pixels for the engine", async () => {
    const photo = png(blankPng(8000, 6000));
    assert.equal(await lens.choose(photo), "done");
    const { width, height } = await lens.result();
    assert.ok(width * height < 16_100_000 && width > 4000, `${width} x ${height}`);
  });

  test("reads SVG", async () => {
    const { buffer } = await sampleFile(shipped[0].file);
    const href = `data:image/png;base64,${buffer.toString("base64")}`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 150 80"><image href="${href}" width="150" height="80"/></svg>`;
    const file = { name: "a.svg", mimeType: "image/svg+xml", buffer: Buffer.from(svg) };
    assert.equal(await lens.choose(file), "done");
    assert.equal(await lens.word(), shipped[0].text);
  });

  test("rejects a text file", async () => {
    assert.equal(await lens.choose(png(Buffer.from("not a picture\n"))), "error");
    const { message } = await lens.error();
    assert.match(message, /\(the image format .+\)\. Use a PNG, .+ GIF, BMP or SVG file\.$/);
    await failedWith("unreadable-image");
  });

  test("rejects a truncated PNG", async () => {
    const { buffer } = await sampleFile(shipped[0].file);
    const half = buffer.subarray(0, buffer.length / 2);
    assert.equal(await lens.choose(png(half)), "error");
    await failedWith("unreadable-image");
  });

  test("rejects an empty file", async () => {
    assert.equal(await lens.choose(png(Buffer.alloc(0))), "error");
    await failedWith("unreadable-image");
  });

  test("rejects an image of 30,000 x 30,000 pixels", async () => {
    assert.equal(await lens.choose(png(hugePng())), "error");
    await failedWith("image-too-large");
  });

  test("keeps the reading and shows a note when a folder is dropped", async () => {
    const before = await lens.word();
    assert.ok(before);
    const folder = await mkdtemp(join(tmpdir(), "captcha-lens-"));
    await lens.drag(folder);
    await lens.page.waitForSelector("#note:text('This is a folder')");
    await rm(folder, { recursive: true });
    assert.equal(await lens.waitUntilSettled(), "done");
    assert.equal(await lens.word(), before);
  });

  test("keeps the reading and shows a note when the clipboard has no image", async () => {
    const before = await lens.word();
    assert.ok(before);
    await lens.page.evaluate(() => {
      const data = new DataTransfer();
      data.setData("text/plain", "just words");
      document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data }));
    });
    assert.match((await lens.page.textContent("#note")) ?? "", /clipboard contains no image/);
    assert.equal(await lens.waitUntilSettled(), "done");
    assert.equal(await lens.word(), before);
  });

  test("makes no request to another origin and logs no error", () => {
    assert.deepEqual(lens.watched, { foreign: [], consoleMessages: [] });
  });
});

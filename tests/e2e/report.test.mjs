// @ts-check
/** The report that `captcha-lens audit` writes, opened from disk. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { launch, watch } from "./browser.mjs";
import { WEB } from "./lens-page.mjs";

/** The command line that the native tests have built. */
const COMMAND =
  process.env.CAPTCHA_LENS ??
  fileURLToPath(new URL("../../target/debug/captcha-lens", import.meta.url));

/** A saved audit. */
const OTHER = {
  name: "other",
  about: { Weights: "other.safetensors" },
  network: { alphabet: "abcdefghijklmnopqrstuvwxyz", maxLength: 5 },
  items: Array.from({ length: 20 }, (_, i) => ({
    path: `${i}.png`,
    label: "thus",
    text: i < 10 ? "thus" : "line",
    confidence: 0.5,
  })),
};

/** A learning curve as a file. */
const CURVE = {
  name: "<b>set",
  points: [
    { labels: 25, heldOut: 300, exactMatches: 30 },
    { labels: 1400, heldOut: 300, exactMatches: 270 },
  ],
};

describe("report of the command line", () => {
  test("is one file that shows the same report", async () => {
    const folder = await mkdtemp(join(tmpdir(), "audit-"));
    await cp(`${WEB}samples`, join(folder, "<b>set"), { recursive: true });
    await writeFile(join(folder, "<b>set", "not_an_image.png"), "</script>");
    const report = join(folder, "report.html");
    const saved = join(folder, "other.json");
    await writeFile(saved, JSON.stringify(OTHER));
    const curve = join(folder, "curve.json");
    await writeFile(curve, JSON.stringify(CURVE));
    const audit = ["audit", join(folder, "<b>set"), "--report", report, "--compare", saved];
    audit.push("--learning-curve", curve);
    await promisify(execFile)(COMMAND, audit).catch((error) => {
      const missing = `There is no ${COMMAND}: cargo build --workspace makes it.`;
      assert.fail(error.code === "ENOENT" ? missing : error.stderr);
    });

    const browser = await launch({ webgpu: false });
    const page = await browser.newPage();
    const address = pathToFileURL(report).href;
    const watched = watch(page, address);
    await page.goto(address);
    assert.equal(await page.textContent("h1"), "Audit of <b>set · built-in");
    assert.equal(await page.textContent(".report-rate"), "100.0%");
    assert.match((await page.textContent(".report-head")) ?? "", /6 of 6 images/);
    assert.match((await page.textContent(".report-facts")) ?? "", /Not readable1/);
    assert.equal(await page.locator(".report-table tbody tr").count(), 7);
    // Pictures load when they come into view.
    await page.locator(".report-cases img").last().scrollIntoViewIfNeeded();
    await page.waitForFunction(() => {
      const pictures = /** @type {HTMLImageElement[]} */ ([
        ...document.querySelectorAll(".report-cases img"),
      ]);
      return pictures.length === 12 && pictures.every((picture) => picture.naturalWidth === 240);
    });
    const text = await page.innerText("#report");
    assert.match(text, /solved all 6 images/);
    assert.match(
      text,
      /6 of 6 images were read with a confidence of 90% or more, 6 of them correct/,
    );
    assert.match(text, /Difference: \+50\.0 percentage points/);
    assert.ok(await page.getByRole("img", { name: "Images answered and correct" }).isVisible());
    assert.match(text, /To pass one try in two, an attacker needs about \d+ labelled images/);
    assert.match(text, /Trained on images of <b>set\./);
    assert.match(text, /1,400\s+90\.0% \(270 of 300\)/);
    await page.waitForFunction(
      () =>
        /** @type {HTMLImageElement | null} */ (document.querySelector(".report-learning-curve"))
          ?.naturalWidth === 560,
    );
    assert.deepEqual(watched, { foreign: [], consoleMessages: [] });

    // Without JavaScript, the file still shows the result.
    const plain = await browser.newContext({ javaScriptEnabled: false });
    const unscripted = await plain.newPage();
    await unscripted.goto(address);
    assert.match(await unscripted.innerText("main"), /Solved: 6 of 6 images \(100\.0%/);
    assert.match(await unscripted.innerText("main"), /To pass one try in two, an attacker needs/);
    await browser.close();
    await rm(folder, { recursive: true });
  });
});

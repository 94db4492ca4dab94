#!/usr/bin/env node
// @ts-check
/**
 * Takes a picture of the page in the middle of a reading: `screenshot.mjs OUT.png [SAMPLE]`.
 */

import { argv } from "node:process";
import { serve } from "../../web/serve.mjs";
import { launch } from "./browser.mjs";
import { Reader, samples } from "./reader.mjs";

const [out = "page.png", sample = (await samples())[0].file] = argv.slice(2);
const site = await serve();
const browser = await launch({ webgpu: false });
const reader = await Reader.open(browser, site.address, {
  query: "?backend=cpu",
  viewport: { width: 1200, height: 860 },
  deviceScaleFactor: 1.5,
});
await reader.settled();
await reader.chooseSample(sample);
await reader.page.click("[data-letter-index='1']");
await reader.page.locator("main").screenshot({ path: out });
await browser.close();
await site.close();

// @ts-check
/** What the tests of the lens page with the fake engine share: the site, the browser and images. */

import { after, before } from "node:test";
import { launch } from "../browser.mjs";
import { blankPng } from "../images.mjs";
import { LensPage, png } from "../lens-page.mjs";
import { SOURCES, serve } from "../site.mjs";
import { FAULTS } from "./captcha_wasm.js";
import { FAKE_ENGINE } from "./mounts.mjs";

/** What the fake engine reads. */
export const WORD = "thus";
export const GOOD_IMAGE = png(blankPng(200, 100), "good.png");

/** @param {keyof typeof FAULTS} fault that the fake engine has with the image */
export const imageWithFault = (fault) => png(blankPng(FAULTS[fault], 10), `${fault}.png`);

/**
 * Serves the page's sources with the fake engine during a suite. To be called in its `describe`.
 *
 * @returns {{ open: (options?: Parameters<typeof LensPage.open>[2]) => Promise<LensPage>, address: () => string }}
 */
export function serveFakeLens() {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import("playwright-core").Browser} */
  let browser;

  before(async () => {
    site = await serve({ base: "/some/where/", folders: SOURCES, mounts: FAKE_ENGINE });
    browser = await launch({ webgpu: false });
  });
  after(async () => {
    await browser.close();
    await site.close();
  });
  return {
    open: (options) => LensPage.open(browser, site.address, options),
    address: () => site.address,
  };
}

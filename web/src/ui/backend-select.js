// @ts-check
/** The selection of the backend, and the links between the pages. */

import { getById } from "./dom.js";

/** @import { BackendPreference } from "../lib/types.js" */

/** The settings in the URL of a page, with their default values. */
const SETTINGS = { backend: "auto", model: "", weights: "" };

/**
 * Shows the selected backend, and adds it to the links between the pages.
 *
 * @param {BackendPreference} backend
 */
export function showBackend(backend) {
  getById("backend", HTMLSelectElement).value = backend;
  linkSettings({ backend, weights: new URLSearchParams(location.search).get("weights") ?? "" });
}

/**
 * Adds settings to the links between the pages.
 *
 * @param {Partial<typeof SETTINGS>} settings
 */
export function linkSettings(settings) {
  for (const link of document.querySelectorAll(".pages a")) {
    const address = new URL(/** @type {HTMLAnchorElement} */ (link).href);
    for (const [name, value] of Object.entries(settings)) {
      if (value === SETTINGS[/** @type {keyof typeof SETTINGS} */ (name)]) {
        address.searchParams.delete(name);
      } else address.searchParams.set(name, value);
    }
    link.setAttribute("href", address.href);
  }
}

// @ts-check
/** The selection of the backend. */

import { getById } from "./dom.js";

/** @import { BackendPreference } from "../lib/types.js" */

/**
 * Shows the selected backend, and adds it and the weights of this page's URL to the links between the
 * pages.
 *
 * @param {BackendPreference} backend
 */
export function showBackend(backend) {
  getById("backend", HTMLSelectElement).value = backend;
  for (const link of document.querySelectorAll(".pages a")) {
    const address = new URL(/** @type {HTMLAnchorElement} */ (link).href);
    const weights = new URLSearchParams(location.search).get("weights");
    if (weights) address.searchParams.set("weights", weights);
    if (backend === "auto") address.searchParams.delete("backend");
    else address.searchParams.set("backend", backend);
    link.setAttribute("href", address.href);
  }
}

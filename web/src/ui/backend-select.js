// @ts-check
/** The backend that the user asks for. */

import { find } from "./dom.js";

/** @import { BackendWish } from "../lib/types.js" */

/**
 * Shows the wish, and has the links between the pages carry it along, and the weights of the address.
 *
 * @param {BackendWish} wish
 */
export function showWish(wish) {
  find("backend", HTMLSelectElement).value = wish;
  for (const link of document.querySelectorAll(".pages a")) {
    const address = new URL(/** @type {HTMLAnchorElement} */ (link).href);
    const weights = new URLSearchParams(location.search).get("weights");
    if (weights) address.searchParams.set("weights", weights);
    if (wish === "auto") address.searchParams.delete("backend");
    else address.searchParams.set("backend", wish);
    link.setAttribute("href", address.href);
  }
}

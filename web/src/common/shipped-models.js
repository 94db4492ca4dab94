// @ts-check
/** The models that the page comes with, besides the built-in one. */

/** Reads digits, capital and small letters in any look, but the built-in model's look less well. */
export const GENERAL = {
  /** In the page's URL, as the ids of the user's own models. */
  id: "general",
  name: "Digits and letters",
  weights: () => new URL("../../models/general.safetensors", import.meta.url),
};

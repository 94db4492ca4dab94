// @ts-check
/** The models that the page comes with. */

/** What the built-in model can write. */
export const BUILT_IN_NETWORK = { alphabet: "abcdefghijklmnopqrstuvwxyz", maxLength: 5 };

/** Reads digits, capital and small letters in any look, but the built-in model's look less well. */
export const GENERAL = {
  /** In the page's URL, as the ids of the user's own models. */
  id: "general",
  name: "Digits and letters",
  alphabet: "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
  maxLength: 16,
  weights: () => new URL("../../models/general.safetensors", import.meta.url),
};

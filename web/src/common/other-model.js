// @ts-check
/** Whether another model can write texts that the present one cannot write. Pure. */

import { labelRules } from "../audit/alphabet.js";
import { isolated, number } from "./format.js";

/** @import { AuditNetwork } from "../audit/types.js" */

/** A model that the user can choose. @typedef {AuditNetwork & { id: string, name: string }} OfferedModel */

/** A sentence about another model, and the button that chooses it. @typedef {{ id: string, sentence: string, button: string }} Offer */

/**
 * Offers the model that can write the most of some texts, if it can write more of them than the present
 * one.
 *
 * @param {string[]} texts labels, or the one expected text
 * @param {AuditNetwork} network of the present model
 * @param {OfferedModel[]} models
 * @returns {Offer | null}
 */
export function offerModel(texts, network, models) {
  const own = countWritable(texts, network);
  let most = own;
  /** @type {OfferedModel | null} */
  let best = null;
  for (const model of models) {
    if (most === texts.length) break; // nothing is missing, or another model writes everything
    const count = countWritable(texts, model);
    if (count > most) [most, best] = [count, model];
  }
  if (!best) return null;
  const name = best.id === "" ? "the built-in model" : `“${isolated(best.name)}”`;
  return { id: best.id, sentence: describe(texts, name, most, own), button: `Switch to ${name}` };
}

/**
 * @param {string[]} texts
 * @param {string} name of the other model
 * @param {number} count of the texts that it can write
 * @param {number} own count of the texts that the present model can write
 */
function describe(texts, name, count, own) {
  if (texts.length === 1)
    return `This model cannot write “${isolated(texts[0])}”, but ${name} can.`;
  const few = own === 0 ? "none" : `only ${number(own)}`;
  const many = count === texts.length ? "all" : number(count);
  return `This model can write ${few} of the ${number(texts.length)} labels, but ${name} can write ${many}.`;
}

/**
 * @param {string[]} texts
 * @param {AuditNetwork} network
 */
function countWritable(texts, network) {
  const { fold, problems } = labelRules(network);
  return texts.filter((text) => problems(fold(text)).length === 0).length;
}

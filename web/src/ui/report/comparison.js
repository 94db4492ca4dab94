// @ts-check
/** The comparison of two audits in the report. */

import { describeNetwork } from "../../audit/alphabet.js";
import { compareAudits, describeComparison } from "../../audit/compare.js";
import { percent } from "../../common/format.js";
import { make, section, tableOf } from "./elements.js";

/** @import { AuditReport, Share } from "../../audit/types.js" */

/**
 * @param {AuditReport} report
 * @returns {(Node | string)[]}
 */
export function comparison(report) {
  const { compared } = report;
  if (!compared) return [];
  const found = compareAudits(report, compared);
  const solved = (/** @type {Share} */ { part, whole }) =>
    `${percent(part / whole)} (${part} of ${whole})`;
  const between = (/** @type {Share} */ { interval: [low, high] }) =>
    `${percent(low)} to ${percent(high)}`;
  const [mine, theirs] = [new Map(report.about), new Map(compared.about)];
  const settings = [...new Set([...mine.keys(), ...theirs.keys()])]
    .map((name) => [name, mine.get(name) ?? "", theirs.get(name) ?? ""])
    .filter(([, a, b]) => a !== b);
  return [
    section("Comparison", [
      ...describeComparison(found).map((sentence) => make("p", {}, [sentence])),
      tableOf(
        "report-comparison",
        "Comparison",
        ["", "This audit", "Compared with"],
        [
          ["Images from", report.name, compared.name],
          ...(found
            ? [
                ["Solved", solved(found.first), solved(found.second)],
                ["95% interval", between(found.first), between(found.second)],
              ]
            : []),
          ["Model reads", describeNetwork(report.network), describeNetwork(compared.network)],
          ...settings,
        ],
      ),
    ]),
  ];
}

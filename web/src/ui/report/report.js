// @ts-check
/**
 * The report of an audit. The audit page uses it, and `captcha-lens audit` embeds this module and
 * its imports in its HTML file.
 */

import { describeNetwork } from "../../audit/alphabet.js";
import { evaluateItems, notableCases, summarize } from "../../audit/statistics.js";
import { coversMinority, describeScope, describeVerdict } from "../../audit/verdict.js";
import { characterName, imageCount, isolated, number, percent } from "../../common/format.js";
import { comparison } from "./comparison.js";
import { confidenceCurve } from "./curve.js";
import { make, section, tableOf } from "./elements.js";
import { learningCurves } from "./learning-curve.js";
import { downloads } from "./save.js";
import { itemTable } from "./table.js";

/** @import { AuditReport, AuditSummary, EvaluatedItem } from "../../audit/types.js" */

/** Maximum number of cases of each kind; `PICTURES` in `crates/evaluation/src/audit/entries.rs`. */
const CASES = 8;
/** Maximum number of confusions. */
const CONFUSIONS = 12;

/**
 * Replaces the content of `root` by a report.
 *
 * @param {HTMLElement} root
 * @param {AuditReport} report
 */
export function renderReport(root, report) {
  const judged = evaluateItems(report.items, report.network, report.ignoreCase);
  const summary = summarize(judged, report.ignoreCase);
  root.replaceChildren(
    make("div", { className: "report-head" }, [
      make("div", { className: "report-figure" }, headline(summary, modelOf(report))),
      make(
        "div",
        { className: "report-verdict" },
        [...describeScope(summary, report.network), ...describeVerdict(summary, report.taught)].map(
          (sentence) => make("p", {}, [sentence]),
        ),
      ),
    ]),
    facts(summary, report),
    ...learningCurves(report),
    ...comparison(report),
    ...(summary.supported > 0
      ? [...confidenceCurve(summary.thresholds), lengths(summary), confusions(summary)]
      : []),
    cases(judged, report),
    itemTable(judged),
    downloads(report, judged),
  );
}

/**
 * The name of the model that has read; empty where it is not known.
 *
 * @param {AuditReport} report
 */
function modelOf({ about }) {
  const facts = new Map(about);
  const name = facts.get("Model") ?? facts.get("Weights") ?? "";
  return name === "built-in" ? "the built-in model" : name;
}

/**
 * @param {AuditSummary} summary
 * @param {string} model
 */
function headline(summary, model) {
  const { images, read, labelled, supported, exactMatches, exactMatchRate, interval } = summary;
  const part = coversMinority(summary) ? `${number(exactMatches)} of ${number(supported)}` : null;
  const [overline, large, hint] =
    exactMatchRate !== null && interval !== null
      ? [
          "Solved",
          part ?? percent(exactMatchRate),
          `${part ? percent(exactMatchRate) : number(exactMatches)} of ${imageCount(supported)}; 95% interval ${percent(interval[0])} to ${percent(interval[1])}`,
        ]
      : labelled > 0
        ? ["Solved", "No result", `This model cannot write the labels of ${imageCount(labelled)}.`]
        : ["Read", number(read), `of ${imageCount(images)}, without labels`];
  return [
    make("p", { className: "overline" }, [model ? `${overline} by ${isolated(model)}` : overline]),
    make("p", { className: "report-rate" }, [large]),
    make("p", { className: "hint" }, [hint]),
  ];
}

/**
 * @param {AuditSummary} summary
 * @param {AuditReport} report
 */
function facts(summary, { network, about }) {
  const { images, failed, read, labelled, unsupported, characterAccuracy, meanConfidence } =
    summary;
  const some = (/** @type {string} */ name, /** @type {number} */ value) =>
    value > 0 ? [[name, number(value)]] : [];
  const all = /** @type {[string, string][]} */ ([
    ["Images", number(images)],
    ...some("Not readable", failed),
    ...some("Without label", labelled > 0 ? read - labelled : 0),
    ...some("Not compared", unsupported),
    ...(characterAccuracy === null ? [] : [["Characters correct", percent(characterAccuracy)]]),
    ...(meanConfidence === null ? [] : [["Mean confidence", percent(meanConfidence)]]),
    ["Model reads", describeNetwork(network)],
    ...about,
  ]);
  return make(
    "dl",
    { className: "report-facts" },
    all.map(([name, value]) => make("div", {}, [make("dt", {}, [name]), make("dd", {}, [value])])),
  );
}

/** @param {AuditSummary} summary */
function lengths({ byLength }) {
  return section("By label length", [
    tableOf(
      "report-lengths",
      "By label length",
      ["Length", "", "Solved", ""],
      byLength.map(({ length, images, exactMatches }) => {
        const exactMatchRate = percent(exactMatches / images);
        const properties = {
          min: 0,
          max: 1,
          value: exactMatches / images,
          "aria-label": exactMatchRate,
        };
        return [
          String(length),
          make("meter", properties),
          exactMatchRate,
          `${exactMatches} of ${images}`,
        ];
      }),
    ),
  ]);
}

/** @param {AuditSummary} summary */
function confusions({ confusions: all }) {
  if (all.length === 0) return "";
  const shown = all
    .slice(0, CONFUSIONS)
    .map(({ label, text, count: times }) =>
      make("li", { translate: "no" }, [misreading(label, text), make("b", {}, [` ${times}`])]),
    );
  return section("Misread characters", [
    make("ul", { className: "report-chips", role: "list" }, shown),
  ]);
}

/**
 * @param {string} label
 * @param {string} text
 */
function misreading(label, text) {
  const [right, read] = [label, text].map(characterName);
  if (!text) return `${right} missed`;
  return label ? `${right} read as ${read}` : `extra ${read}`;
}

/**
 * @param {EvaluatedItem[]} judged
 * @param {AuditReport} report
 */
function cases(judged, { picture }) {
  const groups = notableCases(judged, CASES).map(({ title, items }) =>
    section(title, [
      make(
        "ul",
        { className: "report-cases", role: "list" },
        items.map((one) => {
          const image = make("img", {
            alt: `Image ${one.item.path}`,
            loading: "lazy",
            draggable: false,
          });
          void picture(one.item).then((address) => {
            if (address && image instanceof HTMLImageElement) image.src = address;
            else image.remove();
          });
          return make("li", {}, [
            make("figure", {}, [image, make("figcaption", { translate: "no" }, caption(one))]),
          ]);
        }),
      ),
    ]),
  );
  return make("div", { className: "report-groups" }, groups);
}

/** @param {EvaluatedItem} judged */
function caption({ item: { text, label, confidence }, label: known, correct, problems }) {
  const read = make("b", { dir: "auto" }, [text || "no text found"]);
  const other = known !== null && correct !== true ? [`, label ${isolated(label ?? "")}`] : [];
  const sure = problems.length > 0 || !text ? "" : ` ${percent(confidence ?? 0)}`;
  return [read, ...other, sure];
}

// @ts-check
/** Draws the plot of bench-cost.mjs. */

/**
 * @typedef {object} Series
 * @property {string} title
 * @property {string} unit
 * @property {{ value: number, time: number }[]} points
 */

const [WIDTH, HEIGHT] = [240, 200];
/** Of a chart, around its lines. */
const MARGIN = { left: 40, right: 12, top: 40, bottom: 28 };

/**
 * A figure with a chart for each series, side by side. Times start at zero.
 *
 * @param {Series[]} series
 * @returns {string} SVG
 */
export function costPlot(series) {
  const charts = series.map(
    (one, i) => `<g transform="translate(${i * WIDTH} 0)">${chart(one)}</g>`,
  );
  const width = series.length * WIDTH;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" font-family="system-ui, sans-serif" font-size="11" fill="#333">`,
    `<rect width="${width}" height="${HEIGHT}" fill="#fff"/>`,
    ...charts,
    "</svg>\n",
  ].join("\n");
}

/** @param {Series} series */
function chart({ title, unit, points }) {
  const values = points.map(({ value }) => value);
  const [first, last] = [Math.min(...values), Math.max(...values)];
  const most = step(Math.max(...points.map(({ time }) => time)));
  const x = (/** @type {number} */ value) =>
    MARGIN.left + ((value - first) / (last - first)) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (/** @type {number} */ time) =>
    HEIGHT - MARGIN.bottom - (time / most) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const line = points.map(({ value, time }) => `${x(value).toFixed(1)},${y(time).toFixed(1)}`);
  const levels = [0, most / 2, most];
  return [
    `<text x="8" y="16" font-weight="600">${title}</text>`,
    `<text x="8" y="30" fill="#666">${unit}</text>`,
    ...levels.flatMap((level) => [
      `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(level)}" y2="${y(level)}" stroke="#ddd"/>`,
      `<text x="${MARGIN.left - 5}" y="${y(level) + 4}" text-anchor="end">${level}</text>`,
    ]),
    ...labels(values, x).map(
      (value) => `<text x="${x(value)}" y="${HEIGHT - 10}" text-anchor="middle">${value}</text>`,
    ),
    `<polyline points="${line.join(" ")}" fill="none" stroke="#1f6feb" stroke-width="1.5"/>`,
    ...line.map((point) => {
      const [cx, cy] = point.split(",");
      return `<circle cx="${cx}" cy="${cy}" r="2.5" fill="#1f6feb"/>`;
    }),
  ].join("\n");
}

/**
 * The values whose labels do not overlap.
 *
 * @param {number[]} values ascending
 * @param {(value: number) => number} x
 */
function labels(values, x) {
  let end = -Infinity;
  return values.filter((value) => {
    if (x(value) - end < 18) return false;
    end = x(value);
    return true;
  });
}

/**
 * The smallest round number that is not below a time: 1, 2 or 4, with zeros.
 *
 * @param {number} time
 */
function step(time) {
  const power = 10 ** Math.floor(Math.log10(time));
  return [1, 2, 4, 10].map((factor) => factor * power).find((level) => level >= time) ?? time;
}

// @ts-check
/** Creates the elements of a report. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {keyof HTMLElementTagNameMap} tag
 * @param {Record<string, unknown>} properties
 * @param {(Node | string)[]} [content]
 * @returns {HTMLElement}
 */
export function make(tag, properties, content = []) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    // Attributes, because not every browser reflects ARIA attributes as properties.
    if (/^(aria-|role$|translate$)/.test(name)) made.setAttribute(name, String(value));
    else Object.assign(made, { [name]: value });
  }
  made.append(...content);
  return made;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {(Node | string)[]} [content]
 */
export function draw(tag, attributes, content = []) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...content);
  return made;
}

/**
 * @param {string} title
 * @param {(Node | string)[]} content
 */
export function section(title, content) {
  return make("section", {}, [make("h2", { className: "overline" }, [title]), ...content]);
}

/**
 * A table in a container that scrolls where the page is narrower.
 *
 * @param {string} name of the table
 * @param {Node} table
 */
export function scrolling(name, table) {
  const properties = { className: "report-scroll", tabIndex: 0, role: "region" };
  return make("div", { ...properties, "aria-label": name }, [table]);
}

/**
 * A table with a header cell in each row, which scrolls.
 *
 * @param {string} className
 * @param {string} name of the table
 * @param {string[]} names of the columns
 * @param {(Node | string)[][]} rows
 */
export function tableOf(className, name, names, rows) {
  const table = make("table", { className }, [
    make("thead", {}, [
      make(
        "tr",
        {},
        names.map((one) => make(one ? "th" : "td", one ? { scope: "col" } : {}, [one])),
      ),
    ]),
    make(
      "tbody",
      {},
      rows.map(([first, ...rest]) =>
        make("tr", {}, [
          make("th", { scope: "row" }, [first]),
          ...rest.map((cell) => make("td", {}, [cell])),
        ]),
      ),
    ),
  ]);
  return scrolling(name, table);
}

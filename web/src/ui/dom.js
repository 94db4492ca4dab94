// @ts-check
/** Helpers for the document. */

/**
 * The element with this id. Throws if the page has none of this type.
 *
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function getById(id, type) {
  return assertType(document.getElementById(id), type, `#${id}`);
}

/**
 * The first element inside `root` that matches the selector.
 *
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} type
 * @returns {T}
 */
export function query(root, selector, type) {
  return assertType(root.querySelector(selector), type, selector);
}

/**
 * A copy of the content of a template.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function cloneTemplate(id) {
  const content = getById(id, HTMLTemplateElement).content.firstElementChild;
  return assertType(content?.cloneNode(true), HTMLElement, `#${id}`);
}

/**
 * @param {keyof HTMLElementTagNameMap} tag
 * @param {string} text
 * @param {string} [className]
 */
export function createElement(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

/** Whether the user asks for reduced motion. */
export function prefersReducedMotion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Whether this is an iPhone or an iPad. An iPad may identify itself as a Mac. */
export function isIos() {
  const { userAgent, maxTouchPoints } = navigator;
  return /iP(hone|ad|od)/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1);
}

/**
 * @template {Element} T
 * @param {unknown} node
 * @param {new () => T} type
 * @param {string} name
 * @returns {T}
 */
function assertType(node, type, name) {
  if (!(node instanceof type)) throw new Error(`The page has no ${name}`);
  return node;
}

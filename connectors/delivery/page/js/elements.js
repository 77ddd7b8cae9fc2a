/** Making and finding elements. Text always goes in as text, so nothing that is shown can become markup. */

const SVG = "http://www.w3.org/2000/svg";

/** The element with this id, which index.html has. */
export const byId = (id) => document.getElementById(id);

/** An element with attributes (`null` and `false` leave one out) and children: elements or text. */
export function make(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for a drawing. */
export function draw(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** Set the text of a node, without touching the page when it says so already. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Set an attribute, or take it away with null, without touching the page when it is so already. */
export function mark(node, name, value) {
  if (value === null || value === undefined) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else if (node.getAttribute(name) !== String(value)) {
    node.setAttribute(name, String(value));
  }
}

/** A sign of 20 by 20 from one path. */
export function sign(path) {
  return draw("svg", { viewBox: "0 0 20 20", "aria-hidden": "true", focusable: "false" }, draw("path", { d: path }));
}

export const CROSS = "M5 5l10 10M15 5L5 15";

/** The layout in the browser's store. */

import { readLayout, writeLayout } from "./model/layout.js";

const KEY = "tickloom.layout";

/** What was remembered, or a fresh layout. */
export function recall() {
  try {
    return readLayout(localStorage.getItem(KEY));
  } catch {
    return readLayout(null);
  }
}

/** Remember `layout`; without a store, or in a full one, nothing is remembered and the page works on. */
export function remember(layout) {
  try {
    localStorage.setItem(KEY, writeLayout(layout));
  } catch {
    // nothing to do about it
  }
}

/** The log-in form, and log out. A key goes to the service once; what remains is a cookie that no script can read. */

import { logIn, logOut } from "./api.js";
import { byId } from "./elements.js";

/** Calls `onIn()` once somebody has logged in. */
export class Login {
  #dialog = byId("login-dialog");

  constructor(onIn) {
    this.onIn = onIn;
    this.#dialog.addEventListener("cancel", (event) => event.preventDefault());
    byId("login").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#try();
    });
    byId("log-out").addEventListener("click", async () => {
      await logOut().catch(() => undefined);
      location.reload();
    });
  }

  get isOpen() {
    return this.#dialog.open;
  }

  ask() {
    if (this.#dialog.open) return;
    this.#dialog.showModal();
    byId("key").focus();
  }

  /** Whether there is somebody to log out. */
  offerLogOut(offered) {
    byId("log-out").hidden = !offered;
  }

  async #try() {
    const [button, field, wrong] = [byId("login-button"), byId("key"), byId("login-error")];
    button.disabled = true;
    wrong.textContent = "";
    try {
      await logIn(field.value);
      field.value = "";
      this.#dialog.close();
      this.onIn();
    } catch (error) {
      wrong.textContent = whatWentWrong(error);
      field.select();
    } finally {
      button.disabled = false;
    }
  }
}

function whatWentWrong(error) {
  if (error.status === 401 || error.status === 403) return "This key is not known here, or may not read.";
  if (error.status === 429) return "Too many attempts: wait a little.";
  return error.status === 0 ? "The delivery service does not answer." : `It did not work: ${error.message}`;
}

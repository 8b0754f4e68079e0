/** The form that asks for a key, where the service answers nobody without one. */

import { useKey } from "./service.js";

/** Call `tryAgain` whenever a key has been given. */
export function onKey({ "key-form": form, key }, tryAgain) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    useKey(key.value.trim());
    key.value = "";
    tryAgain();
  });
}

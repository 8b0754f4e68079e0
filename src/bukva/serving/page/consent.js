/** Whether what was sent may be kept: asked once in a dialog, and changed by a box at any time. */

export class Consent {
  #at;
  #key;

  /**
   * @param {Record<string, HTMLElement>} at Has the dialog `consent` and the box `keep`.
   * @param {string} key Under which the decision is remembered.
   */
  constructor(at, key) {
    this.#at = at;
    this.#key = key;
    at.keep.checked = localStorage.getItem(key) === "yes";
    at.keep.addEventListener("change", () => this.#decide(at.keep.checked));
  }

  /** Return whether it may be kept; ask whoever has not decided yet. */
  async ask() {
    const { consent } = this.#at;
    if (localStorage.getItem(this.#key) === null) {
      consent.returnValue = "";
      consent.showModal();
      await new Promise((resolve) => consent.addEventListener("close", resolve, { once: true }));
      // Who closes the dialog without an answer is asked again next time.
      if (consent.returnValue) this.#decide(consent.returnValue === "yes");
    }
    return localStorage.getItem(this.#key) === "yes";
  }

  #decide(isAllowed) {
    localStorage.setItem(this.#key, isAllowed ? "yes" : "no");
    this.#at.keep.checked = isAllowed;
  }
}

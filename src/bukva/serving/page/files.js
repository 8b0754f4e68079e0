/** Files that are chosen, pasted or dropped. */

/**
 * Call `take` with each file that is given to the page.
 *
 * @param {Record<string, HTMLElement>} at Has the button `choose` and the field `file` behind it.
 * @param {HTMLElement} place Is marked while a file hovers over the page.
 * @param {(file: File | undefined) => void} take
 */
export function onFile({ choose, file }, place, take) {
  choose.addEventListener("click", () => file.click());
  file.addEventListener("change", () => {
    take(file.files[0]);
    file.value = "";
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) take(event.clipboardData.files[0]);
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.add("dropping");
  });
  document.addEventListener("dragleave", () => place.classList.remove("dropping"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("dropping");
    take(event.dataTransfer.files[0]);
  });
}

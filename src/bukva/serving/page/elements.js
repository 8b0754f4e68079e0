/** Elements of the page: found, and made. */

/** Return the elements that have an id, by it. */
export function elementsById() {
  return Object.fromEntries(
    [...document.querySelectorAll("[id]")].map((element) => [element.id, element]),
  );
}

/** Return a new element with these properties, around these elements and texts. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// Elements of a page: found, made, filled.

export const at = (name) => document.getElementById(name);

/** Write a text where it differs, so that nothing is read aloud twice. */
export function write(element, text) {
  if (element.textContent !== (text ?? "")) element.textContent = text ?? "";
}

export const put = (name, text) => write(at(name), text);

/** Show a part with a text, or hide it where there is none. */
export function say(part, name, text) {
  at(part).hidden = !text;
  put(name, text);
}

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

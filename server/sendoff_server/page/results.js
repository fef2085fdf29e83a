// What a job made: pictures, reports and models to look at, and files to save.

import { at, make, say } from "/page/elements.js";
import { call, filePath, token } from "/page/server.js";
import { sizeWords } from "/page/words.js";

const PICTURES = ["image/png", "image/jpeg", "image/webp", "image/gif", "image/avif"];
const MOST_PICTURES = 24;
const MOST_PICTURE_BYTES = 30e6;
const MOST_REPORT_BYTES = 1e6;
/** A model of so many bytes is shown without being asked for. */
const READY_MODEL_BYTES = 30e6;

const isPicture = ({ media_type, size }) => PICTURES.includes(media_type) && size <= MOST_PICTURE_BYTES;
const isReport = ({ role, media_type, size }) =>
  role === "report" && size <= MOST_REPORT_BYTES && (media_type === "application/json" || media_type?.startsWith("text/plain"));
const isModel = ({ path }) => path.toLowerCase().endsWith(".glb");

export class Results {
  /** `refused(problem)` is told of a sign-in that has ended. */
  constructor(job, refused) {
    Object.assign(this, { job, refused });
    this.known = "[]";
    this.urls = [];
  }

  show(result) {
    const files = result?.files ?? [];
    at("results").hidden = !files.length;
    showSummary(result?.summary);
    const known = JSON.stringify(files);
    if (known === this.known) return;
    this.clear();
    this.known = known;
    at("files").replaceChildren(...files.map((file) => this.fileItem(file)));
    for (const file of files.filter(isPicture).slice(0, MOST_PICTURES)) this.picture(file);
    for (const file of files.filter(isReport)) this.report(file);
    const model = files.find((file) => isModel(file) && file.size <= READY_MODEL_BYTES);
    if (model) this.model(model);
  }

  clear() {
    this.known = "[]";
    this.viewer?.end();
    this.viewer = null;
    for (const url of this.urls.splice(0)) URL.revokeObjectURL(url);
    for (const name of ["previews", "reports", "viewer", "files"]) at(name).replaceChildren();
    at("viewer").hidden = true;
  }

  /** A file's bytes; undefined where they cannot be had, which is said. */
  async bytes(file) {
    const { known } = this;
    try {
      const bytes = await (await call("GET", filePath(this.job, file.path))).arrayBuffer();
      return known === this.known ? bytes : undefined;
    } catch (problem) {
      if (problem.status === 401) this.refused(problem);
      else tell(`${file.path}: ${problem.message ?? "It could not be read. Try again."}`);
      return undefined;
    }
  }

  async picture(file) {
    const figure = make("figure", {});
    at("previews").append(figure);
    const bytes = await this.bytes(file);
    if (!bytes) return figure.remove();
    const url = URL.createObjectURL(new Blob([bytes], { type: file.media_type }));
    this.urls.push(url);
    const image = make("img", { src: url, alt: `Picture ${file.path}` });
    const button = make("button", { type: "button", className: "picture" }, image);
    button.setAttribute("aria-label", `Enlarge ${file.path}`);
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      const large = figure.classList.toggle("large");
      button.setAttribute("aria-pressed", String(large));
    });
    figure.append(button, make("figcaption", { className: "quiet", textContent: file.path }));
  }

  async report(file) {
    const text = make("pre", { tabIndex: 0 });
    text.setAttribute("aria-label", `Report ${file.path}`);
    const part = make("details", { open: true }, make("summary", { textContent: file.path }), text);
    at("reports").append(part);
    const bytes = await this.bytes(file);
    if (!bytes) return part.remove();
    text.textContent = readable(new TextDecoder().decode(bytes), file.media_type);
  }

  async model(file) {
    this.viewer?.end();
    this.viewer = null;
    at("viewer").hidden = false;
    at("viewer").replaceChildren(make("p", { className: "quiet", textContent: `Loading ${file.path} (${sizeWords(file.size)}) …` }));
    const bytes = await this.bytes(file);
    if (!bytes) return (at("viewer").hidden = true);
    try {
      const { Viewer } = await import("/page/viewer.js");
      this.viewer = await Viewer.open(at("viewer"), bytes, file.path);
    } catch (problem) {
      at("viewer").replaceChildren(make("p", { className: "quiet", textContent: `${file.path} cannot be shown here: ${problem.message}` }));
    }
  }

  fileItem(file) {
    const name = make("span", { className: "name", textContent: file.path });
    const about = [file.role === "result" ? "" : file.role, sizeWords(file.size)].filter(Boolean).join(" · ");
    const buttons = make("div", { className: "buttons" });
    if (isModel(file)) {
      const look = make("button", { type: "button", textContent: "View in 3D" });
      look.setAttribute("aria-label", `View ${file.path} in 3D`);
      look.addEventListener("click", () => this.model(file));
      buttons.append(look);
    }
    const save = make("button", { type: "button", textContent: "Download" });
    save.setAttribute("aria-label", `Download ${file.path}, ${sizeWords(file.size)}`);
    save.addEventListener("click", () => this.download(save, file));
    buttons.append(save);
    return make("li", {}, make("div", {}, name, make("span", { className: "quiet", textContent: about })), buttons);
  }

  /** Have the browser save a file as it comes. A form brings the token, since a download has no headers of ours. */
  async download(button, file) {
    const path = filePath(this.job, file.path);
    button.disabled = true;
    try {
      tell("");
      await call("GET", path, { headers: { Range: "bytes=0-0" } }); // so that a refusal is said here
      save(path);
    } catch (problem) {
      if (problem.status === 401) this.refused(problem);
      else if (problem.status === 416) save(path); // a file without a byte has no first one
      else tell(problem.message);
    } finally {
      button.disabled = false;
    }
  }
}

function save(path) {
  at("download").action = path;
  at("download-token").value = token.get();
  at("download").submit();
  at("download-token").value = "";
}

const tell = (text) => say("download-problem", "download-problem", text);

/** Numbers and short texts of a summary; the reports have the rest. */
function showSummary(summary) {
  const words = Object.entries(summary ?? {})
    .filter(([, value]) => ["number", "string", "boolean"].includes(typeof value))
    .map(([name, value]) => `${name.replaceAll("_", " ")}: ${typeof value === "number" ? value.toLocaleString() : value}`);
  say("summary", "summary", words.join(" · "));
}

function readable(text, mediaType) {
  if (mediaType !== "application/json") return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

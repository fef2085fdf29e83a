// A list of jobs of which only those in sight are elements, so that thousands are as smooth as ten.

import { make, write } from "/page/elements.js";
import { serverNow } from "/page/server.js";
import { FINAL, aboutWords, durationWords, healthWords, messageWords, stateWords, timeLeft, titleWords } from "/page/words.js";

const BEYOND_ROWS = 6;
const KEYS = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

export class Rows {
  /** `scroller` scrolls, `list` holds the rows. `on` has titleOfTask(task), showsPerson() and act(job). */
  constructor(scroller, list, on) {
    Object.assign(this, { scroller, list, on });
    this.jobs = [];
    this.rows = new Map();
    this.current = "";
    scroller.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(scroller);
    list.addEventListener("keydown", (pressed) => this.move(pressed));
    list.addEventListener("focusin", (focused) => this.take(focused.target.closest("li")?.dataset.job ?? ""));
  }

  show(jobs) {
    this.jobs = jobs;
    if (!jobs.some((job) => job.id === this.current)) this.current = jobs[0]?.id ?? "";
    this.draw();
  }

  /** A row's, in px; a narrow window has another. */
  height() {
    return parseFloat(getComputedStyle(this.list).getPropertyValue("--row-height"));
  }

  draw() {
    const height = this.height();
    this.list.style.height = `${this.jobs.length * height}px`;
    const above = this.scroller.scrollTop - this.list.offsetTop;
    const first = Math.max(0, Math.floor(above / height) - BEYOND_ROWS);
    const last = Math.min(this.jobs.length, Math.ceil((above + this.scroller.clientHeight) / height) + BEYOND_ROWS);
    const seen = new Set();
    for (let place = first; place < last; place += 1) {
      const job = this.jobs[place];
      seen.add(job.id);
      let row = this.rows.get(job.id);
      if (!row) this.rows.set(job.id, (row = this.make(job.id)));
      const top = place * height;
      if (row.top !== top) {
        row.top = top;
        row.item.style.transform = `translateY(${top}px)`;
        row.item.setAttribute("aria-posinset", place + 1);
      }
      row.item.setAttribute("aria-setsize", this.jobs.length);
      this.fill(row, job);
    }
    for (const [id, row] of this.rows) {
      if (seen.has(id) || (this.jobs.length && row.item.contains(document.activeElement))) continue;
      row.item.remove();
      this.rows.delete(id);
    }
    this.order(first);
  }

  /** Keep the elements in the order of the list, since that is the order in which they are read and tabbed through. */
  order(first) {
    let next = this.list.firstElementChild;
    for (const job of this.jobs.slice(first)) {
      const row = this.rows.get(job.id);
      if (!row) break;
      if (row.item === next) next = next.nextElementSibling;
      else this.list.insertBefore(row.item, next);
    }
  }

  make(id) {
    const title = make("a", { className: "title", href: `/jobs/${encodeURIComponent(id)}` });
    const about = make("span", { className: "about quiet" });
    const state = make("span", { className: "state" });
    const fill = make("div", { className: "fill" });
    const bar = make("div", { className: "bar" }, fill);
    const percent = make("span", { className: "percent" });
    const left = make("span", { className: "left quiet" });
    const button = make("button", { type: "button", className: "act" });
    const item = make(
      "li", { className: "job" }, make("div", { className: "what" }, title, about),
      make("div", { className: "how" }, state, bar), make("div", { className: "when" }, percent, left), button,
    );
    item.dataset.job = id;
    bar.setAttribute("role", "progressbar");
    bar.setAttribute("aria-valuemin", "0");
    bar.setAttribute("aria-valuemax", "100");
    button.addEventListener("click", async () => {
      button.disabled = true;
      await this.on.act(this.jobs.find((job) => job.id === id));
      button.disabled = false;
    });
    return { item, title, about, state, bar, fill, percent, left, button, top: -1, job: null };
  }

  fill(row, job) {
    row.item.tabIndex = -1;
    for (const part of [row.title, row.button]) part.tabIndex = job.id === this.current ? 0 : -1;
    this.tick(row, job);
    if (row.job === job) return;
    row.job = job;
    const ended = FINAL.includes(job.state);
    const task = this.on.titleOfTask(job.task);
    const title = titleWords(job, task);
    const percent = job.fraction === null || job.state === "queued" ? null : Math.floor(job.fraction * 100);
    row.item.className = `job ${job.state}${!ended && job.fraction === null && job.state !== "queued" ? " waiting" : ""}`;
    row.item.classList.toggle("unwell", Boolean(healthWords(job)));
    write(row.title, title);
    write(row.about, aboutWords(job, title === task ? "" : task, this.on.showsPerson() ? job.owner : ""));
    row.about.title = row.about.textContent;
    const words = healthWords(job) || (job.state === "failed" ? job.message : messageWords(job));
    write(row.state, [stateWords(job), words].filter(Boolean).join(" · "));
    row.state.title = row.state.textContent;
    row.bar.hidden = ended || job.state === "queued";
    row.bar.setAttribute("aria-label", `Progress of ${title}`);
    row.fill.style.setProperty("--fraction", job.fraction ?? 0);
    if (percent === null) row.bar.removeAttribute("aria-valuenow");
    else row.bar.setAttribute("aria-valuenow", percent);
    write(row.percent, percent === null || ended ? "" : `${percent} %`);
    const act = ended ? "Retry" : "Cancel";
    write(row.button, act);
    row.button.setAttribute("aria-label", `${act} ${title}`);
    row.button.disabled = job.state === "cancelling";
  }

  /** What changes by time alone. */
  tick(row, job) {
    const since = (performance.now() - job.told_at) / 1000;
    const left = job.state === "running" && job.eta_seconds != null ? timeLeft(Math.max(0, job.eta_seconds - since)) : "";
    write(row.left, left || durationWords(job, serverNow()));
  }

  take(id) {
    if (!id || id === this.current) return;
    this.current = id;
    for (const [job, row] of this.rows) {
      for (const part of [row.title, row.button]) part.tabIndex = job === id ? 0 : -1;
    }
  }

  move(pressed) {
    const by = KEYS[pressed.key];
    if (by === undefined || pressed.ctrlKey || pressed.metaKey || pressed.altKey) return;
    pressed.preventDefault();
    this.focus(this.jobs.findIndex((job) => job.id === this.current) + by);
  }

  /** Bring a place of the list into sight, and the keyboard to it. */
  focus(place) {
    if (!this.jobs.length) return;
    const index = Math.max(0, Math.min(this.jobs.length - 1, place));
    const height = this.height();
    const top = index * height + this.list.offsetTop;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + height > scrollTop + clientHeight) this.scroller.scrollTop = top + height - clientHeight;
    this.take(this.jobs[index].id);
    this.draw();
    this.rows.get(this.current)?.title.focus({ preventScroll: true });
  }
}

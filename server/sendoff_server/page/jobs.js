// Jobs as a page knows them: what was pushed is put together, sought through, sorted and counted. No element of a page.

import { FINAL } from "/page/words.js";

/** What an event may leave out. */
const BLANK = { stage: "", message: "", fraction: null, eta_seconds: null, queue_position: null, health: "ok" };

/** Which states belong to a choice of the page. */
export const GROUPS = {
  running: ["starting", "running", "cancelling"],
  waiting: ["queued"],
  done: ["succeeded"],
  failed: ["failed"],
  cancelled: ["cancelled"],
};

/** A job after an event; the bar never goes back within an attempt. */
export function merge(before, event) {
  const { job: id, kind, recovered, reason, after, conflated, job_fields: fields, ...now } = event;
  const job = { ...before, id, ...BLANK, ...now, ...fields };
  const begun = before?.attempt === job.attempt ? (before.fraction ?? null) : null;
  if (begun !== null && !FINAL.includes(job.state)) job.fraction = Math.max(begun, job.fraction ?? 0);
  if (FINAL.includes(job.state)) job.finished_at ??= event.at;
  if (job.state === "starting" && kind === "state") job.started_at = event.at;
  if (job.state === "queued") job.worker = "";
  job.told_at = performance.now();
  return job;
}

const rank = (job) => (FINAL.includes(job.state) ? 2 : job.state === "queued" ? 1 : 0);
const place = (job) => job.queue_position ?? Infinity;
const newest = (a, b) => b.created_at - a.created_at;
const byText = (of) => (a, b) => of(a).localeCompare(of(b), undefined, { numeric: true }) || newest(a, b);

export const SORTS = {
  active: (a, b) => rank(a) - rank(b) || (rank(a) === 1 ? -newest(a, b) || place(a) - place(b) : newest(a, b)),
  newest,
  oldest: (a, b) => -newest(a, b),
  title: byText((job) => job.title || job.task),
  person: byText((job) => job.owner ?? ""),
  progress: (a, b) => rank(a) - rank(b) || (b.fraction ?? -1) - (a.fraction ?? -1) || newest(a, b),
};

/** All jobs that are known. */
export class Jobs {
  constructor() {
    this.byId = new Map();
    /** Raised by what may move jobs in the list, not by mere progress. */
    this.version = 0;
  }

  /** Take what the server lists; what was pushed meanwhile is newer. */
  add(records) {
    for (const record of records) {
      const known = this.byId.get(record.id);
      const isOlder = known && known.epoch === record.epoch && known.seq >= record.seq;
      this.byId.set(record.id, isOlder ? { ...record, ...known } : { told_at: performance.now(), ...record });
    }
    this.version += 1;
  }

  /** Take an event; returns the job before and after it. */
  take(event) {
    const before = this.byId.get(event.job);
    const job = merge(before, event);
    this.byId.set(job.id, job);
    if (before?.state !== job.state || before?.title !== job.title) this.version += 1;
    return { before, job };
  }

  counts() {
    const found = Object.fromEntries(Object.keys(GROUPS).map((name) => [name, 0]));
    for (const { state } of this.byId.values()) {
      for (const name in GROUPS) if (GROUPS[name].includes(state)) found[name] += 1;
    }
    return found;
  }

  /** The jobs of a group ("" for all) that have all words of a search, in an order. */
  view({ group, search, sort, titleOfTask }) {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const found = [];
    for (const job of this.byId.values()) {
      if (group && !GROUPS[group].includes(job.state)) continue;
      const text = words.length && [job.title, job.task, titleOfTask(job.task), job.owner, job.worker, job.id].join(" ").toLowerCase();
      if (words.every((word) => text.includes(word))) found.push(job);
    }
    return found.sort(SORTS[sort]);
  }
}

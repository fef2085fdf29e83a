// The page of all jobs: those of the person, or of everybody, live; and who works.

import { at, make, put, say } from "/page/elements.js";
import { GROUPS, Jobs, SORTS } from "/page/jobs.js";
import { notify, offerNotifications } from "/page/notify.js";
import { Rows } from "/page/rows.js";
import { call, jobPath, token } from "/page/server.js";
import { SignedIn } from "/page/signed_in.js";
import { EventStream, ofAll } from "/page/stream.js";
import { FINAL, titleWords } from "/page/words.js";
import { Machines } from "/page/machines.js";

const PAGE_JOBS = 500;
const MOST_JOBS = 20_000;
const DRAW_MS = 60;
const TICK_MS = 1000;
/** A page on a wall is open for weeks: jobs that the server has forgotten are forgotten here as well. */
const AFRESH_MS = 6 * 3600_000;
const HINT = "Or open a job from the add-on: its job list has a button for that, which signs you in here by itself.";
const GROUP_WORDS = { "": "All", running: "Running", waiting: "Waiting", done: "Done", failed: "Failed", cancelled: "Cancelled" };

const wanted = new URLSearchParams(location.search);
const choice = {
  scope: wanted.get("scope") === "studio" ? "studio" : "person",
  group: wanted.get("show") in GROUPS ? wanted.get("show") : "",
  sort: wanted.get("sort") in SORTS ? wanted.get("sort") : "active",
  search: wanted.get("search") ?? "",
};
const taskTitles = {};
const titleOfTask = (task) => taskTitles[task] ?? task;
let caller = null;
let jobs = new Jobs();
let stream = null;
let isWhole = false;
let drawing = false;
/** What the list shows, and what that was made of. */
let view = [];
let viewed = "";

const page = new SignedIn({ hint: HINT, open, close });
const machines = new Machines(titleOfTask);
const rows = new Rows(at("scroller"), at("rows"), { titleOfTask, act, showsPerson: () => choice.scope === "studio" });

async function open(server) {
  caller = server;
  const seesAll = server.role !== "artist";
  at("scope").hidden = !seesAll;
  if (!seesAll) choice.scope = "person";
  showChoice();
  at("monitor").hidden = false;
  document.title = "Jobs – Sendoff";
  machines.start();
  follow();
}

function close() {
  stream?.stop();
  stream = null;
  machines.stop();
  at("monitor").hidden = true;
  forget();
}

/** Nothing of one person stays for the next, not even out of sight. */
function forget() {
  jobs = new Jobs();
  view = [];
  viewed = "";
  rows.show(view);
}

/** Listen first, then list: what happens meanwhile is newer than what is listed. */
function follow() {
  stream?.stop();
  forget();
  isWhole = false;
  const mine = jobs;
  let wasOnline = false;
  const used = token.get();
  stream = new EventStream(ofAll(choice.scope), used, {
    event: (event) => jobs === mine && took(event),
    refused: () => page.refused(used),
    connection(state) {
      page.connection(state);
      if (state === "online" && !wasOnline) list(mine);
      wasOnline = state === "online";
    },
  });
  draw();
}

/** List the jobs page by page; after the first time only as far as the newest that is known. */
async function list(into) {
  const query = new URLSearchParams({ limit: PAGE_JOBS });
  if (choice.scope === "studio") query.set("everyone", "true");
  const isFirst = !isWhole;
  try {
    await readTitles();
    do {
      const { jobs: found, next } = await (await call("GET", `/v1/jobs?${query}`)).json();
      if (jobs !== into) return;
      const hasKnown = found.some((job) => into.byId.has(job.id) && FINAL.includes(into.byId.get(job.id).state));
      into.add(found);
      draw();
      if (!next || (!isFirst && hasKnown)) break;
      query.set("cursor", next);
    } while (into.byId.size < MOST_JOBS);
  } catch (problem) {
    if (problem.status === 401) page.leave(problem.message);
    else if (problem.status === 403) page.enter(); // no TD any more
    else if (jobs === into) tell(problem.message);
    return;
  }
  isWhole = true;
  tell("");
  draw();
}

async function readTitles() {
  const { tasks } = await (await call("GET", "/v1/tasks")).json();
  for (const task of tasks) taskTitles[task.name] = task.title || task.name;
}

function took(event) {
  const { before, job } = jobs.take(event);
  draw();
  const ended = before && !FINAL.includes(before.state) && FINAL.includes(job.state);
  if (ended && job.owner === caller.person) notify(job, titleOfTask(job.task));
}

// --- drawing

function draw() {
  if (drawing) return;
  drawing = true;
  setTimeout(() => {
    drawing = false;
    show();
  }, DRAW_MS);
}

function show() {
  const now = JSON.stringify([jobs.version, choice, Object.keys(taskTitles).length]);
  if (now !== viewed || choice.sort === "progress") {
    viewed = now;
    view = jobs.view({ ...choice, titleOfTask });
    showGroups();
    showEmpty();
  } else {
    view = view.map((job) => jobs.byId.get(job.id));
  }
  rows.show(view);
}

function showGroups() {
  const counts = jobs.counts();
  for (const button of at("groups").children) {
    const name = button.dataset.group;
    button.setAttribute("aria-pressed", String(choice.group === name));
    const number = name ? counts[name] : jobs.byId.size;
    button.firstElementChild.textContent = number.toLocaleString();
    button.classList.toggle("none", !number);
  }
  document.title = `${counts.running ? `${counts.running} running` : "Jobs"} – Sendoff`;
}

function showEmpty() {
  const isFiltered = choice.group || choice.search;
  const none = isFiltered ? "No job is like that." : "No jobs yet. In Blender or Maya, choose Process on server.";
  at("empty").hidden = view.length > 0;
  put("empty", isWhole ? none : "Loading …");
  const all = jobs.byId.size;
  put("shown", view.length === all ? "" : `${view.length.toLocaleString()} of ${all.toLocaleString()} jobs`);
}

const tell = (text) => say("problem", "problem", text);

// --- what a person can do

async function act(job) {
  const ended = FINAL.includes(job.state);
  try {
    await call("POST", jobPath(job.id, ended ? "retry" : "cancel"));
    tell("");
  } catch (problem) {
    if (problem.status === 401) page.leave(problem.message);
    else tell(`${titleWords(job, titleOfTask(job.task))}: ${problem.message}`);
  }
}

function choose(changed) {
  Object.assign(choice, changed);
  const kept = new URLSearchParams();
  if (choice.scope !== "person") kept.set("scope", choice.scope);
  if (choice.group) kept.set("show", choice.group);
  if (choice.sort !== "active") kept.set("sort", choice.sort);
  if (choice.search) kept.set("search", choice.search);
  history.replaceState(null, "", location.pathname + (kept.size ? `?${kept}` : ""));
  showChoice();
  if (changed.scope) follow();
  at("scroller").scrollTop = 0;
  show();
}

function showChoice() {
  for (const button of at("scope").children) {
    button.setAttribute("aria-pressed", String(button.dataset.scope === choice.scope));
  }
  at("sort").value = choice.sort;
  if (at("search").value !== choice.search) at("search").value = choice.search;
}

for (const [name, words] of Object.entries(GROUP_WORDS)) {
  const button = make("button", { type: "button", className: `group ${name}` }, make("b"), make("span", { textContent: words }));
  button.dataset.group = name;
  button.addEventListener("click", () => choose({ group: choice.group === name ? "" : name }));
  at("groups").append(button);
}
at("scope").addEventListener("click", ({ target }) => target.dataset.scope && choose({ scope: target.dataset.scope }));
at("sort").addEventListener("change", () => choose({ sort: at("sort").value }));
at("search").addEventListener("input", () => choose({ search: at("search").value }));
at("search").addEventListener("keydown", (pressed) => {
  if (pressed.key === "Escape") choose({ search: "" });
  if (pressed.key === "ArrowDown" || pressed.key === "Enter") rows.focus(0);
});
document.addEventListener("keydown", (pressed) => {
  if (pressed.key !== "/" || pressed.target.closest("input, select")) return;
  pressed.preventDefault();
  at("search").focus();
});
offerNotifications(at("notify"), tell);
setInterval(() => at("monitor").hidden || rows.draw(), TICK_MS);
setInterval(() => stream && follow(), AFRESH_MS);
showChoice();
page.start();

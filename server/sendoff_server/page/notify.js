// The browser's notification that a job has ended, for a person who wants it.

import { titleWords, stateWords } from "/page/words.js";

const KEY = "sendoff.notify";
const isPossible = "Notification" in window && window.isSecureContext;
const wants = () => isPossible && localStorage.getItem(KEY) === "yes" && Notification.permission === "granted";

/** Have a button turn notifications on and off. Where the browser has none, for example by plain http, it is hidden. */
export function offerNotifications(button, tell) {
  button.hidden = !isPossible;
  const show = () => {
    button.setAttribute("aria-pressed", String(wants()));
    button.title = wants() ? "You are told when a job ends" : "Tell me when a job ends";
  };
  show();
  button.addEventListener("click", async () => {
    if (wants()) localStorage.setItem(KEY, "no");
    else if ((await Notification.requestPermission()) === "granted") localStorage.setItem(KEY, "yes");
    else tell("This browser does not let Sendoff notify you. Allow notifications for this page in the browser's settings.");
    show();
  });
}

/** Tell that a job has ended, where it is wanted; tabs of the same browser tell it once. */
export function notify(job, taskTitle) {
  if (!wants()) return;
  const body = job.state === "failed" ? job.message : "";
  const told = new Notification(`${stateWords(job)}: ${titleWords(job, taskTitle)}`, { body, tag: job.id, icon: "/page/icon.svg" });
  told.onclick = () => {
    window.focus();
    if (!location.pathname.endsWith(job.id)) location.assign(`/jobs/${encodeURIComponent(job.id)}`);
    told.close();
  };
}

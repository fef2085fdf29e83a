// The server, and who asks it: a session that all tabs of this browser share, or a token that was pasted into this one.

const TOKEN = "sendoff.token";
const SESSION = "sendoff.session";
const UNREACHABLE = "The server cannot be reached right now. Check the network, then try again.";

/** An answer that is not what was asked for; its message is a sentence for a person. */
export class Problem extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const session = () => JSON.parse(localStorage.getItem(SESSION) ?? "{}");

export const token = {
  get: () => sessionStorage.getItem(TOKEN) ?? session().token ?? "",
  keep: (text) => sessionStorage.setItem(TOKEN, text),
  forget() {
    sessionStorage.removeItem(TOKEN);
    localStorage.removeItem(SESSION);
  },
};

function keepSession({ token, refresh_token }) {
  sessionStorage.removeItem(TOKEN);
  localStorage.setItem(SESSION, JSON.stringify({ token, refresh_token }));
}

/** Have another token than one that was refused; false where there is none. Throws Problem where the server is away. */
export async function renew(refused) {
  if (token.get() !== refused) return token.get() !== ""; // another tab has one
  const { refresh_token } = session();
  if (sessionStorage.getItem(TOKEN) || !refresh_token) return false;
  try {
    keepSession(await (await send("POST", "/v1/sessions/refresh", { body: { refresh_token } })).json());
  } catch (problem) {
    if (problem.status !== 401) throw problem;
    return token.get() !== refused;
  }
  return true;
}

let ahead = 0;

/** Learn how far the server's clock is ahead of this one, from its time in seconds. */
export function keepTime(seconds) {
  ahead = seconds - Date.now() / 1000;
}

/** The server's time, in seconds. */
export const serverNow = () => Date.now() / 1000 + ahead;

/** Values of the address' fragment, which is taken out of it; "" for one that is not there. */
export function takeFragment(...names) {
  const found = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  return Object.fromEntries(names.map((name) => [name, found.get(name) ?? ""]));
}

/** How people sign in here: `oidc` has the name of the studio's account, or is null. */
export async function waysToSignIn() {
  try {
    return await (await send("GET", "/v1/sign-in")).json();
  } catch {
    return { oidc: null };
  }
}

/** Sign in by name and password. Throws Problem. */
export async function signIn(person, password) {
  keepSession(await (await send("POST", "/v1/sessions", { body: { person, password, client: "Browser" } })).json());
}

/** Spend a code for a token. Throws Problem. */
export async function redeem(code) {
  keepSession(await (await send("POST", "/v1/page-codes/redeem", { body: { code } })).json());
}

/** Make a call as who is signed in; `headers` and `body` (sent as JSON) as wanted. Throws Problem. */
export async function call(method, path, options = {}) {
  for (let isRenewed = false; ; isRenewed = true) {
    const used = token.get();
    try {
      return await send(method, path, { ...options, headers: { ...options.headers, Authorization: `Bearer ${used}` } });
    } catch (problem) {
      if (problem.status !== 401 || isRenewed || !(await renew(used))) throw problem;
    }
  }
}

async function send(method, path, { headers = {}, body } = {}) {
  if (body !== undefined) headers = { ...headers, "Content-Type": "application/json" };
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
  } catch {
    throw new Problem(0, UNREACHABLE);
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new Problem(answer.status, problem.detail ?? `The server answered with status ${answer.status}.`);
}

/** Where a job is, or something of it. */
export function jobPath(job, ...parts) {
  return ["/v1/jobs", job, ...parts].map((part, at) => (at ? encodeURIComponent(part) : part)).join("/");
}

/** Where a file of a job's result is; its path has slashes of its own. */
export function filePath(job, path) {
  return jobPath(job, "files", ...path.split("/"));
}

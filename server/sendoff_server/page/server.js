// The server, and who asks it: a token that this tab keeps until it is closed.

const KEY = "sendoff.token";
const UNREACHABLE = "The server cannot be reached right now. Check the network, then try again.";

/** An answer that is not what was asked for; its message is a sentence for a person. */
export class Problem extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export const token = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  keep: (text) => sessionStorage.setItem(KEY, text),
  forget: () => sessionStorage.removeItem(KEY),
};

/** The one-time code of the address, which is taken out of it; "" where there is none. */
export function takeCode() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code") ?? "";
  if (location.hash) history.replaceState(null, "", location.pathname);
  return code;
}

/** Spend a code for a token. Throws Problem. */
export async function redeem(code) {
  const answer = await call("POST", "/v1/page-codes/redeem", { body: { code }, signed: false });
  token.keep((await answer.json()).token);
}

/** Make a call; `headers` and `body` (sent as JSON) as wanted. Throws Problem. */
export async function call(method, path, { headers = {}, body, signed = true } = {}) {
  if (signed) headers = { ...headers, Authorization: `Bearer ${token.get()}` };
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

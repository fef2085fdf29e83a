// Somebody who is signed in lets an application in that shows a code.

import { call, redeem, takeFragment, token } from "/page/server.js";
import { askToSignIn } from "/page/sign_in.js";

const at = (name) => document.getElementById(name);
const CODE = "sendoff.code";
let { code, "sign-in": signInCode } = takeFragment("code", "sign-in");
// Kept over the way to the studio's sign-in service and back.
code ||= sessionStorage.getItem(CODE) ?? "";
let person = "";

async function start() {
  at("code").value = code;
  sessionStorage.setItem(CODE, code);
  if (signInCode) {
    try {
      await redeem(signInCode);
    } catch (problem) {
      return signInFirst(problem.message);
    } finally {
      signInCode = "";
    }
  }
  if (!token.get()) return signInFirst();
  try {
    person = (await (await call("GET", "/v1/server")).json()).person;
  } catch (problem) {
    if (problem.status === 401) return signInFirst(problem.message);
    return ask(problem.message);
  }
  at("person").textContent = person;
  if (code) lookUp();
  else ask();
}

function signInFirst(why = "") {
  token.forget();
  show("sign-in");
  askToSignIn(at("sign-in"), { why, hint: "Then you can let the application in.", done: start });
}

function ask(why = "") {
  at("problem").textContent = why;
  show("ask");
  at("code").focus();
}

at("code-form").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  code = at("code").value.trim();
  lookUp();
});

async function lookUp() {
  let asks;
  try {
    asks = await (await call("GET", `/v1/device/${encodeURIComponent(code)}`)).json();
  } catch (problem) {
    return refused(problem);
  }
  at("name").textContent = at("done-name").textContent = asks.name;
  at("address").textContent = asks.address;
  at("who").textContent = person;
  show("confirm");
  at("yes").focus();
}

at("yes").addEventListener("click", async () => {
  at("yes").disabled = true;
  try {
    await call("POST", `/v1/device/${encodeURIComponent(code)}/approve`, { body: {} });
  } catch (problem) {
    return refused(problem);
  } finally {
    at("yes").disabled = false;
  }
  sessionStorage.removeItem(CODE);
  show("done");
});

at("no").addEventListener("click", () => {
  code = "";
  at("code").value = "";
  sessionStorage.removeItem(CODE);
  ask();
});

function refused(problem) {
  if (problem.status === 401) return signInFirst(problem.message);
  sessionStorage.removeItem(CODE);
  ask(problem.message);
}

function show(name) {
  for (const part of document.querySelectorAll("main")) part.hidden = part.id !== name;
}

start();

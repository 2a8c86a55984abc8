// A stack of its own for a test: started, stopped and killed.
import { execFileSync, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

export function folder() {
  return mkdtempSync(join(tmpdir(), "orangery-browser-"));
}

export async function start(options = []) {
  const child = spawn(process.env.ORANGERY_BIN, ["dev", "--port", "0", "--table-port", "0", ...options]);
  let said = "";
  const url = await new Promise((resolve, reject) => {
    child.stdout.on("data", (data) => {
      said += data;
      const ready = said.match(/ready (http:\S+)/);
      if (ready && (options.includes("--no-samples") || said.includes("where to look"))) {
        resolve(ready[1]);
      }
    });
    child.stderr.on("data", (data) => (said += data));
    child.on("exit", (code, signal) => {
      if (signal !== "SIGKILL" && signal !== "SIGABRT") console.log(`      the stack ended (${code ?? signal}): ${said.slice(-2000)}`);
      reject(new Error(`the stack ended: ${said}`));
    });
  });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  return { url, child, ended, said: () => said };
}

// Kills it. A panic is caught where it happens and costs one connection, so nobody else tells.
export async function stop(stack) {
  stack.child.kill("SIGKILL");
  await stack.ended;
  if (stack.said().includes("panicked")) throw new Error(stack.said().slice(-4000));
}

// The secret that the local stack's door of a provider takes when it was told none.
function localSecret(provider) {
  const text = `LocalStackOfOrangery${provider}`;
  return `whsec_${text.padEnd(Math.ceil(text.length / 4) * 4, "A")}`;
}

// How each of them signs a body: the message's own name, the second, the key. PayPal is not
// here: only PayPal can sign for it.
const SIGNED = {
  stripe: (text, { at, secret }) => ({ "stripe-signature": `t=${at},v1=${hex(secret, `${at}.${text}`)}` }),
  paddle: (text, { at, secret }) => ({ "paddle-signature": `ts=${at};h1=${hex(secret, `${at}:${text}`)}` }),
  gocardless: (text, { secret }) => ({ "webhook-signature": hex(secret, text) }),
  // A form is not signed: whoever is asked for what it names proves it.
  mollie: (text, { secret }) => (text.startsWith("id=") ? {} : { "x-mollie-signature": `sha256=${hex(secret, text)}` }),
  standard,
  polar: standard,
};

function standard(text, { at, secret, message }) {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const mac = createHmac("sha256", key).update(`${message}.${at}.${text}`).digest("base64");
  return { "webhook-id": message, "webhook-timestamp": String(at), "webhook-signature": `v1,${mac}` };
}

function hex(secret, text) {
  return createHmac("sha256", secret).update(text).digest("hex");
}

async function post(url, text, headers) {
  const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: text });
  return { status: answer.status, body: await answer.text() };
}

// Sends a body as the provider would.
export async function deliver(url, body, { provider = "stripe", now, secret = localSecret(provider), message } = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const at = Math.floor((now ?? Date.now()) / 1000);
  return post(`${url}/webhooks/${provider}`, text, SIGNED[provider](text, { at, secret, message }));
}

// Sends a body as a partner would.
export async function report(url, partner, body, { secret, message }) {
  const text = JSON.stringify(body);
  const at = Math.floor(Date.now() / 1000);
  return post(`${url}/partners/${partner}/events`, text, standard(text, { at, secret, message }));
}

// Makes a partner known to a stack; gives its secret.
export function partner(stack, name) {
  const { port } = new URL(stack.url);
  return execFileSync(process.env.ORANGERY_BIN, ["partner", "add", name, "--port", port], { stdio: ["ignore", "pipe", "ignore"] })
    .toString()
    .trim();
}

// Answers, in the place of a provider's API, whatever `said.documents` holds under a path.
export async function standIn() {
  const said = { documents: {} };
  const server = createServer((request, answer) => {
    const document = said.documents[request.url];
    answer.writeHead(document ? 200 : 404, { "content-type": "application/json" });
    answer.end(document ? JSON.stringify(document) : "{}");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { said, url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

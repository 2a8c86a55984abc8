// A stack of its own for a test: started, stopped and killed.
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const SECRET = "whsec_LocalStackOfOrangerystripeAA";

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

// Sends a body as the provider would.
export async function deliver(url, body, { now, secret = SECRET } = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const at = Math.floor((now ?? Date.now()) / 1000);
  const signature = createHmac("sha256", secret).update(`${at}.${text}`).digest("hex");
  const headers = { "stripe-signature": `t=${at},v1=${signature}`, "content-type": "application/json" };
  const answer = await fetch(`${url}/webhooks/stripe`, { method: "POST", headers, body: text });
  return { status: answer.status, body: await answer.text() };
}

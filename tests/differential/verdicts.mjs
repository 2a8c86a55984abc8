// Asks the official libraries of npm: verdicts.mjs FOLDER writes FOLDER/<scheme>.<library>.verdicts,
// a line for each delivery: `accepted`, or the name of the error.
import { createReadStream, createWriteStream } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const folder = process.argv[2];
const require = createRequire(join(process.env.MODULES, "package.json"));
const { default: Stripe } = await import(require.resolve("stripe"));
const standard = require("standardwebhooks");
const svix = require("svix");
const polar = require("@polar-sh/sdk/webhooks");
const { Paddle } = require("@paddle/paddle-node-sdk");
const gocardless = require("gocardless-nodejs/webhooks");

// The libraries ask the clock themselves.
const SystemDate = Date;
let now = 0;
globalThis.Date = class extends SystemDate {
  constructor(...parts) {
    super(...(parts.length ? parts : [now]));
  }
  static now() {
    return now;
  }
};

const stripe = new Stripe("sk_test_nothing");
const paddle = new Paddle("nothing");

// What is thrown once the signature fits says nothing about the sender.
const afterwards = (error) =>
  error instanceof SyntaxError || error.constructor.name === "SDKValidationError";

const LIBRARIES = {
  stripe: ["stripe-npm", (secret, headers, body) => {
    stripe.webhooks.constructEvent(body, headers["stripe-signature"], secret, 300, undefined, now);
  }],
  standard: ["standardwebhooks-npm", (secret, headers, body) => {
    new standard.Webhook(secret).verify(body, headers);
  }],
  svix: ["svix-npm", (secret, headers, body) => {
    new svix.Webhook(secret).verify(body, headers);
  }],
  polar: ["polar-npm", (secret, headers, body) => {
    polar.validateEvent(body, headers, secret);
  }],
  paddle: ["paddle-npm", async (secret, headers, body) => {
    const signature = headers["paddle-signature"];
    if (!(await paddle.webhooks.isSignatureValid(body.toString(), secret, signature))) {
      throw new Error("is not valid");
    }
  }],
  gocardless: ["gocardless-npm", (secret, headers, body) => {
    gocardless.verifySignature(body, secret, headers["webhook-signature"]);
  }],
};

// As node's own server hands them over.
function joined(pairs) {
  const headers = {};
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    headers[key] = key in headers ? `${headers[key]}, ${value}` : value;
  }
  return headers;
}

// Libraries take one secret; while one replaces another they are asked about each.
async function verdict(ask, delivery) {
  const body = Buffer.from(delivery.body, "base64");
  const headers = joined(delivery.headers);
  let refused = "none";
  now = delivery.now;
  for (const secret of delivery.secrets) {
    try {
      await ask(secret, { ...headers }, body);
      return "accepted";
    } catch (error) {
      if (afterwards(error)) return "accepted";
      refused = error.name ?? error.constructor.name;
    }
  }
  return refused;
}

for (const [scheme, [name, ask]] of Object.entries(LIBRARIES)) {
  const out = createWriteStream(join(folder, `${scheme}.${name}.verdicts`));
  const lines = createInterface({ input: createReadStream(join(folder, `${scheme}.jsonl`)) });
  for await (const line of lines) {
    out.write(`${await verdict(ask, JSON.parse(line))}\n`);
  }
  await new Promise((done) => out.end(done));
}

// Hostile strings in every field of every event: no script, no broken page, no extra element.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deliver, report } from "./stack.mjs";

const controls = Array.from({ length: 31 }, (_, at) => String.fromCharCode(at + 1)).join("");

// In the spirit of the Big List of Naughty Strings: each breaks somebody's page.
export const STRINGS = [
  "<script>window.HIT=1</script>",
  "</title><script>window.HIT=1</script>",
  "\"><img src=x onerror=window.HIT=1>",
  "'><svg/onload=window.HIT=1>",
  "<iframe src=javascript:window.HIT=1></iframe>",
  "javascript:window.HIT=1",
  "{{ 7*7 }}{% for x in range(9) %}boom{% endfor %}{# c #}",
  "${7*7} #{7*7} <%= 7*7 %>",
  "</textarea></pre></code><b data-extra>extra</b>",
  "<!-- --><base href=//evil.example><meta http-equiv=refresh content=0>",
  "\u202Eright to left\u202C \u2066iso\u2069",
  "\u200B\uFEFF\u0000".replace("\u0000", ""),
  controls,
  "Z\u0351\u036B\u0343\u036A\u0302\u036B\u033D\u034F\u0334\u0319A\u0337L\u0334\u0321G\u0338O\u0337",
  "\u{1F468}\u200D\u{1F469}\u200D\u{1F467} \u{1F1EB}\u{1F1F7} \u{1F34A}",
  "田中さんにあげて下さい 부락토산 社會科學院",
  "هُنَاكَتْ תהו ובהו",
  "'; DROP TABLE customers; -- \\\" \\' \\\\",
  "a@b.example\r\nBcc: evil@evil.example",
  "../../../etc/passwd%00?x=1&y=2#z",
  "ÅÍÎÏ˝ÓÔÒÚÆ☃ ﷽ ‱",
  "x".repeat(3000),
  "&lt;script&gt;&amp;&#x27;",
  "NaN", "null", "undefined", "1E+2", "0x0", "-9223372036854775808",
];

// Every place of a value that holds a text.
function* places(value, path = []) {
  if (typeof value === "string") yield path;
  else if (value && typeof value === "object") {
    for (const key of Object.keys(value)) yield* places(value[key], [...path, key]);
  }
}

// Every place of a value that holds an object.
function* objects(value, path = []) {
  if (!value || typeof value !== "object") return;
  if (!Array.isArray(value)) yield path;
  for (const key of Object.keys(value)) yield* objects(value[key], [...path, key]);
}

function at(value, path) {
  return path.reduce((inner, key) => inner[key], value);
}

function put(value, path, text) {
  const copy = structuredClone(value);
  at(copy, path.slice(0, -1))[path.at(-1)] = text;
  return copy;
}

// An object of it has one more key.
function add(value, path, key) {
  const copy = structuredClone(value);
  at(copy, path)[key] = key;
  return copy;
}

// Every text of it in turn becomes hostile, then every object gets a hostile key.
function* bent(value, hostile) {
  for (const path of places(value)) yield { path, bent: put(value, path, hostile()) };
  for (const path of objects(value)) yield { path, bent: add(value, path, hostile()) };
}

// Who speaks to the doors, about what, and what makes an event one of its own where no header
// does. What the thin ones do not say, somebody in their API's place does.
const SPEAKERS = [
  { provider: "stripe", of: /^(charge|checkout|customer|invoice|payment|refund)/, own: (body, id) => ({ ...body, id: `evt_${id}` }) },
  { provider: "paddle", of: /^(adjustment|customer|subscription|transaction)/, own: (body, id) => ({ ...body, event_id: `evt_${id}` }) },
  { provider: "polar", of: /^(customer|order|refund|subscription)/ },
  { provider: "standard", of: /^(customer|dispute|payment|refund|subscription)/ },
  { provider: "gocardless", of: /^(billing|mandates|payments|refunds|subscriptions)/, own: (body, id) => ({ ...body, events: body.events.map((event) => ({ ...event, id: `EV${id}` })) }) },
];

// Whose API is asked, and about which samples.
const ASKING = {
  gocardless: /^(mandates\.cancelled|payments\.confirmed|refunds\.paid|subscriptions\.created)\.json/,
  mollie: /^payment\.(charged_back|failed|paid|refunded)\.json/,
};

// A sample has a customer and objects of its own: in one journal each of a thousand late events
// would fold all the others again.
function apart(text, file) {
  return text.replace(/"cus_\w+"/g, `"cus_hostile${file}"`).replace(/Grove01/g, `Hostile${file}`);
}

function fixtures(folder, of) {
  const where = join(process.env.ORANGERY_FIXTURES, folder);
  const names = readdirSync(where).filter((name) => name.endsWith(".json") && of.test(name) && !/answers/.test(name));
  return names.map((name, file) => {
    const own = name.replace(/json$/, "answers.json");
    const texts = ["answers.json", own].filter((known) => existsSync(join(where, known)));
    const answers = texts.map((known) => JSON.parse(apart(readFileSync(join(where, known), "utf8"), file)));
    const text = readFileSync(join(where, name), "utf8");
    // Mollie's classic bodies are forms.
    const sample = text.startsWith("{") ? JSON.parse(apart(text, file)) : apart(text.trim(), file);
    return { name, sample, answers: Object.assign({}, ...answers) };
  });
}

// All of them to all doors: `every` says which share of all there are.
export async function sendAll(stack, { every = 1, partner, api }) {
  const answers = {};
  const counted = { values: 0, keys: 0, of_apis: 0, of_partners: 0 };
  let next = 0;
  const hostile = () => STRINGS[next % STRINGS.length];
  const due = () => (next += 1) % every === 0;
  const send = async (who, what, kind, sending) => {
    const answer = await sending().catch((error) => {
      throw new Error(`${who}, ${what}, after ${next}: ${error.cause ?? error}`);
    });
    const key = `${who} ${answer.status}`;
    answers[key] = (answers[key] ?? 0) + 1;
    counted[kind] += 1;
  };
  for (const { provider, of, own = (body) => body } of SPEAKERS) {
    for (const { name, sample, answers: documents } of fixtures(provider, of)) {
      api.said.documents = documents;
      for (const { path, bent: body } of bent(sample, hostile)) {
        if (!due()) continue;
        const isKey = typeof at(sample, path) === "object";
        const event = own(body, `hostile_${next}`);
        if (path.at(-1) !== "type" && sample.type) event.type = sample.type;
        const message = `msg_hostile_${next}`;
        await send(provider, `${name}, ${path.join(".")}`, isKey ? "keys" : "values", () => deliver(stack.url, event, { provider, message }));
      }
    }
  }
  const gocardless = SPEAKERS.find((speaker) => speaker.provider === "gocardless");
  for (const [provider, of] of Object.entries(ASKING)) {
    for (const { name, sample, answers: documents } of fixtures(provider, of)) {
      for (const { path, bent: bentDocuments } of bent(documents, hostile)) {
        // A key beside the paths is a path that nobody asks for.
        if (path.length === 0 || !due()) continue;
        api.said.documents = bentDocuments;
        const event = typeof sample === "string" ? sample : gocardless.own(sample, `hostile_${next}`);
        await send(provider, `${name}, ${path.join(".")}`, "of_apis", () => deliver(stack.url, event, { provider }));
      }
    }
  }
  for (const { name, sample } of fixtures("partner", /^referral/)) {
    for (const { path, bent: body } of bent(sample, hostile)) {
      next += 1;
      const message = `msg_hostile_${next}`;
      await send("partner", `${name}, ${path.join(".")}`, "of_partners", () => report(stack.url, "acme", body, { secret: partner, message }));
    }
  }
  return { counted, answers };
}

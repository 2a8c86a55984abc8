// Hostile strings in every field of every event: no script, no broken page, no extra element.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deliver } from "./stack.mjs";

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

function put(value, path, text) {
  const copy = structuredClone(value);
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key];
  at[path.at(-1)] = text;
  return copy;
}

// Each text field of each sample in turn becomes one of the strings. A sample has a customer of
// its own: in one journal each of a thousand late events would fold all the others again.
export async function sendAll(url, every = 1) {
  const folder = join(process.env.ORANGERY_FIXTURES, "stripe");
  const names = readdirSync(folder).filter((name) => /^(charge|checkout|customer|invoice|payment|refund)/.test(name) && !name.includes("expect"));
  const answers = {};
  let sent = 0;
  let next = 0;
  for (const [file, name] of names.entries()) {
    const text = readFileSync(join(folder, name), "utf8").replace(/"cus_\w+"/g, `"cus_hostile${file}"`);
    const sample = JSON.parse(text);
    for (const path of places(sample)) {
      next += 1;
      if (next % every !== 0) continue;
      const hostile = STRINGS[next % STRINGS.length];
      const body = put(sample, path, hostile);
      if (path.join(".") !== "id") body.id = `evt_hostile_${next}`;
      if (path.at(-1) !== "type") body.type = sample.type;
      const answer = await deliver(url, body).catch((error) => {
        throw new Error(`${name}, ${path.join(".")}, after ${sent}: ${error.cause ?? error}`);
      });
      answers[answer.status] = (answers[answer.status] ?? 0) + 1;
      sent += 1;
    }
  }
  return { sent, answers };
}

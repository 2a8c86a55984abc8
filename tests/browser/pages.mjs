// Sends a sample, sees it arrive, opens the customer and the letter, moves the clock; and looks
// at every page at two widths, in both lights and both languages, with axe.
import { strict as assert } from "node:assert";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { sendAll } from "./hostile.mjs";
import { folder, partner, standIn, start, stop } from "./stack.mjs";

const require = createRequire(join(process.env.MODULES, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const shots = process.env.ORANGERY_SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

let passed = 0;
let failed = 0;
const complaints = [];

async function check(name, work) {
  try {
    await work();
    passed += 1;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n      ${`${error.message} ${error.cause ?? ""}`.split("\n").slice(0, 12).join("\n      ")}`);
  }
}

// A page that remembers what it complained of and whom it asked.
async function open(browser, url, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  page.on("console", (message) => {
    // A refused page is a page too: its status is not an error of ours.
    if (message.type() === "error") complaints.push(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error}`));
  page.on("request", (request) => {
    const to = request.url();
    if (!to.startsWith(url) && !/^(data|about):/.test(to)) complaints.push(`asked ${to}`);
  });
  return page;
}

async function audit(page, rules = {}) {
  // Through the debugger, which the policy of the page does not bind.
  await page.evaluate(axe);
  const found = await page.evaluate((rules) => window.axe.run(document, { iframes: false, rules }), rules);
  const words = found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).slice(0, 3).join(" | ")}`);
  assert.deepEqual(words, [], `axe at ${page.url()}`);
}

async function fits(page) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `${page.url()} is ${wide} px too wide`);
}

async function clicks(browser) {
  const stack = await start(["--no-samples", "--data", folder(), "--chaos", "kill"]);
  const { url } = stack;
  const page = await open(browser, url);
  await check("an empty stack says what to type", async () => {
    await page.goto(url);
    await page.getByText("orangery send stripe ada").waitFor();
    if (shots) await page.screenshot({ path: join(shots, "empty.png") });
  });
  await check("a sample sent elsewhere arrives by itself", async () => {
    const other = await open(browser, url);
    await other.goto(`${url}/demo`);
    await other.getByRole("button", { name: "Play ada" }).click();
    await other.getByText(/(\d+) \/ \1 accepted/).waitFor();
    await other.close();
    await page.locator("[data-count=customers]", { hasText: "1" }).waitFor();
  });
  await check("the customer shows cause and effect", async () => {
    await page.locator("[data-count=letters-sent]", { hasText: "1" }).waitFor();
    await page.goto(`${url}/customers?q=ada@example.com`);
    await page.waitForURL(/customer\?key/);
    await page.getByText("subscription sub_Ada01").first().waitFor();
  });
  await check("its letter opens, in both bodies", async () => {
    await page.getByRole("link", { name: "✉ Welcome" }).click();
    await page.frameLocator("iframe").getByText("Ada").first().waitFor();
    await page.getByRole("link", { name: "Text", exact: true }).click();
    await page.locator("pre.letter").waitFor();
  });
  await check("an event replayed at a key is a repetition", async () => {
    await page.goto(`${url}/customer?key=stripe/test/cus_ada`);
    await page.locator(".timeline .cause a").first().click();
    await page.waitForURL(/event\?id/);
    await page.keyboard.press("r");
    await page.locator("[data-replayed=same]").waitFor();
    const said = await page.locator("[data-replayed]").innerText();
    assert.match(said, /"repeated":1/);
  });
  await check("the clock moves on by a day", async () => {
    await page.goto(`${url}/clock`);
    const before = await page.locator(".now time").getAttribute("datetime");
    await page.keyboard.press("d");
    await page.waitForURL(/since/);
    const after = await page.locator(".now time").getAttribute("datetime");
    assert.ok(Date.parse(after) - Date.parse(before) >= 86_400_000);
    await page.getByText("What happened then").waitFor();
  });
  await check("a trial's end is announced when the clock comes near it", async () => {
    await page.goto(`${url}/demo`);
    await page.getByRole("button", { name: "Play chloe" }).click();
    await page.waitForURL(/sent=/);
    await page.goto(url);
    await page.locator("[data-count=letters-sent]", { hasText: "2" }).waitFor();
    await page.goto(`${url}/clock`);
    // Two weeks of trial, told of three days before their end.
    for (const by of ["+ 1 week", "+ 3 days", "+ 1 day"]) {
      await page.getByRole("button", { name: by }).click();
      await page.getByText("What happened then").waitFor();
    }
    await page.locator(".activity", { hasText: "Trial ending" }).first().waitFor();
    await page.goto(`${url}/customer?key=stripe/test/cus_chloe`);
    await page.getByRole("link", { name: "✉ Trial ending" }).click();
    await page.frameLocator("iframe").getByText("Chloé").first().waitFor();
    await page.goto(`${url}/mailbox`);
    assert.equal(await page.locator(".cards .card").count(), 3);
  });
  await check("a refused request names its cause", async () => {
    await fetch(`${url}/webhooks/stripe`, { method: "POST", body: "{}" });
    await page.goto(`${url}/refused`);
    await page.getByText("the request is not signed").click();
    await page.getByText("What to do:").waitFor();
  });
  await check("it speaks French and dark at a switch", async () => {
    await page.goto(`${url}/clock`);
    await page.getByRole("button", { name: "Français" }).click();
    await page.getByRole("heading", { name: "Horloge" }).waitFor();
    await page.getByRole("button", { name: "Sombre" }).click();
    assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  });
  await check("a page of another origin changes nothing", async () => {
    const headers = { origin: "http://evil.example", "content-type": "application/x-www-form-urlencoded" };
    const answer = await fetch(`${url}/clock`, { method: "POST", headers, body: "advance=1d" });
    assert.equal(answer.status, 403);
  });
  await page.close();
  await stop(stack);
}

const PAGES = (event) => ({
  overview: "/",
  customers: "/customers",
  nobody: "/customers?q=nobody",
  customer: "/customer?key=stripe/test/cus_ada",
  dana: "/customer?key=stripe/test/cus_dana",
  gaspard: "/customer?key=stripe/test/cus_gaspard",
  marius: "/customer?key=stripe/test/cus_marius",
  partners: "/partners",
  partner: "/partner?name=agrumes",
  event,
  refused: "/refused",
  refusal: "/refused/one?id=1",
  mailbox: "/mailbox",
  gallery: "/gallery",
  letter: "/gallery/one?letter=welcome&language=fr",
  letterphone: "/gallery/one?letter=welcome&language=fr&width=phone&light=dark",
  source: "/gallery/one?letter=welcome&language=en&view=source",
  clock: "/clock?since=0",
  demo: "/demo",
});

// A letter is shown inside its reader's own page, which has the landmarks.
const A_PART = { "landmark-one-main": { enabled: false }, region: { enabled: false } };
const LETTERS = ["welcome", "payment_failed", "payment_recovered", "cancellation_confirmed", "trial_ending"];

async function looks(browser) {
  const stack = await start([]);
  const { url } = stack;
  await fetch(`${url}/webhooks/stripe`, { method: "POST", body: "{}" });
  const seen = await (await fetch(`${url}/refused`)).text();
  const refusal = seen.match(/\/refused\/one\?id=\d+/)[0];
  const first = await (await fetch(`${url}/customer?key=stripe/test/cus_ada`)).text();
  const event = first.match(/\/event\?id=[^"]+/)[0].replaceAll("&amp;", "&");
  const pages = { ...PAGES(event), refusal };
  for (const [width, height] of [[375, 812], [1200, 900]]) {
    for (const colorScheme of ["light", "dark"]) {
      const locale = width === 375 ? "fr-FR" : "en-GB";
      const page = await open(browser, url, { viewport: { width, height }, colorScheme, locale });
      for (const [name, path] of Object.entries(pages)) {
        await check(`${name} at ${width} px, ${colorScheme}, ${locale}`, async () => {
          const answer = await page.goto(url + path);
          assert.equal(answer.status(), 200);
          if (shots) await page.screenshot({ path: join(shots, `${name}-${width}-${colorScheme}.png`), fullPage: true });
          await fits(page);
          await audit(page);
        });
      }
      const language = locale.slice(0, 2);
      for (const letter of LETTERS) {
        await check(`letter ${letter} at ${width} px, ${colorScheme}, ${language}`, async () => {
          // Its own document: behind the gallery's policy no checker may run in it.
          const answer = await fetch(`${url}/gallery/body?letter=${letter}&language=${language}`);
          assert.equal(answer.status, 200);
          await page.goto("about:blank");
          await page.setContent(await answer.text());
          if (shots) await page.screenshot({ path: join(shots, `letter-${letter}-${width}-${colorScheme}.png`), fullPage: true });
          await fits(page);
          await audit(page, A_PART);
        });
      }
      await page.close();
    }
  }
  await check("a letter's preview is as light or dark as its switch says", async () => {
    // A scheme that is emulated would be every frame's.
    const page = await open(browser, url, { colorScheme: null });
    for (const [light, dark] of [["light", false], ["dark", true]]) {
      await page.goto(`${url}/gallery/one?letter=welcome&language=en&light=${light}`);
      const frame = await page.locator("iframe").contentFrame().owner().elementHandle();
      const inside = await (await frame.contentFrame()).evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches);
      assert.equal(inside, dark, light);
    }
    await page.close();
  });
  await stop(stack);
}

// What the pages say of every customer, but for moments.
async function story(page, url) {
  await page.goto(`${url}/customers`);
  const links = await page.locator(".card a.title").evaluateAll((all) => all.map((a) => a.href));
  const told = {};
  for (const link of links) {
    await page.goto(link);
    const text = (await page.locator(".side").innerText()).replace(/\d{4}-\d\d-\d\d[T ][\d:.]+(Z| UTC)/g, "(a moment)");
    // Who hears of a failure only after it was made good writes of the recovery alone.
    told[new URL(link).searchParams.get("key")] = text.replace(/✉ Payment failed\s+sent\s+in_Gaspard02\s+/, "");
  }
  return told;
}

async function tell(page, url) {
  await page.goto(`${url}/demo`);
  await page.getByRole("button", { name: "Play all" }).click({ timeout: 120000 });
  await page.waitForURL(/sent=/, { timeout: 120000 });
  await fetch(`${url}/_stack/settle`, { method: "POST" });
}

async function killed(browser) {
  const whole = await start(["--no-samples"]);
  const first = await open(browser, whole.url);
  await tell(first, whole.url);
  const expected = await story(first, whole.url);
  await first.close();
  await stop(whole);
  const options = ["--no-samples", "--data", folder(), "--chaos", "duplicate,shuffle,kill"];
  await check("killed from its page under chaos, it tells the same story", async () => {
    for (let times = 0; times < 2; times += 1) {
      const dying = await start(options);
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      await fetch(`${dying.url}/demo/kill`, { method: "POST", headers, body: "" }).catch(() => {});
      await dying.ended;
    }
    const again = await start(options);
    const page = await open(browser, again.url);
    await page.goto(again.url);
    const kept = Number(await page.locator("[data-count=events]").innerText());
    assert.ok(kept > 5, `only ${kept} events outlived it`);
    await tell(page, again.url);
    assert.deepEqual(await story(page, again.url), expected);
    await page.close();
    await stop(again);
  });
}

// Elements that no text may bring along; counts must be those of a page with harmless texts.
async function hostile(browser) {
  const api = await standIn();
  const stack = await start(["--no-samples", "--api", `gocardless=${api.url}`, "--api", `mollie=${api.url}`]);
  const { url } = stack;
  const every = Number(process.env.ORANGERY_HOSTILE_EVERY ?? 20);
  const most = every === 1 ? 6000 : 200;
  const page = await open(browser, url);
  await check("hostile strings in every field break nothing", async () => {
    const { counted, answers } = await sendAll(stack, { every, api, partner: partner(stack, "acme") });
    console.log(`      hostile: ${JSON.stringify(counted)}, answers: ${JSON.stringify(answers)}`);
    const todo = ["/", "/customers", "/partners", "/partner?name=acme", "/refused", "/mailbox"];
    const done = new Set();
    while (todo.length > 0 && done.size < most) {
      const path = todo.shift();
      if (done.has(path)) continue;
      done.add(path);
      const answer = await page.goto(url + path);
      assert.equal(answer.status(), 200, path);
      const found = await page.evaluate(() => ({
        hit: window.HIT,
        scripts: document.querySelectorAll("script").length,
        frames: [...document.querySelectorAll("iframe")].filter((f) => !f.classList.contains("letter")).length,
        extra: document.querySelectorAll("[data-extra], img, svg, base, object, embed, [onerror], [onload]").length,
        main: document.querySelectorAll("main").length,
        footer: document.querySelectorAll("body > footer").length,
        odd: [...document.querySelectorAll("a[href]")].filter((a) => a.origin !== location.origin).length,
        text: document.body.innerText.includes("boomboom"),
        links: [...document.querySelectorAll("main a[href]")].map((a) => a.getAttribute("href")),
      }));
      const { links, ...rest } = found;
      assert.deepEqual(rest, { hit: undefined, scripts: 1, frames: 0, extra: 0, main: 1, footer: 1, odd: 0, text: false }, path);
      todo.push(...links.filter((link) => link.startsWith("/") && !link.startsWith("/refused/save")));
    }
    await fits(page);
    console.log(`      ${done.size} pages opened`);
  });
  await page.close();
  await stop(stack);
  api.close();
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
const parts = { clicks, looks, killed, hostile };
const wanted = process.argv.slice(2);
for (const [name, part] of Object.entries(parts)) {
  if (wanted.length === 0 || wanted.includes(name)) await part(browser);
}
await browser.close();
await check("no console error and no request elsewhere", () => assert.deepEqual(complaints, []));
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

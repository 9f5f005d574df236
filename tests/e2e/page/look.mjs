// Opens the console in Chromium as an operator would, in Chinese and English, at the width of a desk and of a phone; checks what it must
// show and leaves screenshots. Usage: node look.mjs BASE_URL USER PASSWORD SCREENSHOT_DIR; exit 0 when all held.
import { createRequire } from 'node:module';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(process.env.PLAYWRIGHT_FROM);
const { chromium } = require('playwright-core');
const [base, user, password, shots] = process.argv.slice(2);

// Without these Chromium calls home at each start.
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
const patience = 20_000;

function must(condition, what) {
  if (!condition) throw new Error(what);
  console.log(`ok ${what}`);
}

async function signIn(page) {
  await page.goto(base);
  await page.locator('input[autocomplete="username"]').fill(user);
  await page.locator('input[autocomplete="current-password"]').fill(password);
  await page.locator('button[type="submit"]').click();
  await page.getByText(user, { exact: true }).or(page.locator('main h1')).first().waitFor();
}

// A person with this browser language, at this window size.
async function visit(locale, viewport, name, see) {
  const context = await chromium.launchPersistentContext(mkdtempSync(join(tmpdir(), 'voltwell-page-')), {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args, locale, viewport, timezoneId: 'Asia/Shanghai' });
  const page = context.pages()[0] ?? await context.newPage();
  page.setDefaultTimeout(patience);
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  try {
    await page.goto(base);
    await page.locator('button[type="submit"]').waitFor();
    await page.screenshot({ path: join(shots, `${name}-login.png`) });
    await signIn(page);
    await see(page, (part) => page.screenshot({ path: join(shots, `${name}-${part}.png`) }));
  } catch (error) {
    await page.screenshot({ path: join(shots, `${name}-failed.png`) }).catch(() => {});
    throw error;
  } finally {
    await context.close();
  }
  // Before sign-in the page asks who it is and is told 401: that is the one error expected.
  const unexpected = complaints.filter((text) => !text.includes('401'));
  must(unexpected.length === 0, `${name}: no error in the browser's console ${unexpected.join('; ')}`);
}

const desk = { width: 1366, height: 900 };
const phone = { width: 390, height: 844 };
const words = {
  'zh-CN': { overview: '总览', meters: '表计', collectors: '采集器', read: '立即抄表' },
  'en-US': { overview: 'Overview', meters: 'Meters', collectors: 'Collectors', read: 'Read now' },
};

async function seeAll(page, shot, text, name) {
  await page.locator('main').getByText(text.overview).first().waitFor();
  await page.waitForTimeout(1500);  // Charts draw themselves in.
  await shot('overview');
  await page.goto(`${base}/collectors`);
  await page.getByText('VW-DEMO-0001').first().waitFor();
  await page.waitForTimeout(800);
  await shot('collectors');
  await page.goto(`${base}/meters`);
  const reading = page.getByText(/\d[\d,]*\.\d\d/).first();
  await reading.waitFor();
  await page.waitForTimeout(800);
  await shot('meters');
  must(true, `${name}: meters show their readings`);
}

await visit('zh-CN', desk, 'zh-desk', async (page, shot) => {
  await seeAll(page, shot, words['zh-CN'], 'zh-desk');
  // Live: without a reload, the page shows readings that were stored after it was opened.
  const before = await page.locator('main').innerText();
  await page.waitForFunction((old) => document.querySelector('main').innerText !== old, before, { timeout: 40_000 });
  must(true, 'zh-desk: the page changes by itself when readings arrive');
  await page.getByText('1栋1单元101').first().click();
  await page.waitForTimeout(1500);
  await shot('meter');
  await page.goto(`${base}/runs`);
  await page.waitForTimeout(1500);
  await shot('runs');
  await page.goto(`${base}/schedules`);
  await page.waitForTimeout(1500);
  await shot('schedules');
});
await visit('en-US', desk, 'en-desk', async (page, shot) => {
  await seeAll(page, shot, words['en-US'], 'en-desk');
  await page.getByText('1栋1单元101').first().click();
  const read = page.getByRole('button', { name: words['en-US'].read }).last();
  await read.click();
  await page.getByText(/kWh/).first().waitFor();
  await page.waitForTimeout(3000);
  await shot('read-now');
});
await visit('zh-CN', phone, 'zh-phone', (page, shot) => seeAll(page, shot, words['zh-CN'], 'zh-phone'));
await visit('en-US', phone, 'en-phone', (page, shot) => seeAll(page, shot, words['en-US'], 'en-phone'));

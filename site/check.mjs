// SPDX-License-Identifier: Apache-2.0
// Looks at the built site in Chromium: every link and anchor leads somewhere, no page is wider than its window at two widths, light and
// dark, no script fails, and the search finds what people search for.
//   node check.mjs [PICTURES]     PICTURES: a directory for screenshots
import { createServer } from 'node:http'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const dist = fileURLToPath(new URL('dist', import.meta.url))
const pictures = process.argv[2]
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' }
const windows = [{ width: 1280, height: 900 }, { width: 390, height: 844 }]
const faults = []

function file(path) {
  const found = join(dist, decodeURIComponent(path))
  return existsSync(found) && statSync(found).isDirectory() ? join(found, 'index.html') : found
}

function pages(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return path === join(dist, 'api') ? [] : pages(path)
    return entry.name.endsWith('.html') && entry.name !== '404.html' ? [`/${relative(dist, path)}`] : []
  })
}

const server = createServer((request, response) => {
  const path = file(new URL(request.url, 'http://localhost').pathname)
  if (!existsSync(path)) return response.writeHead(404).end()
  response.writeHead(200, { 'Content-Type': types[extname(path)] ?? 'application/octet-stream' }).end(readFileSync(path))
})
await new Promise((ready) => server.listen(0, '127.0.0.1', ready))
const base = `http://127.0.0.1:${server.address().port}`

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
})

// Opens a page and waits until its scripts have run, which on a slow machine is long after it has loaded: a key pressed before is lost,
// and what a script throws later would count for another page.
async function open(tab, path) {
  await tab.goto(base + path, { timeout: 120_000 })
  await tab.waitForFunction(() => document.querySelector('#app').__vue_app__, undefined, { timeout: 120_000 })
}

const all = pages(dist)
const anchors = new Map()
const links = []
for (const colorScheme of ['light', 'dark']) {
  for (const viewport of windows) {
    const context = await browser.newContext({ viewport, colorScheme })
    const tab = await context.newPage()
    let at
    tab.on('pageerror', (error) => faults.push(`${at}: ${error.message}`))
    tab.on('response', (response) => {
      if (response.status() >= 400) faults.push(`${at}: ${response.status()} for ${response.url().slice(base.length)}`)
    })
    for (at of all) {
      // Pages of the changelog are one template: looked at once.
      const first = anchors.size < all.length
      if (!first && at.startsWith('/changelog/')) continue
      await open(tab, at)
      const look = await tab.evaluate(() => ({
        overflow: document.documentElement.scrollWidth - window.innerWidth,
        ids: [...document.querySelectorAll('[id]')].map((element) => element.id),
        links: [...document.querySelectorAll('a[href]')].map((element) => element.href),
      }))
      if (look.overflow > 0) faults.push(`${at}: ${look.overflow} pixels wider than a window of ${viewport.width}, ${colorScheme}`)
      if (first) {
        anchors.set(at, new Set(look.ids))
        look.links.filter((link) => link.startsWith(base)).forEach((link) => links.push([at, new URL(link)]))
      }
      if (pictures && !at.startsWith('/changelog/') && !at.startsWith('/docs/decisions/')) {
        mkdirSync(pictures, { recursive: true })
        await tab.screenshot({ path: join(pictures, `${at.slice(1, -5).replaceAll('/', '-')}-${viewport.width}-${colorScheme}.png`) })
      }
    }
    await context.close()
  }
}

for (const [from, link] of links) {
  const target = file(link.pathname)
  const page = `/${relative(dist, target)}`
  if (!existsSync(target)) faults.push(`${from}: nothing is at ${link.pathname}`)
  else if (link.hash && anchors.has(page) && !anchors.get(page).has(decodeURIComponent(link.hash.slice(1)))) {
    faults.push(`${from}: no place ${link.hash} on ${page}`)
  }
}

const tab = await browser.newPage()
await open(tab, '/index.html')
const search = tab.locator('#localsearch-input')
for (const [asked, expected] of [['RLIMIT_MEMLOCK', 'Errors'], ['privileged group', 'HP-UX'], ['SecretPool budget', 'Secrets']]) {
  await tab.keyboard.press('Control+k')
  await search.fill(asked, { timeout: 120_000 })
  const results = tab.locator('#localsearch-list')
  await results.getByText(expected).first().waitFor({ timeout: 120_000 })
    .catch(() => faults.push(`search: '${asked}' does not find a page of ${expected}`))
  await tab.keyboard.press('Escape')
  await search.waitFor({ state: 'hidden', timeout: 120_000 })
}

await browser.close()
server.close()
faults.forEach((fault) => console.error(fault))
console.log(`${all.length} pages, ${links.length} links, ${faults.length} faults`)
process.exitCode = faults.length > 0 || all.length === 0 ? 1 : 0

// SPDX-License-Identifier: Apache-2.0
// The site shows the pages of docs/ and changelog/ as they stand; only the start page is its own.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'
import { withCharts } from './charts.mjs'
import { withReasonAnchors } from './reasons.mjs'
import { withSourceLinks } from './sources.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

// Pages by the reader's purpose. A page that stands in no group fails the build.
const groups = {
  Guides: ['whole-jvm', 'application-servers', 'secrets', 'segments', 'command', 'adoption', 'monitoring', 'migrating', 'writing-a-backend'],
  Reference: ['semantics', 'errors', 'platforms', 'compatibility'],
  Evidence: ['performance', 'reliability', 'internals', 'releasing'],
}

function title(path) {
  return readFileSync(resolve(root, path), 'utf8').match(/^# (.*)$/m)[1].replaceAll('`', '')
}

function sidebar() {
  const listed = new Set(Object.values(groups).flat())
  const missing = readdirSync(resolve(root, 'docs'))
    .filter((name) => name.endsWith('.md') && !listed.has(name.slice(0, -3)))
  if (missing.length > 0) {
    throw new Error(`docs/${missing.join(', docs/')}: name each in a group of site/.vitepress/config.mjs`)
  }
  const page = (name) => ({ text: title(`docs/${name}.md`), link: `/docs/${name}` })
  const sections = Object.entries(groups).map(([text, names]) => ({ text, items: names.map(page) }))
  sections.push({
    text: 'Project',
    items: [
      { text: 'Decisions', link: '/docs/decisions/' },
      { text: 'Changes', link: '/changelog/' },
    ],
  })
  return sections
}

const withApi = existsSync(resolve(root, 'site/pages/public/api/index.html'))

export default defineConfig({
  title: 'pagelock',
  description: 'Keeps chosen memory in RAM, on every Unix, from Java',
  lang: 'en',
  // Copies: what the pages are compiled to is looked up beside them.
  srcDir: './pages',
  srcExclude: ['public/**'],
  rewrites: {
    'docs/decisions/README.md': 'docs/decisions/index.md',
    'changelog/README.md': 'changelog/index.md',
  },
  outDir: './dist',
  cleanUrls: false,
  ignoreDeadLinks: [/^\/api\//],
  // Wide tables need the room of the outline.
  transformPageData(page) {
    if (/\/(errors|performance|platforms|reliability|semantics)\.md$/.test(page.relativePath)) page.frontmatter.aside = false
  },
  markdown: {
    config(md) {
      withSourceLinks(md)
      withCharts(md)
      withReasonAnchors(md)
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Semantics', link: '/docs/semantics' },
      { text: 'Errors', link: '/docs/errors' },
      { text: 'Platforms', link: '/docs/platforms' },
      { text: 'Performance', link: '/docs/performance' },
      ...(withApi ? [{ text: 'Javadoc', link: '/api/index.html', target: '_self' }] : []),
    ],
    sidebar: sidebar(),
    footer: { message: 'Apache-2.0' },
  },
})

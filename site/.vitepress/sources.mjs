// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path'

const pages = /^(docs|changelog)\//

/**
 * Shows links that lead out of the pages, to sources of the tree, as the path of the file: the site does not carry sources.
 * The pages keep their links for whoever reads them in the tree.
 */
export function withSourceLinks(md) {
  md.core.ruler.push('sources', (state) => {
    const page = state.env.relativePath
    if (!page) return
    for (const token of state.tokens) {
      if (token.type !== 'inline') continue
      let leaving = false
      for (const child of token.children) {
        if (child.type === 'link_open') {
          const target = child.attrGet('href')
          if (/^([a-z]+:|#|\/)/.test(target)) continue
          const path = posix.join(posix.dirname(page), target.replace(/#.*/, ''))
          if (pages.test(path) && path.endsWith('.md')) {
            // Tables of contents are called README where the tree is browsed.
            child.attrSet('href', target.replace(/\bREADME\.md/, 'index.md'))
            continue
          }
          leaving = true
          child.tag = 'span'
          child.attrs = [['class', 'source'], ['title', path]]
        } else if (child.type === 'link_close' && leaving) {
          leaving = false
          child.tag = 'span'
        }
      }
    }
  })
}

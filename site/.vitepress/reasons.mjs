// SPDX-License-Identifier: Apache-2.0
/** Gives the first row of each reason and system on the page of errors an anchor, like #linux-over-limit. */
export function withReasonAnchors(md) {
  md.core.ruler.push('reasons', ({ env, tokens }) => {
    if (env.relativePath !== 'docs/errors.md') return
    const taken = new Set()
    let system
    let row
    for (let i = 0; i < tokens.length; i++) {
      if (tokens[i].type === 'heading_open') {
        system = tokens[i + 1].content.split(' ')[0].toLowerCase()
      } else if (tokens[i].type === 'tr_open') {
        row = tokens[i]
      } else if (tokens[i].type === 'td_open') {
        const reason = tokens[i + 1].content.match(/^`([A-Z_]+)`$/)
        const anchor = reason && `${system}-${reason[1].toLowerCase().replaceAll('_', '-')}`
        if (anchor && !taken.has(anchor)) {
          taken.add(anchor)
          row.attrSet('id', anchor)
        }
      }
    }
  })
}

// SPDX-License-Identifier: Apache-2.0
const heights = { bar: 16, row: 26, axis: 24 }
const widths = { label: 250, plot: 400, value: 110 }

const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c])

/** Reads a cell of the benchmark: a median, and its quartiles in parentheses. */
function measured(cell) {
  const match = cell.match(/^([\d.]+)(?: \(([\d.]+?)\.\.([\d.]+)\))?$/)
  if (!match) return undefined
  const median = Number(match[1])
  return { median, low: Number(match[2] ?? median), high: Number(match[3] ?? median), text: match[1] }
}

function cells(tokens, from, kind) {
  const found = []
  for (let i = from; tokens[i].type !== 'tr_close'; i++) {
    if (tokens[i].type === `${kind}_open`) found.push(tokens[i + 1].content)
  }
  return found
}

function table(tokens, open) {
  let header
  const rows = []
  for (let i = open; tokens[i].type !== 'table_close'; i++) {
    if (tokens[i].type !== 'tr_open') continue
    if (header) rows.push(cells(tokens, i, 'td'))
    else header = cells(tokens, i, 'th')
  }
  return { header, rows }
}

/** Bars of the ratios to C, with a line at C itself; a whisker spans the quartiles. */
function chart(column, bars) {
  const top = Math.max(1, ...bars.map((bar) => bar.value.high)) * 1.02
  const x = (value) => (widths.label + (value / top) * widths.plot).toFixed(1)
  const height = bars.length * heights.row + heights.axis
  const drawn = bars.map(({ label, value }, i) => {
    const y = heights.axis + i * heights.row
    const middle = y + heights.bar / 2
    const ours = label.startsWith('pagelock') || bars.every((bar) => !bar.label.startsWith('pagelock'))
    return `<text x="${widths.label - 8}" y="${middle + 4}" text-anchor="end">${escape(label)}</text>`
      + `<rect class="${ours ? 'ours' : 'theirs'}" x="${widths.label}" y="${y}" width="${(x(value.median) - widths.label).toFixed(1)}" height="${heights.bar}"/>`
      + `<path class="quartiles" d="M${x(value.low)} ${middle}H${x(value.high)}"/>`
      + `<text x="${(Number(x(value.high)) + 6).toFixed(1)}" y="${middle + 4}">${value.text}</text>`
  })
  const width = widths.label + widths.plot + widths.value
  return `<figure class="chart"><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(column)}">`
    + drawn.join('')
    + `<path class="reference" d="M${x(1)} ${heights.axis - 6}V${height}"/><text x="${x(1)}" y="12" text-anchor="middle">C</text>`
    + `</svg><figcaption>Time ${escape(column)}: shorter is faster, C is 1.</figcaption></figure>\n`
}

/** Draws each table of the benchmark that compares with C, before the table itself. */
export function withCharts(md) {
  md.core.ruler.push('charts', (state) => {
    if (!state.env.path?.endsWith('/performance.md')) return
    let drawn = 0
    for (let i = 0; i < state.tokens.length; i++) {
      if (state.tokens[i].type !== 'table_open') continue
      const { header, rows } = table(state.tokens, i)
      const column = header.findIndex((name) => /\bof C\b/.test(name))
      const bars = column < 0 ? [] : rows
        .map((row) => ({ label: row[0].replaceAll('*', ''), value: measured(row[column]) }))
        .filter((bar) => bar.value)
      if (bars.length === 0) continue
      const block = new state.Token('html_block', '', 0)
      block.content = chart(header[column].replace(/^pagelock /, ''), bars)
      state.tokens.splice(i++, 0, block)
      drawn++
    }
    if (drawn === 0) throw new Error('docs/performance.md: no table compares with C, so no chart can be drawn')
  })
}

// Tests that no cell begins a formula, whichever separator a spreadsheet takes, and that a reader of RFC 4180 finds it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { csvCell } from './csv-cell.ts';
import { csvCells } from './metering/reconcile/csv-cells.ts';

const difficult = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'=+-@＝;,|"\' \t\r\n\0\u0085\u00a0\u2028a1') }),
  fc.string({ unit: 'binary' }),
);

/** What a spreadsheet makes of a line that splits at each `separator`; it drops quotation marks that a cell begins with. */
function split(line: string, separator: string): readonly string[] {
  return line.split(separator).flatMap((cell) => cell.split('\n').map((part) => part.replace(/^[\s"]+/, '')));
}

test('no part of a line begins a formula where `;`, a tab or a line feed separates cells instead of the comma', () => {
  fc.assert(
    fc.property(difficult, difficult, (first, second) => {
      const line = `x,${csvCell(first)},${csvCell(second)}`;
      for (const separator of [';', '\t', '\n'])
        for (const part of split(line, separator)) assert.doesNotMatch(part, /^[=+\-@＝＋－＠]/, line);
    }),
  );
  assert.equal(csvCell('a;=1+1;b'), "a;'=1+1;b");
  assert.equal(csvCell('a;"=1+1;b'), '"a;\'""=1+1;b"');
  assert.equal(csvCell('first\n-second'), '"first\n\'-second"');
  assert.equal(csvCell('a; b = c - d'), 'a; b = c - d');
});

test('whatever begins a formula is text, behind white space too', () => {
  for (const sign of '=+-@＝＋－＠')
    for (const space of ['', ' ', '\u00a0'])
      assert.equal(csvCell(`${space}${sign}1`), `'${space}${sign}1`, JSON.stringify(space + sign));
  assert.equal(csvCell('\tx'), "'\tx");
  assert.equal(csvCell(-1), '-1');
});

test('cells come back as they are but for apostrophes and controls, and lines have as many as were written', () => {
  fc.assert(
    fc.property(fc.array(difficult, { minLength: 1, maxLength: 4 }), (texts) => {
      const rows = csvCells(`x,${texts.map(csvCell).join(',')}\r\ny\r\n`) ?? assert.fail();
      const bare = (text: string) => text.replace(/(?![\t\n])\p{Cc}|'/gu, '');
      assert.deepEqual(rows[0]?.slice(1).map(bare), texts.map(bare));
      assert.equal(rows[1]?.[0], 'y');
    }),
  );
});

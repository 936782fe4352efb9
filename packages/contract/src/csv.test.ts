// Tests that a list's CSV has its columns from the schema: the same for every page, and for none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { csvColumns, csvText } from './csv.ts';
import { operations } from './operations.ts';

const response = z.object({
  from: z.string(),
  items: z.array(
    z.object({
      id: z.string(),
      actor: z.object({ name: z.string().optional(), agents: z.array(z.string()) }),
      scope: z
        .discriminatedUnion('kind', [
          z.object({ kind: z.literal('all') }),
          z.object({ kind: z.literal('one'), id: z.string() }),
        ])
        .nullable(),
      byLabel: z.record(z.string(), z.string()).optional(),
      count: z.number().int(),
    }),
  ),
  next: z.string().optional(),
});
const columns = csvColumns(response);
const header = 'id,actor.name,actor.agents,scope.kind,scope.id,byLabel,count,from\r\n';

function csv(items: readonly unknown[]): string {
  return csvText(columns, { from: '2026', items, next: 'x' });
}

test('every member of the schema is a column, in its order, whatever is on the page', () => {
  assert.equal(csv([]), header);
  const sparse = { id: 'a', actor: { agents: [] }, scope: null, count: 0 };
  const full = {
    count: -1,
    byLabel: { email: 'none' },
    scope: { id: 's', kind: 'one' },
    actor: { agents: ['x', 'y'], name: 'A, "B"' },
    id: 'b',
    unknown: 1,
  };
  const lines = ['a,,,,,,0,2026\r\n', 'b,"A, ""B""",x y,one,s,"{""email"":""none""}",-1,2026\r\n'];
  assert.equal(csv([sparse]), header + lines[0]);
  assert.equal(csv([full, sparse]), header + lines[1] + lines[0]);
});

test('no cell begins a formula, and a number stays one', () => {
  for (const text of ['=1', '+1', '-1', '@a', ' =1'])
    assert.match(csv([{ id: text, count: -1 }]), new RegExp(`\\r\\n"?'${text.replace('+', '\\+')}"?,.*,-1,`));
});

test('a formula behind a line feed or a control, or in wide letters, is none either, and no control is left', () => {
  const cells: readonly (readonly [string, string])[] = [
    ['\n=1', `"'\n'=1"`],
    ['\r\n=1', `"'\n'=1"`],
    ['\t=1', "'\t'=1"],
    ['a;=1', "a;'=1"],
    ['\u001b=1', "'=1"],
    ['\u0000\u0085 =1', "' =1"],
    ['＝1', "'＝1"],
    [' ＋1', "' ＋1"],
    ['－1', "'－1"],
    ['＠a', "'＠a"],
    ['\u00a0@a', "'\u00a0@a"],
    ['E\u001b[2J\u009bvil', 'E[2Jvil'],
    ['a\tb', 'a\tb'],
  ];
  for (const [text, expected] of cells)
    assert.equal(csv([{ id: text, count: 0 }]), `${header}${expected},,,,,,0,2026\r\n`, JSON.stringify(text));
});

test('every list of the contract has columns, and none has one twice', () => {
  for (const operation of operations.filter(({ response }) => 'items' in Object(response).shape)) {
    const names = csvColumns(operation.response).map(({ name }) => name);
    assert.ok(names.length > 1, operation.id);
    assert.equal(new Set(names).size, names.length, operation.id);
    assert.ok(!names.includes(''), operation.id);
  }
});

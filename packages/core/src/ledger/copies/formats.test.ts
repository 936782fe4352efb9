// Tests what holds of every format: one line for any entry, with its exact bytes, its place and its leaf hash.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { isObject } from '../../json.ts';
import { parseJson } from '../../parse-json.ts';
import { encodeEntry, entryTypes } from '../entry.ts';
import {
  actorKinds,
  alertKinds,
  decisions,
  phases,
  proofKinds,
  statuses,
  usageSources,
} from '../entry-fields.ts';
import { anyEntry } from './any-entry.support.ts';
import type { CopiedEntry } from './copied-entry.ts';
import { type CopyFormat, copyFormats, copyForms, isCopyFormat } from './formats.ts';
import { copied, sampleEntries } from './sample-entries.support.ts';

/** What a line says of itself: the entry's text, its place and its leaf hash, as a reader of the format finds them. */
type Read = Omit<CopiedEntry, 'entry'>;

function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (Array.isArray(inner) ? inner[Number(name)] : isObject(inner) ? inner[name] : undefined),
    value,
  );
}

/** RFC 4180: cells, each bare or within quotes. */
function cellsOf(line: string): readonly string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '',
  );
}

const readers: { readonly [F in CopyFormat]: (line: string) => Read } = {
  ocsf: (line) => {
    const event: unknown = parseJson(line);
    // The entry's text lies in the line as it is, between two names.
    const [, text = ''] = /,"unmapped":\{"entry":(\{.*\}),"leaf_hash":"[0-9a-f]{64}"\}\}$/s.exec(line) ?? [];
    assert.deepEqual(parseJson(text), at(event, 'unmapped', 'entry'));
    return {
      text,
      index: Number(at(event, 'metadata', 'sequence')),
      leaf: String(at(event, 'unmapped', 'leaf_hash')),
    };
  },
  otlp: (line) => {
    const record = at(parseJson(line), 'resourceLogs', 0, 'scopeLogs', 0, 'logRecords', 0);
    const list = at(record, 'attributes');
    const named = (key: string) =>
      Array.isArray(list) ? list.find((one) => at(one, 'key') === key) : undefined;
    return {
      text: String(at(record, 'body', 'stringValue')),
      index: Number(at(named('countersign.index'), 'value', 'intValue')),
      leaf: String(at(named('countersign.leaf_hash'), 'value', 'stringValue')),
    };
  },
  syslog: (line) => {
    const [, index, leaf = '', text = ''] =
      /^<\d+>1 \S+ \S+ countersign \S+ \S+ \[entry@32473 index="(\d+)" leaf="([0-9a-f]{64})".*?"\] \ufeff(\{.*)$/s.exec(
        line,
      ) ?? [];
    return { text, index: Number(index), leaf };
  },
  csv: (line) => {
    const cells = cellsOf(line.replace(/\r$/, ''));
    assert.equal(cells.length, cellsOf(copyForms.csv.head?.replace(/\r$/, '') ?? '').length);
    return { text: cells.at(-1) ?? '', index: Number(cells[0]), leaf: cells[1] ?? '' };
  },
};

function check(format: CopyFormat, one: CopiedEntry): void {
  const line = copyForms[format].line(one);
  assert.ok(!line.includes('\n'), line);
  assert.ok(line.isWellFormed(), line);
  const { text, index, leaf } = one;
  assert.deepEqual(readers[format](line), { text, index, leaf });
}

test('the samples have every type of entry and every word of every enumeration', () => {
  assert.deepEqual(new Set(sampleEntries.map(({ type }) => type)), new Set(entryTypes));
  const texts = sampleEntries.map((entry) => encodeEntry(entry)).join('\n');
  const words = [phases, statuses, decisions, usageSources, proofKinds, actorKinds, alertKinds].flat();
  for (const word of words) assert.ok(texts.includes(`"${word}"`), word);
});

for (const format of copyFormats) {
  test(`${format}: an entry of every type is one line, from which its exact bytes and its place are read`, () => {
    for (const [index, entry] of sampleEntries.entries()) check(format, copied(entry, index));
  });

  test(`${format}: so is any entry, whatever stands in it`, () => {
    fc.assert(fc.property(anyEntry, fc.maxSafeNat(), (entry, index) => check(format, copied(entry, index))));
  });

  test(`${format}: the same entry is the same line again`, () => {
    const one = copied(sampleEntries[0] ?? assert.fail());
    assert.equal(copyForms[format].line(one), copyForms[format].line({ ...one }));
  });
}

test('the lines of two entries are those of the file that other programs have read', () => {
  const picked = sampleEntries.filter(
    (entry) => ('usage' in entry && 'ms' in entry) || entry.type === 'refused_credentials',
  );
  const lines = copyFormats.flatMap((format) => {
    const { head, line } = copyForms[format];
    return [
      `# ${format}`,
      ...(head === undefined ? [] : [head]),
      ...picked.map((entry, index) => line(copied(entry, index))),
    ];
  });
  const golden = readFileSync(new URL('./vectors/copies.txt', import.meta.url), 'utf8');
  assert.equal(`${lines.join('\n')}\n`, golden);
});

test('a format is known by its name, and nothing else is one', () => {
  assert.ok(copyFormats.every(isCopyFormat));
  assert.ok(!['', 'OCSF', 'jsonl', 'toString'].some(isCopyFormat));
  assert.equal(new Set(Object.values(copyForms).map(({ file }) => file)).size, copyFormats.length);
});

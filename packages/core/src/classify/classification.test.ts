// Owns the proof of classification and redaction as a whole: labels, counts and spans agree, and nothing throws.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { classify, mostExaminedUnits, type Part } from './classification.ts';
import { compileClassifiers } from './custom.ts';
import { startWork } from './patterns.ts';
import { findSpans, mergeSpans, replaceSpans } from './redact.ts';
import { hostileFamilies, realisticTexts } from './sample-texts.bench.ts';
import { builtinLabels, labelGroups } from './types.ts';

const own = compileClassifiers('7', [
  {
    kind: 'dictionary',
    label: 'project',
    terms: ['falcon', 'bob@sample'],
    foldCase: true,
    wholeWords: false,
  },
  { kind: 'pattern', label: 'employee', pattern: 'EMP-[0-9]{3}', foldCase: false },
]);

const said = (role: 'system' | 'user' | 'assistant' | 'tool', text: string): Part => ({
  kind: 'text',
  role,
  text,
});

test('labels are sorted, counted and rolled up into groups', () => {
  const result = classify(
    [
      said('user', 'bob@example.com, alice@example.com'),
      said('tool', `ssn 078-05-1120 ghp_${'a1B2'.repeat(9)}`),
    ],
    undefined,
  );
  assert.deepEqual(result, {
    labels: ['api_key', 'email', 'personal', 'secret', 'us_ssn'],
    counts: { api_key: 1, email: 2, personal: 3, secret: 1, us_ssn: 1 },
    opaque: false,
    unexamined: false,
    detector: 'builtin-2',
  });
});

test('every role is examined, the assistant too', () => {
  for (const role of ['system', 'user', 'assistant', 'tool'] as const) {
    assert.equal(classify([said(role, 'bob@example.com')], undefined).counts.email, 1);
  }
});

test('parts that no detector reads are opaque', () => {
  for (const reason of ['image', 'pdf', 'audio', 'file_id', 'unknown'] as const) {
    const result = classify([{ kind: 'opaque', reason }], undefined);
    assert.deepEqual([result.opaque, result.labels, result.counts], [true, ['opaque'], { opaque: 1 }]);
  }
});

test('what the provider sealed itself has a label of its own and is not opaque', () => {
  const result = classify([{ kind: 'sealed' }, { kind: 'sealed' }], undefined);
  assert.deepEqual(
    [result.opaque, result.labels, result.counts],
    [false, ['provider_sealed'], { provider_sealed: 2 }],
  );
});

test('nothing is found across two parts, and clean text has no labels', () => {
  const result = classify([said('user', 'bob@'), said('user', 'example.com')], own);
  assert.deepEqual([result.labels, result.detector], [[], 'builtin-2+7']);
});

test('when the work limit is reached the result says that text is unexamined', () => {
  const greedy = compileClassifiers('1', [
    { kind: 'pattern', label: 'p', pattern: '.*[^A-Z]|[A-Z]', foldCase: false },
  ]);
  const result = classify([said('user', 'A'.repeat(100_000))], greedy);
  assert.equal(result.unexamined, true);
  assert.ok(result.labels.includes('unexamined'));
});

test('text beyond what one request may have examined is not passed as clean', () => {
  const parts = [said('user', 'x'.repeat(mostExaminedUnits + 1)), said('user', 'bob@example.com')];
  const result = classify(parts, undefined);
  assert.deepEqual([result.unexamined, result.labels], [true, ['unexamined']]);
});

test('a deadline that has passed leaves patterns unexamined and says so', () => {
  const late = classify(
    [said('user', 'EMP-123 bob@example.com')],
    own,
    startWork(() => true),
  );
  assert.deepEqual([late.unexamined, late.counts.employee, late.counts.email], [true, undefined, 1]);
  assert.equal(
    findSpans(
      'EMP-123',
      ['employee'],
      own,
      startWork(() => true),
    ).unexamined,
    true,
  );
});

test('ordinary ids are not secrets (librefang#2652)', () => {
  const ids = [
    '550e8400-e29b-41d4-a716-446655440000',
    'user_2f9c1b7a4d8e4c0f9a6b3d2e1f0a9b8c',
    'chatcmpl-9x8Y7z6W5v4U3t2S1r0Q',
    'toolu_01A09q90qw90lq917835lq9',
    'org_01hq3v5k9m8n7p6q5r4s3t2v1w',
    'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '5f4dcc3b5aa765d61d8327deb882cf99',
    'arn:aws:iam::role/abc',
    'W/"33a64df551425fcc55e4d42a148795d9f25f89d4"',
    'pk_9aB3',
    'task-9f86d081884c7d659a2feaa0c55ad015',
  ];
  for (const id of ids)
    assert.deepEqual(classify([said('user', `see ${id} there`)], undefined).labels, [], id);
});

test('redaction replaces each value by its label and leaves the rest', () => {
  const text = 'mail bob@example.com or 4111\u200b111111111111, falcon';
  const { spans, unexamined } = findSpans(text, ['email', 'financial', 'project'], own);
  assert.equal(unexamined, false);
  assert.equal(replaceSpans(text, spans), 'mail [email] or [payment_card], [project]');
  assert.equal(replaceSpans(text, findSpans(text, ['iban'], own).spans), text);
});

test('two findings that overlap are replaced as one, from the first beginning to the last end', () => {
  const labels = ['email', 'project', 'employee'];
  const redacted = (text: string) => replaceSpans(text, findSpans(text, labels, own).spans);
  assert.equal(redacted('to bob@sample.example now'), 'to [project] now');
  assert.equal(redacted('to falcon@example.com now'), 'to [project] now');
  const spans = [
    { label: 'a', start: 2, end: 5 },
    { label: 'b', start: 4, end: 8 },
    { label: 'c', start: 6, end: 7 },
  ];
  assert.equal(replaceSpans('0123456789', spans), '01[a]89');
});

test('a number of ten digits is replaced whole where digits are hidden as surrogate pairs', () => {
  const text = 'SSN \u{1d7ce}78-05-112\u{1d7ce}!';
  assert.equal(replaceSpans(text, findSpans(text, ['us_ssn'], undefined).spans), 'SSN [us_ssn]!');
});

const fragments = [
  ...Object.values(realisticTexts).flatMap((text) => text.split(/(?<=[ ,:])/)),
  ...Object.values(hostileFamilies).map((text) => text.slice(0, 60)),
  ...[
    'falcon',
    'EMP-123',
    'CONFIDENTIAL\n',
    '\u200b',
    '\uff11',
    '\u{1d7ce}',
    '😀',
    '\ud835',
    'born ',
    '\\n',
    '-----',
  ],
];
const mixture = fc
  .array(fc.oneof(fc.constantFrom(...fragments), fc.string({ unit: 'binary', maxLength: 4 }), fc.string()), {
    maxLength: 30,
  })
  .map((parts) => parts.join(''));

test('counts equal spans for every label, on any text, and nothing throws', () => {
  const labels = [...builtinLabels, 'project', 'employee'];
  fc.assert(
    fc.property(mixture, (text) => {
      const { counts } = classify([said('user', text)], own);
      const { spans } = findSpans(text, labels, own);
      for (const label of labels) {
        assert.equal(spans.filter((span) => span.label === label).length, counts[label] ?? 0, label);
      }
      for (const [group, members] of Object.entries(labelGroups)) {
        assert.equal(
          findSpans(text, [group], own).spans.length,
          members.reduce((n, l) => n + (counts[l] ?? 0), 0),
        );
      }
    }),
    { numRuns: 1500 },
  );
});

test('built-in spans lie inside the text and never overlap', () => {
  fc.assert(
    fc.property(mixture, (text) => {
      const { spans } = findSpans(text, builtinLabels, undefined);
      let last = 0;
      for (const { start, end } of spans) {
        assert.ok(start >= last && end > start && end <= text.length, `${start}-${end} after ${last}`);
        last = end;
      }
      assert.deepEqual(mergeSpans(spans), spans);
    }),
    { numRuns: 1500 },
  );
  // A finding that would begin within the last one is none of its own.
  for (const text of ['CUI//SP-CTI 12 March 1980born ', 'api_key=eyJhbGciOiJIUzI1NiJ9DOB-12 March 1980born '])
    assert.equal(findSpans(text, builtinLabels, undefined).spans.length, 1, text);
});

test('merged spans are disjoint and cover what the spans covered', () => {
  fc.assert(
    fc.property(mixture, (text) => {
      const { spans } = findSpans(text, [...builtinLabels, 'project', 'employee'], own);
      const merged = mergeSpans(spans);
      let last = 0;
      for (const { start, end } of merged) {
        assert.ok(start >= last);
        last = end;
      }
      for (const span of spans) {
        assert.ok(merged.some((wide) => wide.start <= span.start && wide.end >= span.end));
      }
    }),
  );
});

test('the classification never holds the value', () => {
  const result = JSON.stringify(classify([said('user', 'bob@example.com 078-05-1120')], own));
  assert.ok(!result.includes('bob') && !result.includes('078'));
});

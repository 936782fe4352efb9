// Owns the proof that an organization's classifiers are checked, found and bounded.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppError } from '../errors.ts';
import { type ClassifierSpec, classifierLimits, compileClassifiers, findCustom } from './custom.ts';
import { normalise } from './normalise.ts';
import { mostProgramSize, startWork } from './patterns.ts';

function dictionary(
  label: string,
  terms: readonly string[],
  foldCase = true,
  wholeWords = true,
): ClassifierSpec {
  return { kind: 'dictionary', label, terms, foldCase, wholeWords };
}

function pattern(label: string, source: string, foldCase = false): ClassifierSpec {
  return { kind: 'pattern', label, pattern: source, foldCase };
}

function findings(specs: readonly ClassifierSpec[], text: string): readonly string[] {
  const found: string[] = [];
  const reading = normalise(text);
  findCustom(compileClassifiers('1', specs), reading, startWork(), (label, start, end) => {
    found.push(`${label}:${reading.text.slice(start, end)}`);
  });
  return found;
}

function refusal(specs: readonly ClassifierSpec[]): readonly [path: string, message: string] {
  try {
    compileClassifiers('1', specs);
  } catch (error) {
    assert.ok(error instanceof AppError && error.code === 'invalid_request');
    const field = error.details.fields?.[0];
    return [field?.path ?? '', error.message];
  }
  return assert.fail('nothing was refused');
}

describe('dictionaries', () => {
  test('case folding and whole words are options', () => {
    const text = 'Falcon, falcons and FALCON';
    assert.deepEqual(findings([dictionary('project', ['falcon'])], text), [
      'project:Falcon',
      'project:FALCON',
    ]);
    assert.deepEqual(findings([dictionary('project', ['falcon'], false, false)], text), ['project:falcon']);
    assert.equal(findings([dictionary('project', ['falcon'], true, false)], text).length, 3);
  });

  test('a longer term and the shorter one inside it are one finding', () => {
    assert.deepEqual(findings([dictionary('p', ['falcon', 'falcon heavy'])], 'the falcon heavy'), [
      'p:falcon heavy',
    ]);
  });

  test('hidden characters and full-width letters do not hide a term', () => {
    assert.deepEqual(findings([dictionary('p', ['falcon'])], 'fal\u200bcon \uff26alcon'), [
      'p:falcon',
      'p:Falcon',
    ]);
  });

  test('terms in other scripts are found', () => {
    assert.deepEqual(findings([dictionary('p', ['猎鹰', 'Größe'], true, false)], '关于猎鹰 GRÖSSE Größe'), [
      'p:猎鹰',
      'p:Größe',
    ]);
  });
});

describe('patterns', () => {
  test('every match is found, across the windows in which the engine searches', () => {
    for (const gap of [1, 7, 250, 255, 256, 257, 500, 4090, 5000]) {
      const text = Array.from({ length: 12 }, (_, k) => `${'x'.repeat(gap)} EMP-${100000 + k}`).join('');
      assert.equal(findings([pattern('employee', 'EMP-[0-9]{6}')], text).length, 12, `gap ${gap}`);
    }
  });

  test('word boundaries and anchors see the text around a window', () => {
    const text = `${'ab'.repeat(4000)} id7`;
    assert.deepEqual(findings([pattern('p', '\\bid[0-9]\\b')], text), ['p:id7']);
    assert.deepEqual(findings([pattern('p', '^ab')], text), ['p:ab']);
    assert.deepEqual(findings([pattern('p', 'id7$')], text), ['p:id7']);
  });

  test('case folding is an option', () => {
    assert.deepEqual(findings([pattern('p', 'emp-[0-9]+', true)], 'EMP-12 emp-3'), ['p:EMP-12', 'p:emp-3']);
  });

  const refused = [
    ['(a)\\1', 'back-references'],
    ['(?=a)b', 'look-ahead'],
    ['(?<=a)b', 'look-behind'],
    ['(?<!a)b', 'look-behind'],
    ['(?>a)b', 'atomic'],
    ['a++b', 'possessive'],
    ['(', 'missing closing'],
    ['a{2000}', 'repeat count'],
    ['a*', 'empty string'],
    ['\\b', 'empty string'],
    ['^', 'empty string'],
    ['a|', 'empty string'],
    ['', 'is empty'],
    ['[0-9]{900}', 'instructions'],
    [`[0-9]{${mostProgramSize}}`, 'instructions'],
    ['a'.repeat(513), 'characters'],
  ] as const;
  for (const [source, reason] of refused) {
    test(`refused with its reason: ${source.slice(0, 20)}`, () => {
      const [path, message] = refusal([dictionary('ok', ['fine']), pattern('p', source)]);
      assert.equal(path, 'classifiers[1].pattern');
      assert.ok(message.includes(reason), message);
    });
  }

  test('what begins a word is told by what stands before it, also where a search begins', () => {
    const classifiers = compileClassifiers('1', [pattern('p', '\\bid7')]);
    const found: number[] = [];
    const { text, units } = normalise(`${'x'.repeat(256)}id7 id7`);
    findCustom(classifiers, { text, units }, startWork(), (_, start) => found.push(start));
    assert.deepEqual(found, [260]);
  });

  test('a pattern whose matches are found in quadratic time is stopped by the work limit', () => {
    const classifiers = compileClassifiers('1', [pattern('p', '.*[^A-Z]|[A-Z]')]);
    const work = startWork();
    findCustom(classifiers, normalise('A'.repeat(100_000)), work, () => undefined);
    assert.equal(work.exhausted, true);
  });

  test('ordinary text does not come near the work limit', () => {
    const classifiers = compileClassifiers('1', [
      pattern('p', 'EMP-[0-9]{6}'),
      pattern('q', '[A-Z]{3}[0-9]{4}'),
    ]);
    const work = startWork();
    let found = 0;
    const text = 'the plan of EMP-123456 is due, see ABC1234. '.repeat(2000);
    findCustom(classifiers, normalise(text), work, () => {
      found += 1;
    });
    assert.deepEqual([found, work.exhausted], [4000, false]);
  });
});

describe('limits', () => {
  test('labels are checked, built-in and reserved ones refused', () => {
    for (const label of [
      'email',
      'secret',
      'personal',
      'opaque',
      'unexamined',
      'Bad',
      '1a',
      '',
      '__proto__',
      'a b',
    ]) {
      assert.equal(refusal([dictionary(label, ['term'])])[0], 'classifiers[0].label');
    }
  });

  test('terms are checked one by one', () => {
    assert.equal(refusal([dictionary('p', ['fine', ' x '])])[0], 'classifiers[0].terms[1]');
    assert.equal(refusal([dictionary('p', ['fine', '\u200b\u200b'])])[0], 'classifiers[0].terms[1]');
    assert.equal(refusal([dictionary('p', ['x'.repeat(257)])])[0], 'classifiers[0].terms[0]');
    assert.equal(refusal([dictionary('p', [])])[0], 'classifiers[0].terms');
  });

  test('counts are bounded', () => {
    const many = Array.from({ length: classifierLimits.terms + 1 }, (_, k) => `term ${k}`);
    assert.match(refusal([dictionary('p', many)])[1], /more than 20000/);
    const long = Array.from({ length: 2000 }, (_, k) => `${k}`.padEnd(250, 'x'));
    assert.match(refusal([dictionary('p', long)])[1], /more than 400000/);
    const patterns = Array.from({ length: classifierLimits.patterns + 1 }, (_, k) => pattern('p', `a${k}`));
    assert.match(refusal(patterns)[1], /33 patterns/);
    assert.match(
      refusal([
        dictionary(
          'p',
          Array.from({ length: 17 }, (_, k) => 'a'.repeat(k + 2)),
        ),
      ])[1],
      /end inside/,
    );
  });

  test('a version must be nameable in a record', () => {
    assert.throws(() => compileClassifiers('a b', []), AppError);
  });
});

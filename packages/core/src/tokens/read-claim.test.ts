// Owns the claims about finding a claim by its path.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { claimAt, instantOf, namesIn, textOf } from './read-claim.ts';

test('a dotted path descends objects', () => {
  assert.deepEqual(claimAt({ realm_access: { roles: ['a'] } }, 'realm_access.roles'), ['a']);
  assert.equal(claimAt({ a: { b: { c: 1 } } }, 'a.b.c'), 1);
  assert.equal(claimAt({ a: { b: 1 } }, 'a.c'), undefined);
});

test('a literal claim name wins over a dotted path, at every level', () => {
  assert.equal(claimAt({ 'a.b': 1, a: { b: 2 } }, 'a.b'), 1);
  assert.equal(claimAt({ 'https://example.com/roles': 'x' }, 'https://example.com/roles'), 'x');
  const claims = { resource_access: { 'my.app': { roles: 'x' }, my: { app: { roles: 'y' } } } };
  assert.equal(claimAt(claims, 'resource_access.my.app.roles'), 'x');
});

test('a path never leaves own properties of objects', () => {
  const claims = { sub: 'alice', roles: ['admin'], empty: {}, none: null, number: 7 };
  const paths = [
    'constructor',
    'constructor.name',
    '__proto__',
    '__proto__.constructor',
    'sub.length',
    'roles.0',
  ];
  for (const path of [
    ...paths,
    'roles.length',
    'empty.toString',
    'none.x',
    'number.x',
    '',
    '.',
    '..',
    'a..b',
  ]) {
    assert.equal(claimAt(claims, path), undefined, path);
  }
});

test('each value of an object is found by the path that joins the names to it', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '_', '/'), minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 6 }), fc.jsonValue(), (names, value) => {
      const claims = names.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
      const root: { readonly [key: string]: unknown } = { ...Object(claims) };
      assert.deepEqual(claimAt(root, names.join('.')), value);
    }),
  );
});

test('two subjects that UTF-8 cannot tell apart are both refused', () => {
  assert.equal(textOf('\ud800', 255), undefined);
  assert.equal(textOf('\ud801', 255), undefined);
  assert.equal(textOf('\u{1f600}', 255), '\u{1f600}');
  assert.deepEqual([textOf('', 255), textOf('ab', 1), textOf(7, 255)], [undefined, undefined, undefined]);
});

test('names and instants are taken from the shapes that they have and no other', () => {
  assert.deepEqual(namesIn(['a', 1, null, ['b'], 'c']), ['a', 'c']);
  assert.deepEqual(namesIn('a b'), ['a b']);
  assert.deepEqual(namesIn({ a: true }), []);
  assert.deepEqual(
    [instantOf(0), instantOf(1.5), instantOf(1e12), instantOf('1')],
    [0, 1.5, undefined, undefined],
  );
});

// Tests that a query names models as it is read, and carries no credential.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@countersign/core/errors';
import { readQuery } from './query.ts';

test('models that a query names are found under every name for them', () => {
  assert.deepEqual(readQuery(''), []);
  assert.deepEqual(readQuery('?limit=2&order=desc&after=file_1'), []);
  assert.deepEqual(readQuery('?model=a&MODELS=b,c'), ['a', 'b', 'c']);
  assert.throws(() => readQuery('?model='), AppError);
});

const virtualKey = `csk_${'0'.repeat(26)}_${'a'.repeat(43)}_abcdef`;
for (const query of [
  `?key=${virtualKey}`,
  '?api_key=sk-other',
  '?API-Key=x',
  '?access_token=x',
  `?anything=${virtualKey}`,
  '?note=Bearer%20eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln',
  '?jwt=eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln',
]) {
  test(`a credential in a query is refused and not repeated: ${query.slice(0, 12)}…`, () => {
    assert.throws(
      () => readQuery(query),
      (error: unknown) =>
        error instanceof AppError && error.code === 'invalid_request' && !error.message.includes('csk_'),
    );
  });
}

test('parameters that only sound like a credential pass', () => {
  assert.deepEqual(readQuery('?page_token=abc&keyword=x&tokens=5&key='), []);
});

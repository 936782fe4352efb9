// Owns the proof that a secret's text escapes through no implicit conversion.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, inspect } from 'node:util';
import { Secret } from './secret.ts';

const canary = 'canary-7f3a9b';

test('a secret shows its text in no implicit conversion', () => {
  const secret = new Secret(canary);
  const shown = [
    `${secret}`,
    String(secret),
    JSON.stringify({ nested: [secret] }),
    inspect({ nested: { secret } }, { depth: 10, showHidden: true }),
    format('%s %o %O %j', secret, secret, secret, secret),
    Object.keys(secret).join(),
    JSON.stringify(Object.entries({ ...secret })),
    JSON.stringify(structuredClone({ secret })),
  ].join('\n');
  assert.ok(!shown.includes(canary), shown);
  assert.ok(shown.includes('[secret]'));
  assert.equal(secret.reveal(), canary);
});

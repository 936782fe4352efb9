// Tests that commitments are what the ledger's reference says, by the plain way and the fast one.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { makeEntryId } from '@countersign/core/ids';
import { createCommitments, saltOf, subjectKeyOf } from './subject-key.ts';

const lengths = [0, 1, 31, 900, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 100_000];
const purposes = ['request', 'response'] as const;

test('a commitment is SHA-256 of the HMAC salt and the content, in pieces or as a whole', () => {
  const commitments = createCommitments();
  for (const length of lengths) {
    for (const purpose of purposes) {
      const key = subjectKeyOf(randomBytes(32));
      const id = makeEntryId(1_763_769_600_000 + length, randomBytes(10));
      const content = randomBytes(length);
      const plain = createHash('sha256')
        .update(saltOf(key.object, id, purpose))
        .update(content)
        .digest('hex');
      assert.equal(commitments.commit(key, id, purpose, content), plain, `${purpose} of ${length} bytes`);
      assert.equal(commitments.begin(key, id, purpose).update(content).digest('hex'), plain);
    }
  }
});

test('a commitment shows nothing of the one before it', () => {
  const commitments = createCommitments();
  const key = subjectKeyOf(randomBytes(32));
  const id = makeEntryId(1_763_769_600_000, randomBytes(10));
  const alone = createCommitments().commit(key, id, 'request', Buffer.from('short'));
  commitments.commit(subjectKeyOf(randomBytes(32)), id, 'response', randomBytes(5_000));
  assert.equal(commitments.commit(key, id, 'request', Buffer.from('short')), alone);
});

test('a subject key prints and serialises as nothing of itself', () => {
  const bytes = Buffer.alloc(32, 'k');
  const key = subjectKeyOf(bytes);
  for (const text of [inspect(key, { depth: 9 }), JSON.stringify(key)]) {
    assert.ok(!text.includes('kkkk') && !text.includes('pads'), text);
  }
});

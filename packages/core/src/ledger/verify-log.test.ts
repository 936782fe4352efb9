// Tests that an untouched log verifies and that each way of tampering is named.

import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseSignedCheckpoint } from './checkpoint.ts';
import { editFile, mutations } from './log-mutations.support.ts';
import { parseVerifierKey } from './note.ts';
import { build, check, deps, entries, hasher, headAt, key, text, whole } from './sample-log.support.ts';
import { formatTlogProof, parseTlogProof, verifyTlogProof } from './tlog-proof.ts';
import { inclusionProof, rangeHashOf } from './tree.ts';
import { type Finding, verifyLog } from './verify-log.ts';

test('an untouched log of any size verifies against every earlier head', async () => {
  for (const size of [0, 1, 2, 255, 256, 257, 511, 512, 700]) {
    const held = [0, 1, 200, 256, 300, 512, 700].filter((old) => old <= size).map(headAt);
    assert.equal(await check(build(entries.slice(0, size)), held), undefined, String(size));
  }
});

test('the independent vectors verify, and their older checkpoint is refused', async () => {
  const url = (name: string) => new URL(`../../../../tests/vectors/log-1000/${name}`, import.meta.url);
  const vectorKey = parseVerifierKey(deps, readFileSync(url('vkey'), 'utf8').trim());
  assert.ok(vectorKey !== undefined);
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), vectorKey.publicKey]);
  const own = {
    ...deps,
    verifyEd25519: (_: Uint8Array, message: Uint8Array, signature: Uint8Array) =>
      verify(null, message, { key: spki, format: 'der', type: 'spki' }, signature),
  };
  const read = (path: string) => readFileSync(url(path));
  const [checkpoint, old] = ['checkpoint', 'checkpoint.old'].map((name) => readFileSync(url(name), 'utf8'));
  const earlier = parseSignedCheckpoint(old ?? '')?.checkpoint;
  assert.ok(checkpoint !== undefined && old !== undefined && earlier !== undefined);
  const held = [{ name: 'old', ...earlier }];
  assert.ok((await verifyLog(own, { key: vectorKey, checkpoint, read, held })).ok);
  const newer = parseSignedCheckpoint(checkpoint)?.checkpoint;
  assert.ok(newer !== undefined);
  const back = await verifyLog(own, {
    key: vectorKey,
    checkpoint: old,
    read,
    held: [{ name: 'new', ...newer }],
  });
  assert.deepEqual(back, {
    ok: false,
    finding: { kind: 'rolled_back', held: 'new', size: 1000, index: 700 },
  });
});

test('an altered entry is named by its place, an altered hash by its tile', async () => {
  const cases: readonly (readonly [string, number, Finding['kind'], number])[] = [
    ['tile/entries/000', 3, 'entry_altered', 0],
    ['tile/entries/002.p/188', 3, 'entry_altered', 512],
    ['tile/0/001', 32 * 5, 'tile_altered', 261],
    ['tile/0/002.p/188', 0, 'tile_altered', 512],
    ['tile/1/000.p/2', 32, 'tile_altered', 256],
  ];
  for (const [file, at, kind, index] of cases) {
    const bytes = whole.files.get(file) ?? assert.fail(file);
    const files = new Map(whole.files).set(file, Uint8Array.from(bytes).with(at, (bytes[at] ?? 0) ^ 1));
    assert.deepEqual(await check({ ...whole, files }), { kind, file, index });
  }
});

test('a tree rebuilt around an edited entry differs from the signed root', async () => {
  const forged = build(entries.with(300, text(9999)));
  assert.deepEqual(await check({ ...forged, checkpoint: whole.checkpoint }), {
    kind: 'root_differs',
    file: 'checkpoint',
  });
});

test('a tree that the operator rebuilt and signed again verifies alone, and is a fork to who held a head', async () => {
  const forged = build(entries.with(300, text(9999)));
  assert.equal(await check(forged), undefined);
  assert.equal(await check(forged, [headAt(300)]), undefined);
  assert.deepEqual(await check(forged, [headAt(301)]), { kind: 'forked', held: 'head 301', size: 301 });
});

test('a rolled-back log verifies alone, and is short to who held a later head', async () => {
  const shorter = build(entries.slice(0, 600));
  assert.equal(await check(shorter), undefined);
  const finding = { kind: 'rolled_back', held: 'head 601', size: 601, index: 600 };
  assert.deepEqual(await check(shorter, [headAt(601)]), finding);
});

test('each held head counts, whichever is given first, and that of the empty log too', async () => {
  const shorter = build(entries.slice(0, 600));
  const finding = { kind: 'rolled_back', held: 'head 700', size: 700, index: 600 };
  assert.deepEqual(await check(shorter, [headAt(0), headAt(600), headAt(700)]), finding);
  const forged = { ...headAt(0), root: headAt(1).root };
  assert.deepEqual(await check(whole, [headAt(1), forged]), { kind: 'forked', held: 'head 0', size: 0 });
});

test('a missing, cut, or lengthened file is named', async () => {
  for (const file of whole.files.keys()) {
    const bytes = whole.files.get(file) ?? assert.fail(file);
    const without = new Map(whole.files);
    without.delete(file);
    const missing = await check({ ...whole, files: without });
    assert.ok(missing?.kind === 'file_missing' && missing.file === file);
    for (const changed of [
      bytes.subarray(0, -1),
      Buffer.concat([bytes, Buffer.alloc(1)]),
      new Uint8Array(0),
    ]) {
      const finding = await check({ ...whole, files: new Map(whole.files).set(file, changed) });
      assert.ok(finding !== undefined && 'file' in finding && finding.file === file, file);
    }
  }
});

test('an edit that changes nothing is no finding, whichever file it goes through', async () => {
  for (let pick = 0; pick <= whole.files.size; pick += 1)
    assert.equal(await check(editFile(pick, (bytes) => bytes.slice())), undefined, String(pick));
});

test('every random mutation is found', { timeout: 600_000 }, async (t) => {
  // The benchmark's parts take 10,000: COUNTERSIGN_LEDGER_MUTATIONS=10000.
  const numRuns = Number(process.env.COUNTERSIGN_LEDGER_MUTATIONS ?? 600);
  const seen = new Map<string, number>();
  let found = 0;
  await fc.assert(
    fc.asyncProperty(mutations, async ({ name, log, held }) => {
      seen.set(name, (seen.get(name) ?? 0) + 1);
      assert.notEqual(await check(log, held), undefined, name);
      found += 1;
    }),
    { numRuns },
  );
  assert.equal(seen.size, 9);
  const mutated = [...seen.values()].reduce((sum, count) => sum + count, 0);
  t.diagnostic(JSON.stringify({ figures: 'mutations', mutated, found, kinds: seen.size }));
});

test('a receipt verifies offline for its own record bytes alone', () => {
  const index = 123;
  const ranges = rangeHashOf(hasher, entries.map(hasher.leaf));
  const hashes = inclusionProof(index, entries.length, ranges);
  const receipt = formatTlogProof({
    index,
    hashes,
    checkpoint: whole.checkpoint,
    extra: Buffer.from('hint'),
  });
  const good = verifyTlogProof(deps, receipt, text(index), key);
  assert.ok(good.ok && good.index === index && good.signed.checkpoint.size === 700);
  assert.deepEqual(verifyTlogProof(deps, receipt, text(124), key), {
    ok: false,
    problem: 'record_not_included',
  });
  const elsewhere = receipt.replace('index 123', 'index 124');
  assert.deepEqual(verifyTlogProof(deps, elsewhere, text(index), key), {
    ok: false,
    problem: 'record_not_included',
  });
  for (const broken of [
    '',
    receipt.replace('@v1', '@v2'),
    receipt.replace('index 123', 'index 0123'),
    receipt.slice(5),
  ]) {
    assert.deepEqual(verifyTlogProof(deps, broken, text(index), key), {
      ok: false,
      problem: 'receipt_malformed',
    });
  }
  const proof = parseTlogProof(receipt);
  assert.ok(proof !== undefined);
  const long = (count: number) =>
    parseTlogProof(formatTlogProof({ ...proof, hashes: new Array(count).fill(new Uint8Array(32)) }));
  assert.deepEqual([long(63)?.hashes.length, long(64)], [63, undefined]);
  assert.equal(formatTlogProof(proof), receipt);
});

test('a receipt with one changed character does not verify, its unauthenticated line aside', () => {
  const hashes = inclusionProof(5, 700, rangeHashOf(hasher, entries.map(hasher.leaf)));
  const receipt = formatTlogProof({ index: 5, hashes, checkpoint: whole.checkpoint });
  fc.assert(
    fc.property(fc.nat(receipt.length - 1), fc.constantFrom('A', '1', '\n', ''), (at, put) => {
      const changed = receipt.slice(0, at) + put + receipt.slice(at + 1);
      if (changed !== receipt)
        assert.ok(!verifyTlogProof(deps, changed, text(5), key).ok, JSON.stringify(changed));
    }),
    { numRuns: 400 },
  );
});

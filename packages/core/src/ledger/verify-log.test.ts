// Tests that an untouched log verifies and that each way of tampering is named.

import assert from 'node:assert/strict';
import { generateKeyPairSync, hash, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseSignedCheckpoint, signCheckpoint } from './checkpoint.ts';
import { toHex } from './encoding.ts';
import { makeVerifierKey, parseVerifierKey } from './note.ts';
import { decodeBundle, encodeBundle, entriesLevel, hashTiles, tilePath, tileWidth } from './tile.ts';
import { formatTlogProof, parseTlogProof, verifyTlogProof } from './tlog-proof.ts';
import {
  appendLeaves,
  createTreeHasher,
  emptyFrontier,
  frontierRoot,
  inclusionProof,
  rangeHashOf,
} from './tree.ts';
import { type Finding, type HeldHead, verifyLog } from './verify-log.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const raw = Uint8Array.from(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'));
const deps = {
  sha256: (data: Uint8Array) => hash('sha256', data, 'buffer'),
  utf8: (text: string) => Buffer.from(text),
  // One key pair in this file, so its ready object serves for its raw bytes.
  verifyEd25519: (key: Uint8Array, message: Uint8Array, signature: Uint8Array) =>
    toHex(key) === toHex(raw) && verify(null, message, publicKey, signature),
};
const hasher = createTreeHasher(deps.sha256);
const key = makeVerifierKey(deps, 'gw.example/org-1', 'ed25519', raw);
const signer = (message: Uint8Array) => sign(null, message, privateKey);

type Log = {
  readonly checkpoint: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly root: Uint8Array;
};

function build(entries: readonly Uint8Array[]): Log {
  const leaves = entries.map(hasher.leaf);
  const files = new Map(hashTiles(hasher, leaves));
  for (let index = 0; index * tileWidth < entries.length; index += 1) {
    const part = entries.slice(index * tileWidth, (index + 1) * tileWidth);
    files.set(tilePath({ level: entriesLevel, index, width: part.length }), encodeBundle(part));
  }
  const root = frontierRoot(hasher, appendLeaves(hasher, emptyFrontier, leaves));
  return { files, root, checkpoint: signCheckpoint(deps.utf8, key, { size: entries.length, root }, signer) };
}

async function check(log: Log, held: readonly HeldHead[] = []): Promise<Finding | undefined> {
  const read = (path: string) => log.files.get(path);
  const result = await verifyLog(deps, { key, checkpoint: log.checkpoint, read, held });
  return result.ok ? undefined : result.finding;
}

const text = (i: number) => Buffer.from(`{"n":${i},"pad":"${'x'.repeat((i * 7) % 40)}"}`);
const entries = Array.from({ length: 700 }, (_, i) => text(i));
const whole = build(entries);
const rootAt = (size: number) => build(entries.slice(0, size)).root;
const headAt = (size: number): HeldHead => ({ name: `head ${size}`, size, root: rootAt(size) });

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

type Mutation = { readonly name: string; readonly log: Log; readonly held?: readonly HeldHead[] };

/** Edits one bundle's entries and leaves all else. */
function editBundle(pick: number, edit: (list: Uint8Array[]) => void): Log {
  const bundles = [...whole.files.keys()].filter((path) => path.includes('entries'));
  const file = bundles[pick % bundles.length] ?? assert.fail();
  const list = [...decodeBundle(whole.files.get(file) ?? assert.fail()).entries];
  edit(list);
  return { ...whole, files: new Map(whole.files).set(file, encodeBundle(list)) };
}

/** Edits the bytes of one file, the checkpoint included. */
function editFile(pick: number, edit: (bytes: Uint8Array) => Uint8Array): Log {
  const names = [...whole.files.keys(), 'checkpoint'];
  const name = names[pick % names.length] ?? assert.fail();
  if (name === 'checkpoint') {
    return { ...whole, checkpoint: Buffer.from(edit(Buffer.from(whole.checkpoint))).toString('latin1') };
  }
  return { ...whole, files: new Map(whole.files).set(name, edit(whole.files.get(name) ?? assert.fail())) };
}

const mutations = fc
  .record({
    kind: fc.integer({ min: 0, max: 8 }),
    pick: fc.nat(),
    a: fc.nat(),
    b: fc.nat(),
    byte: fc.integer({ min: 1, max: 255 }),
  })
  .map(({ kind, pick, a, b, byte }): Mutation => {
    if (kind === 0) {
      const log = editFile(pick, (bytes) =>
        bytes.slice().with(a % bytes.length, (bytes[a % bytes.length] ?? 0) ^ byte),
      );
      return { name: 'flip', log };
    }
    if (kind === 1) return { name: 'drop', log: editBundle(pick, (list) => list.splice(a % list.length, 1)) };
    if (kind === 2) {
      const log = editBundle(pick, (list) => {
        const from = a % list.length;
        const to = (from + 1 + (b % (list.length - 1))) % list.length;
        const [x, y] = [list[from] ?? assert.fail(), list[to] ?? assert.fail()];
        list.splice(from, 1, y);
        list.splice(to, 1, x);
      });
      return { name: 'swap', log };
    }
    if (kind === 3) {
      return {
        name: 'duplicate',
        log: editBundle(pick, (list) =>
          list.splice(a % list.length, 0, list[a % list.length] ?? assert.fail()),
        ),
      };
    }
    if (kind === 4)
      return {
        name: 'insert',
        log: editBundle(pick, (list) => list.splice(a % (list.length + 1), 0, text(b))),
      };
    if (kind === 5)
      return { name: 'cut file', log: editFile(pick, (bytes) => bytes.subarray(0, a % bytes.length)) };
    if (kind === 6) {
      const put = (bytes: Uint8Array) => {
        const at = a % (bytes.length + 1);
        return Buffer.concat([bytes.subarray(0, at), Uint8Array.of(byte), bytes.subarray(at)]);
      };
      return { name: 'insert byte', log: editFile(pick, put) };
    }
    // The operator signs again: only a held head shows it.
    const size = 1 + (a % 699);
    if (kind === 7) return { name: 'cut log', log: build(entries.slice(0, size)), held: [headAt(size + 1)] };
    const at = a % size;
    return {
      name: 'rewrite log',
      log: build(entries.slice(0, size).with(at, text(1000 + b))),
      held: [headAt(at + 1)],
    };
  });

test('every random mutation is found', { timeout: 600_000 }, async () => {
  // The long run takes 10,000: COUNTERSIGN_LEDGER_MUTATIONS=10000.
  const numRuns = Number(process.env.COUNTERSIGN_LEDGER_MUTATIONS ?? 600);
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(mutations, async ({ name, log, held }) => {
      seen.set(name, (seen.get(name) ?? 0) + 1);
      assert.notEqual(await check(log, held), undefined, name);
    }),
    { numRuns },
  );
  assert.equal(seen.size, 9);
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

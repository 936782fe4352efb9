// Owns the claims about cosignatures at rest, on either database: what counts as cosigned, and for which receipts.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { OrgId } from '@countersign/core/ids';
import { parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import { type LogPolicy, parseWitnessList } from '@countersign/core/ledger/log-policy';
import { formatVerifierKey, makeVerifierKey } from '@countersign/core/ledger/note';
import { sameBytes } from '@countersign/core/ledger/primitives';
import { createTreeHasher, verifyConsistency } from '@countersign/core/ledger/tree';
import { nodeVerifying } from '@countersign/sdk/ledger/node-verifying';
import {
  make,
  query,
  type SampleOrganization,
  type SampleStore,
  textOf,
} from '@countersign/server/control/sample-organization';
import { proveConsistency } from '@countersign/server/services/ledger/prove-tree';
import { makeReceipt } from '@countersign/server/services/ledger/receipts';
import { keepCosignature } from '@countersign/server/services/witnesses/keep-cosignature';
import { listCosignatures, readCosigned } from '@countersign/server/stores/cosignatures';
import { readHead } from '@countersign/server/stores/heads';

type Fixture = { readonly store: SampleStore; readonly made: SampleOrganization };

const vkeyOf = (n: number): string =>
  formatVerifierKey(makeVerifierKey(nodeVerifying, `w${n}`, 'cosignature', new Uint8Array(32).fill(n)));
const lineOf = (n: number): string => `\u2014 w${n} ${'A'.repeat(104)}\n`;

function listOf(quorum: string): LogPolicy {
  const lines = [1, 2].map((n) => `witness w${n} ${vkeyOf(n)} https://w${n}.example\n`).join('');
  const read = parseWitnessList(nodeVerifying, lines + quorum);
  assert.ok(read.ok);
  return read.policy;
}

async function headOf(store: SampleStore, orgId: OrgId) {
  const head = await readHead(store.db, orgId);
  assert.ok(head !== undefined);
  return head;
}

/** Keeps that this witness has cosigned the newest checkpoint; its size. */
async function keep({ store, made }: Fixture, list: LogPolicy, n: number, origin?: string): Promise<number> {
  const { orgId } = made.owner;
  const head = await headOf(store, orgId);
  const { checkpoint, size } = head;
  const kept = {
    witnessKey: vkeyOf(n),
    origin: origin ?? head.origin,
    size,
    checkpoint,
    signature: lineOf(n),
  };
  await keepCosignature(store.db, list, orgId, kept);
  return size;
}

/** Runs the claims on one database. */
export function cosignedTests(
  fixture: (context: TestContext) => Promise<Fixture>,
  skip: false | string,
): void {
  test('a checkpoint counts as cosigned when as many have cosigned the same text as the list asks for', {
    skip,
  }, async (context) => {
    const both = await fixture(context);
    const { store, made } = both;
    const { owner } = made;
    const list = listOf('group both all w1 w2\nquorum both\n');
    const size = async () => (await readCosigned(store.db, owner.orgId))?.size;
    await keep(both, list, 1);
    assert.equal(await size(), undefined);
    const first = await keep(both, list, 2);
    assert.equal(await size(), first);
    await make(store, owner, 'workspace.create', { name: 'second' });
    await keep(both, list, 1);
    assert.equal(await size(), first, 'one of two has cosigned the newer one');
    const kept = await listCosignatures(store.db, owner.orgId);
    assert.equal(kept.length, 2);
    const answer = await query(store, owner, 'ledger.checkpoint', { query: { cosigned: 'true' } });
    const note = textOf(answer, 'checkpoint');
    assert.ok(note.endsWith(lineOf(1) + lineOf(2)));
    assert.equal(parseSignedCheckpoint(note)?.checkpoint.size, first);
    // Without a quorum one is enough.
    assert.equal(await keep(both, listOf(''), 1), await size());
  });

  test('a receipt is for the cosigned checkpoint where that covers the record, else for the newest', {
    skip,
  }, async (context) => {
    const both = await fixture(context);
    const { store, made } = both;
    const { orgId } = made.owner;
    const covered = await keep(both, listOf(''), 1);
    await make(store, made.owner, 'workspace.create', { name: 'second' });
    const old = await makeReceipt(store.db, orgId, covered - 1);
    assert.ok(old.proof.endsWith(lineOf(1)));
    const newer = await makeReceipt(store.db, orgId, covered);
    assert.ok(newer.proof.endsWith((await headOf(store, orgId)).checkpoint));
    await keep(both, listOf(''), 1, 'another.example/log');
    const after = await makeReceipt(store.db, orgId, 0);
    assert.ok(
      after.proof.endsWith((await headOf(store, orgId)).checkpoint),
      'of another log, so it counts not',
    );
    await assert.rejects(query(store, made.owner, 'ledger.checkpoint', { query: { cosigned: 'true' } }), {
      code: 'not_found',
    });
  });

  test('the beginning of a stored log is proven to be its beginning, from every earlier size', {
    skip,
  }, async (context) => {
    const { store, made } = await fixture(context);
    const { orgId } = made.owner;
    const hasher = createTreeHasher(nodeVerifying.sha256);
    const heads = [await headOf(store, orgId)];
    for (const name of ['b', 'c', 'd']) {
      await make(store, made.owner, 'workspace.create', { name });
      heads.push(await headOf(store, orgId));
    }
    const trees = heads.map((head) => parseSignedCheckpoint(head.checkpoint)?.checkpoint ?? assert.fail());
    const newest = trees.at(-1) ?? assert.fail();
    for (const tree of trees) {
      const proof = await proveConsistency(store.db, orgId, tree.size, newest.size);
      assert.ok(verifyConsistency(hasher, tree, newest, proof), String(tree.size));
      const isSame = sameBytes(tree.root, newest.root);
      assert.equal(verifyConsistency(hasher, { ...tree, root: newest.root }, newest, proof), isSame);
    }
  });
}

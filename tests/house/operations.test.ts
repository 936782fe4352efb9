// Holds the real operations to their inventory, and plants an operation for each way to break it.

import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Operation, operation } from '@countersign/contract/operation';
import { operations } from '@countersign/contract/operations';
import { isObject } from '@countersign/core/json';
import { liveRegistry } from '@countersign/server/compose/manager';
import { commands } from '@countersign/server/control/commands';
import { queries } from '@countersign/server/control/queries';
import { registryOf } from '@countersign/server/control/registry';
import { createRegistry } from '@countersign/server/platform/metrics/registry';
import { z } from 'zod';
import { operationComplaints } from '../../tools/house/operations.ts';

/** What the software asks for by itself: a token's bearer is made a user at the first request. */
const internal = ['user.provision'];

const live = liveRegistry({ now: () => 0, networksOf: () => [] }, createRegistry());

test('every operation has a permission, every command an event, every one its one implementation', () => {
  const bound = { command: [...commands.keys()], query: [...queries.keys()], live: [...live.keys()] };
  assert.deepEqual(operationComplaints(operations, bound, internal), []);
  const unlisted = internal.flatMap((id) => commands.get(id)?.operation ?? []);
  const only = { command: internal, query: [], live: [] };
  // Without a path no request can reach it: that is the one thing about it that is otherwise.
  assert.deepEqual(operationComplaints(unlisted, only, []), [
    'user.provision: its path `` does not start with a slash',
  ]);
});

test('no operation is declared in the contract and left out of the list', async () => {
  const folder = join(import.meta.dirname, '../../packages/contract/src');
  const listed = new Set<unknown>(operations);
  const files = globSync('*-operations.ts', { cwd: folder });
  assert.ok(files.length >= 5);
  for (const file of files) {
    const module: unknown = await import(join(folder, file));
    const declared = isObject(module) ? Object.values(module) : [];
    for (const one of declared) if (isObject(one) && 'permission' in one) assert.ok(listed.has(one), file);
  }
});

const good = operation({
  id: 'thing.get',
  method: 'GET',
  path: '/things/{id}',
  summary: 'One thing.',
  tag: 'thing',
  permission: ['workspaces.read'],
  runs: 'query',
  audit: null,
  params: z.object({}),
  query: z.object({}),
  body: null,
  response: z.object({}),
  status: 200,
  alsoProduces: [],
});

/** Complaints about planted operations that are bound as they say. */
function complaints(...planted: readonly Operation[]): readonly string[] {
  const ids = (runs: Operation['runs']) => planted.filter((one) => one.runs === runs).map(({ id }) => id);
  const bound = { command: ids('command'), query: ids('query'), live: ids('live') };
  return operationComplaints(planted, bound, []);
}

const planted: readonly (readonly [string, readonly Operation[]])[] = [
  ['a command without an event', [{ ...good, method: 'POST', runs: 'command' }]],
  ['a command with an event that is no event', [{ ...good, method: 'POST', runs: 'command', audit: 'x' }]],
  ['a change on GET', [{ ...good, runs: 'command', audit: 'thing.changed' }]],
  ['a read that claims an event', [{ ...good, audit: 'thing.read' }]],
  ['a deletion that is no command', [{ ...good, method: 'DELETE' }]],
  ['an id without a verb', [{ ...good, id: 'thing' }]],
  ['a path without its slash', [{ ...good, path: 'things' }]],
  ['two operations at one place', [good, { ...good, id: 'thing.read', path: '/things/{name}' }]],
];

for (const [claim, some] of planted) {
  test(`${claim} is caught`, () => {
    assert.equal(complaints(...some).length, 1, JSON.stringify(complaints(...some)));
  });
}

test('an operation as it should be is let through', () => {
  assert.deepEqual(complaints(good), []);
});

test('an operation without an implementation, with two, or with none of its own is caught', () => {
  const none = { command: [], query: [], live: [] };
  assert.equal(operationComplaints([good], none, []).length, 1);
  assert.equal(operationComplaints([good], { ...none, live: [good.id] }, []).length, 1);
  assert.equal(operationComplaints([good], { ...none, query: [good.id], live: [good.id] }, []).length, 1);
  assert.equal(operationComplaints([], { ...none, command: ['thing.drop'] }, []).length, 1);
  assert.equal(operationComplaints([good], { ...none, query: [good.id] }, [good.id]).length, 1);
});

test('a registry that binds an operation twice does not load', () => {
  assert.throws(() => registryOf([{ operation: good }, { operation: { ...good } }]), /bound twice/);
});

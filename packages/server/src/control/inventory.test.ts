// Owns the claims about the registries: every operation of the contract is bound exactly once, where it runs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasEffects, unaskedOperations } from '@countersign/contract/operation-effects';
import { operations } from '@countersign/contract/operations';
import { commands } from './commands.ts';
import { queries } from './queries.ts';
import { keyRecover } from './recover-owner.ts';

function idsOf(runs: string): readonly string[] {
  return operations.filter((operation) => operation.runs === runs).map(({ id }) => id);
}

/** What only the software itself asks for. A command that is here by mistake is one that nobody's permission guards. */
const internalIds = ['user.provision'];

test('every command of the contract is bound exactly once, and beside them only the internal ones', () => {
  assert.deepEqual([...commands.keys()].sort(), [...idsOf('command'), ...internalIds].sort());
  assert.equal(commands.size, new Set([...commands.values()].map(({ operation }) => operation)).size);
});

test('no request can name an internal command', () => {
  for (const { id, path } of operations) {
    assert.equal(internalIds.includes(id), false);
    assert.notEqual(path, '');
  }
});

test('what a command may change is written down for whoever replays the log, and nothing else is', () => {
  for (const id of commands.keys()) assert.ok(hasEffects(id), id);
  assert.deepEqual(
    [...unaskedOperations].sort(),
    [...internalIds, 'organization.init', 'log.continue', keyRecover.id].sort(),
  );
});

test('every query of the contract is bound exactly once, and nothing else is', () => {
  assert.deepEqual([...queries.keys()].sort(), [...idsOf('query')].sort());
  assert.equal(queries.size, new Set([...queries.values()].map(({ operation }) => operation)).size);
});

test('an operation runs as its own function, not as a twin with the same schema', () => {
  for (const [id, { operation }] of [...commands, ...queries]) assert.equal(operation.id, id);
});

test('every command names its event in the audit, and no query does', () => {
  for (const { operation } of commands.values()) assert.match(operation.audit ?? '', /^[a-z_]+\.[a-z_]+$/);
  for (const { operation } of queries.values()) assert.equal(operation.audit, null);
});

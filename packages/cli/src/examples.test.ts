// Tests that every example of the help works as it is pasted, once its ids and its files are there.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operations } from '@countersign/contract/operations';
import type { Command } from './command.ts';
import { allCommands } from './commands.ts';
import { serveContract } from './contract-server.ts';
import type { Machine } from './machine.ts';
import { verbOf } from './operation-command.ts';
import { parseWords } from './parse-flags.ts';
import { run } from './run.ts';

/** The words as a shell gives them, with an id for each placeholder: `usr_…`. */
function wordsOf(example: string): readonly string[] {
  const filled = example.replaceAll(/\b([a-z]+)_[0-9a-z]*…/g, `$1_${'0'.repeat(26)}`);
  return [...filled.matchAll(/'([^']*)'|(\S+)/g)].map(([, inQuotes, bare]) => inQuotes ?? bare ?? '');
}

function machineFor(url: string): Machine & { readonly said: () => string } {
  let said = '';
  const say = (text: string): void => {
    said += text;
  };
  return {
    env: { COUNTERSIGN_URL: url, COUNTERSIGN_KEY: 'k' },
    out: say,
    err: say,
    readBytes: () => Buffer.from('permit(principal, action, resource);\n'),
    writeBytes: () => {},
    said: () => said,
  };
}

function examplesOf(commands: readonly Command[]) {
  return commands.flatMap((command) => command.examples.map((example) => ({ command, example })));
}

test('every example is parsed by its own command', () => {
  for (const { command, example } of examplesOf(allCommands())) {
    const words = wordsOf(example).slice(command.name.split(' ').length);
    assert.doesNotThrow(() => parseWords(command, words), example);
  }
});

const byVerb = new Map(operations.map((operation) => [verbOf(operation), operation]));

test('every example of an operation is taken by the contract and reaches the operation', async (t) => {
  const server = await serveContract({});
  t.after(server.close);
  for (const { command, example } of examplesOf(allCommands())) {
    const operation = byVerb.get(command.name);
    if (operation === undefined) continue;
    const machine = machineFor(server.url);
    await run([command], wordsOf(example), machine);
    assert.equal(server.asked.at(-1)?.operation, operation.id, `${example}: ${machine.said()}`);
    const { body } = server.asked.at(-1) ?? {};
    // An example that leaves out what its schema needs was refused before; one that changes nothing shows nothing.
    if (operation.method === 'PATCH') assert.notDeepEqual(body, {}, example);
  }
});

test('a flag that takes JSON shows its form', () => {
  for (const { name, flags } of allCommands())
    for (const flag of flags)
      if (flag.value === 'JSON|@FILE' && flag.name !== 'json-body')
        assert.match((flag.form ?? []).join(''), /^[[{].*[\]}]$/, `${name} --${flag.name}`);
});

test('a key from a file comes without the end of its line', async (t) => {
  const server = await serveContract({});
  t.after(server.close);
  const machine = { ...machineFor(server.url), readBytes: () => Buffer.from('sk-sample\r\n') };
  const words = ['providers', 'create', '--name', 'p', '--kind', 'openai', '--api-key', '@key.txt'];
  await run(allCommands(), words, machine);
  assert.deepEqual(server.asked[0]?.body, { name: 'p', kind: 'openai', apiKey: 'sk-sample' });
});

// Tests how flags are given, shown and refused: those that are on or off, and those of one value.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { serveContract } from './contract-server.ts';
import { runCli } from './run-cli.ts';

async function held(t: TestContext, ...words: string[]): Promise<unknown> {
  const server = await serveContract({ 'organization.update': ({ body }) => body });
  t.after(server.close);
  const env = { COUNTERSIGN_URL: server.url, COUNTERSIGN_KEY: 'k' };
  // What is sent is the claim: the answer is none that fits.
  await runCli(['organization', 'update', ...words], env);
  assert.equal(server.asked.length, 1);
  return server.asked[0]?.body;
}

test('a switch is on or off in each spelling, and nothing where it is not given', async (t) => {
  assert.deepEqual(await held(t, '--legal-hold'), { legalHold: true });
  assert.deepEqual(await held(t, '--legal-hold=true'), { legalHold: true });
  assert.deepEqual(await held(t, '--no-legal-hold'), { legalHold: false });
  assert.deepEqual(await held(t, '--legal-hold=false'), { legalHold: false });
  assert.deepEqual(await held(t, '--output-ceiling', '100'), { outputCeiling: 100 });
});

test('the help says that a switch can be off', async () => {
  const { out } = await runCli(['organization', 'update', '--help']);
  assert.match(out, /^ {2}--\[no-\]legal-hold$/m);
  assert.match(out, /^ {2}--json /m);
});

const wrong: readonly (readonly [words: readonly string[], message: RegExp])[] = [
  [['--legal-hold', 'false'], /`false` is one word too many: say `--legal-hold` or `--no-legal-hold`/],
  [['--legal-hold=maybe'], /takes `true` or `false`, not `maybe`: say `--legal-hold` or `--no-legal-hold`/],
  [['--no-legal-hodl'], /did you mean `--no-legal-hold`\?/],
];

for (const [words, message] of wrong) {
  test(`${words.join(' ')} is refused with both spellings`, async () => {
    const ran = await runCli(['organization', 'update', ...words], { COUNTERSIGN_KEY: 'k' });
    assert.equal(ran.code, 2);
    assert.match(ran.err, message);
  });
}

test('a flag of one value that is given twice is refused, and nothing is asked', async (t) => {
  const server = await serveContract({ 'organization.update': ({ body }) => body });
  t.after(server.close);
  const env = { COUNTERSIGN_URL: server.url, COUNTERSIGN_KEY: 'k' };
  const words = ['organization', 'update', '--output-ceiling', '100', '--output-ceiling=200'];
  const ran = await runCli(words, env);
  assert.equal(ran.code, 2);
  assert.match(ran.err, /`--output-ceiling` takes one value and is given twice/);
  assert.equal(server.asked.length, 0);
});

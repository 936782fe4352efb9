// Tries the verbs of evidence against a real HTTP server that holds a signed log: export, verify, proof, replay, who.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isObject } from '@countersign/core/json';
import { encodeBundle, parseTilePath } from '@countersign/core/ledger/tile';
import { type SignedSample, signSample } from '@countersign/sdk/replay/sample-export';
import { anotherKey } from '@countersign/sdk/replay/sample-key';
import { logText, makeLog } from '@countersign/sdk/replay/sample-log';
import { type Answers, type ContractServer, Refusal, serveContract } from './contract-server.ts';
import { type Ran, runCli } from './run-cli.ts';

const log = makeLog();
const callId = log.idOf('call');
const usage = {
  in: 12,
  out: 34,
  cost_nanos: 1_500_000,
  currency: 'USD',
  price_version: 'sample',
  source: 'provider',
};
const drafts = log.entries.map((entry) => (entry.id === log.idOf('outcome') ? { ...entry, usage } : entry));
const texts = drafts.map(logText);
const sample = signSample(texts);

function indexOf(id: string): number {
  return drafts.findIndex((entry) => entry.id === id);
}

const view = {
  id: callId,
  index: indexOf(callId),
  at: '2025-11-22T00:01:05.000Z',
  type: 'model_call',
  actor: { id: 'usr', kind: 'user', name: 'Alice Example', agents: [] },
  teams: [],
  rules: [],
  labels: [],
  workspaceName: 'default',
  entries: [callId, log.idOf('outcome')].map((id) => ({
    index: indexOf(id),
    leafHash: '',
    text: texts[indexOf(id)] ?? '',
  })),
};

/** Answers of a server with this log. `first` names the entry that a proof is of. */
function answersOf(signed: SignedSample, first = callId): Answers {
  const index = indexOf(first);
  return {
    'record.get': () => view,
    'record.proof': () => ({
      index,
      entry: texts[index] ?? '',
      proof: signed.receipt(index),
      verifierKey: signed.vkey,
    }),
    'ledger.checkpoint': () => ({ checkpoint: signed.checkpoint, verifierKey: signed.vkey }),
    'ledger.tile': ({ params }) => {
      const tile = parseTilePath(`tile/${params.path}`);
      // As if the log had grown since the checkpoint: only the full bundle is left.
      if (tile?.width !== 256) throw new Refusal(404, 'not_found', 'no such tile');
      return encodeBundle([...signed.entries, Buffer.from('{}')]);
    },
  };
}

type Setting = {
  readonly room: string;
  readonly server: ContractServer;
  readonly cli: (...words: string[]) => Promise<Ran>;
};

async function setting(t: TestContext, answers: Answers = answersOf(sample)): Promise<Setting> {
  const room = mkdtempSync(join(tmpdir(), 'cli-'));
  t.after(() => rmSync(room, { recursive: true, force: true }));
  const server = await serveContract(answers);
  t.after(server.close);
  const env = { COUNTERSIGN_URL: server.url, COUNTERSIGN_MANAGEMENT_KEY: 'csk_sample' };
  return { room, server, cli: (...words) => runCli(words, env) };
}

test('an export over the API verifies and replays without the server', async (t) => {
  const { room, cli, server } = await setting(t);
  const directory = join(room, 'audit');
  const written = await cli('ledger', 'export', directory);
  assert.equal(written.code, 0, written.err);
  assert.match(written.out, new RegExp(`^wrote .*: ${texts.length} entries of `));
  assert.equal(readFileSync(join(directory, 'entries.jsonl'), 'utf8'), `${texts.join('\n')}\n`);
  server.close();
  const verified = await cli('ledger', 'verify', directory, '--vkey', sample.vkey);
  assert.equal(verified.code, 0, verified.out);
  assert.match(verified.out, /^verified: [\s\S]*not protected against the operator/);
  const replayed = await cli('ledger', 'replay', directory);
  assert.equal(replayed.code, 0, replayed.out);
  assert.match(replayed.out, /^replayed: 6 decisions taken again, no difference/);
  const json: unknown = JSON.parse((await cli('ledger', 'replay', directory, '--json')).out);
  assert.ok(isObject(json) && isObject(json.replay) && json.replay.retaken === 6);
});

test('an edited export is refused by verify and by replay, with exit code 1', async (t) => {
  const { room, cli } = await setting(t);
  const directory = join(room, 'audit');
  await cli('ledger', 'export', directory);
  const file = join(directory, 'tile', 'entries', '000.p', String(texts.length));
  const bytes = readFileSync(file);
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  for (const verb of ['verify', 'replay']) {
    const ran = await cli('ledger', verb, directory);
    assert.equal(ran.code, 1, verb);
    assert.match(ran.out, /^NOT VERIFIED: /);
  }
});

test('a checkpoint kept of another log is refused, not passed over', async (t) => {
  const other = signSample(texts.slice(0, 5), undefined, anotherKey());
  const { room, cli } = await setting(t);
  const directory = join(room, 'audit');
  await cli('ledger', 'export', directory);
  const since = join(room, 'kept');
  writeFileSync(since, other.checkpoint);
  const ran = await cli('ledger', 'verify', directory, '--since', since);
  assert.equal(ran.code, 1);
  assert.match(ran.out, /the held checkpoint was not signed by this log/);
  assert.match(
    (await cli('ledger', 'verify', directory, '--since', join(room, 'none'))).err,
    /cannot be read/,
  );
});

test('the checkpoint that the command prints, or its JSON, is what verify holds an export against', async (t) => {
  const { room, cli } = await setting(t);
  const directory = join(room, 'audit');
  await cli('ledger', 'export', directory);
  const since = join(room, 'kept');
  const printed = await cli('ledger', 'checkpoint');
  assert.equal(printed.out, sample.checkpoint);
  for (const form of [printed.out, (await cli('ledger', 'checkpoint', '--json')).out]) {
    writeFileSync(since, form);
    const ran = await cli('ledger', 'verify', directory, '--since', since);
    assert.equal(ran.code, 0, ran.out + ran.err);
    assert.match(ran.out, /protected against the operator: the first \d+ entries/);
  }
  writeFileSync(since, 'checkpoint:\n  sample\n');
  const ran = await cli('ledger', 'verify', directory, '--since', since);
  assert.equal(ran.code, 2);
  assert.match(ran.err, /`\S+kept` is no checkpoint: `countersign ledger checkpoint` prints one/);
});

test('a proof is verified, kept in three files, and verifies again from them alone', async (t) => {
  const { room, cli } = await setting(t);
  const out = join(room, 'call.tlog-proof');
  const ran = await cli('ledger', 'proof', callId, '--out', out);
  assert.equal(ran.code, 0, ran.err);
  assert.deepEqual(readdirSync(room).sort(), ['call.entry.json', 'call.tlog-proof', 'call.vkey']);
  assert.equal(readFileSync(join(room, 'call.entry.json'), 'utf8'), texts[indexOf(callId)]);
  const verified = await cli('ledger', 'verify', out);
  assert.equal(verified.code, 0, verified.err);
  assert.match(verified.out, /^verified: the record is entry \d+ of [\s\S]*lay beside the receipt/);
  const other = await cli('ledger', 'verify', out, '--vkey', signSample(texts, undefined, anotherKey()).vkey);
  assert.equal(other.code, 1);
  assert.match(other.out, /^NOT VERIFIED: /);
});

test('a receipt that does not verify is not kept', async (t) => {
  const forged = {
    ...answersOf(sample),
    'record.proof': answersOf(signSample(texts, undefined, anotherKey()))['record.proof'],
  };
  const proof = forged['record.proof'];
  const { room, cli } = await setting(t, {
    'record.proof': (asked) => ({ ...Object.assign({}, proof?.(asked)), verifierKey: sample.vkey }),
  });
  const out = join(room, 'call.tlog-proof');
  const ran = await cli('ledger', 'proof', callId, '--out', out);
  assert.equal(ran.code, 1);
  assert.ok(!existsSync(out));
});

test('who answers with name, model, tokens, cost, workspace, decision, rule, proof of identity and proof of record', async (t) => {
  const { cli } = await setting(t);
  const ran = await cli('who', callId, '--vkey', sample.vkey);
  assert.equal(ran.code, 0, ran.err);
  for (const part of [
    /Alice Example \(user usr_\S+, member\) in workspace default asked model small/,
    /at 2025-11-22T00:01:05.000Z: allowed by members-use-their-workspaces-models of policy version 8/,
    /ended ok with 12 tokens in and 34 out for 0\.0015 USD \(the provider's count\)/,
    /identity was proven by a virtual key \(key_\S+\)/,
    /proof: verified: the record is entry \d+ of `gateway\.example/,
  ])
    assert.match(ran.out, part);
  assert.doesNotMatch(ran.out, /pin it/);
  assert.match((await cli('who', callId)).out, /pin it with --vkey/);
});

test('a pinned key may come from a file, and what is no key is wrong usage with a hint', async (t) => {
  const { room, cli } = await setting(t);
  const kept = join(room, 'vkey.kept');
  writeFileSync(kept, `${sample.vkey}\n`);
  const told = await cli('who', callId, '--vkey', `@${kept}`);
  assert.equal(told.code, 0, told.err);
  assert.match(told.out, /proof: verified/);
  assert.doesNotMatch(told.out, /pin it/);
  const directory = join(room, 'audit');
  await cli('ledger', 'export', directory);
  for (const words of [['who', callId], ...['verify', 'replay'].map((verb) => ['ledger', verb, directory])]) {
    const bare = await cli(...words, '--vkey', kept);
    assert.equal(bare.code, 2, words.join(' '));
    assert.ok(bare.err.includes(`to read it from that file, say \`--vkey @${kept}\``), bare.err);
    assert.match((await cli(...words, '--vkey', 'junk')).err, /`junk` is none, or @FILE\nusage:/);
    const other = await cli(...words, '--vkey', `@${join(directory, 'checkpoint')}`);
    assert.deepEqual([other.code, /holds no verifier key/.test(other.err)], [2, true]);
  }
});

test('who does not tell the story of one record with the proof of another', async (t) => {
  const { cli } = await setting(t, answersOf(sample, log.idOf('denied call')));
  const ran = await cli('who', callId);
  assert.equal(ran.code, 1);
  assert.match(ran.err, /the proof is of record/);
});

test('who says so when the proof is false', async (t) => {
  const { cli } = await setting(t);
  const ran = await cli('who', callId, '--vkey', signSample(texts, undefined, anotherKey()).vkey);
  assert.equal(ran.code, 1);
  assert.match(ran.out, /proof: NOT VERIFIED: /);
});

for (const [noName, told] of [
  ['erased', /^an erased person \(user usr_/],
  ['unnamed', /^a person without a name \(user usr_/],
  [undefined, /^a person whose name is not shown to you \(user usr_/],
] as const)
  test(`who says whom it cannot name: ${noName ?? 'hidden'}`, async (t) => {
    const { cli } = await setting(t, {
      ...answersOf(sample),
      'record.get': () => ({ ...view, actor: { ...view.actor, name: undefined }, noName }),
    });
    assert.match((await cli('who', callId)).out, told);
  });

for (const [name, told] of [
  ['narrowed call', /: refused before policy was asked: key_narrowed\.\nit was not sent;/],
  [
    'budget call',
    /: allowed by members-use-their-workspaces-models of policy version 8, then refused: budget_exceeded\.\nit was not sent;/,
  ],
  [
    'denied call',
    /: denied by sensitive-prompts-stay-inside of policy version 8 \(forbid\)\.\nit was not sent;/,
  ],
] as const) {
  test(`who says why a call did not go, and whether policy said so: the ${name}`, async (t) => {
    const id = log.idOf(name);
    const answers = { ...answersOf(sample, id), 'record.get': () => ({ ...view, id, entries: [] }) };
    const { cli } = await setting(t, answers);
    assert.match((await cli('who', id)).out, told);
  });
}

test('who names a service as what it is, and says that no natural person was identified', async (t) => {
  const at = indexOf(callId);
  const actor = { ...Object(drafts[at]?.actor), id: 'svc_1', kind: 'service' };
  const signed = signSample(texts.with(at, logText({ ...drafts[at], actor })));
  const seen = { ...view, actor: { id: 'svc_1', kind: 'service', agents: [], application: 'svc_1' } };
  const answers = answersOf(signed);
  const { cli } = await setting(t, {
    ...answers,
    'record.get': () => ({ ...seen, actor: { ...seen.actor, applicationName: 'webapp' } }),
    'record.proof': (asked) => ({
      ...Object(answers['record.proof']?.(asked)),
      entry: logText({ ...drafts[at], actor }),
    }),
  });
  const told = await cli('who', callId);
  assert.equal(told.code, 0, told.out);
  assert.match(told.out, /^webapp \(service svc_1, member\) in workspace default/);
  assert.match(told.out, /identity was proven by a virtual key .*, no natural person was identified\./);
});

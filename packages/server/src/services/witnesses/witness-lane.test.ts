// Checks one witness's way through the logs: what is asked again and when, what is told once, and what each time.

import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { makeId, type OrgId } from '@countersign/core/ids';
import type { RawWitnessAnswer } from '@countersign/core/ledger/add-checkpoint';
import { parseSignedCheckpoint, signCheckpoint } from '@countersign/core/ledger/checkpoint';
import { cosign } from '@countersign/core/ledger/cosignature';
import { formatSignature, formatVerifierKey, makeVerifierKey } from '@countersign/core/ledger/note';
import { sha256, utf8, verifyEd25519 } from '../ledger/crypto.ts';
import { type CosignTarget, createLane } from './witness-lane.ts';

const hashing = { sha256, utf8 };

function makeKey(name: string, type: 'ed25519' | 'cosignature') {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const key = makeVerifierKey(hashing, name, type, Uint8Array.from(raw));
  return { key, sign: (message: Uint8Array) => sign(null, message, privateKey) };
}

const log = makeKey('gw.example/org', 'ed25519');
const own = makeKey('w1', 'cosignature');
const nowMs = 1_763_769_600_000;
const orgs = [1, 2].map((n) => makeId('org', nowMs, new Uint8Array(10).fill(n)));

const sizeIn = (body: string): number =>
  parseSignedCheckpoint(body.slice(body.indexOf('\n\n') + 2))?.checkpoint.size ?? -1;

function cosignature(body: string): RawWitnessAnswer {
  const { note } = parseSignedCheckpoint(body.slice(body.indexOf('\n\n') + 2)) ?? assert.fail();
  const line = cosign(utf8, own.key, nowMs / 1_000, note.text, own.sign);
  return { status: 200, contentType: 'text/plain', body: formatSignature(line) };
}

/** A lane over logs whose sizes the test sets; `answer` is the witness. Half a minute of jitter is none. */
function setting(answer: (body: string) => RawWitnessAnswer | Promise<RawWitnessAnswer>) {
  const sizes = new Map<OrgId, number>(orgs.map((orgId) => [orgId, 0]));
  const stored = new Map<OrgId, number>();
  const told: string[] = [];
  const asked: string[] = [];
  const time = { ms: 0 };
  const lane = createLane(
    {
      verifying: { sha256, utf8, verifyEd25519 },
      post: async (_url, body) => {
        asked.push(`${body.split('\n')[0]} of ${sizeIn(body)}`);
        return answer(body);
      },
      now: () => nowMs,
      clock: () => time.ms,
      random: () => 0,
      everyMs: 1_000,
      keep: async (orgId, _witness, target) => void stored.set(orgId, target.signed.checkpoint.size),
      keyText: ({ key }) => formatVerifierKey(key),
      tell: (level, _fields, message) => told.push(`${level} ${message.slice(0, 40)}`),
      count: () => {},
    },
    { name: 'w1', key: own.key, url: 'https://w1.example' },
  );
  async function targetOf(orgId: OrgId): Promise<CosignTarget> {
    const size = sizes.get(orgId) ?? 0;
    const checkpoint = signCheckpoint(utf8, log.key, { size, root: new Uint8Array(32) }, log.sign);
    const signed = parseSignedCheckpoint(checkpoint) ?? assert.fail();
    const known = new Map([[formatVerifierKey(own.key), stored.get(orgId) ?? 0]]);
    return { signed, checkpoint, sizes: known, prove: async () => [] };
  }
  return {
    sizes,
    stored,
    told,
    asked,
    lane,
    /** What is asked in one run, `ms` later, where the first log has this size. */
    async run(ms: number, size = 0): Promise<readonly string[]> {
      time.ms += ms;
      const [first = assert.fail()] = orgs;
      if (size > 0) sizes.set(first, size);
      asked.length = 0;
      const logs = [...sizes].map(([orgId, each]) => ({ orgId, size: each }));
      await lane.run(logs, targetOf);
      return [...asked];
    },
  };
}

test('a log is asked about when it has grown and once after a start, from the size that is stored', async () => {
  const { run, stored, told, lane } = setting(cosignature);
  const [first = assert.fail()] = orgs;
  stored.set(first, 5);
  assert.deepEqual(await run(0), []);
  assert.deepEqual(await run(1_000, 5), ['old 5 of 5']);
  assert.deepEqual(await run(1_000), []);
  assert.deepEqual(await run(1_000, 9), ['old 5 of 9']);
  assert.deepEqual(told, ['info a witness cosigns this log']);
  assert.deepEqual(lane.state(), { behind: 0, waitingMs: 0, conflicts: 0 });
});

test('a witness that cannot be reached is asked in each round, is told of once, and shows how late it is', async () => {
  let isThere = false;
  const { run, sizes, told, lane } = setting((body) => {
    if (isThere) return cosignature(body);
    throw new Error('no connection');
  });
  sizes.set(orgs[1] ?? assert.fail(), 4);
  // An hour of rounds, each of which tries one log and leaves the rest.
  for (let round = 0; round < 120; round += 1) assert.equal((await run(1_000, 3)).length, 1);
  assert.deepEqual(told, ['warn a witness could not be asked: it is trie']);
  assert.deepEqual(lane.state(), { behind: 7, waitingMs: 119_000, conflicts: 0 });
  isThere = true;
  assert.equal((await run(1_000)).length, 2, 'it catches up in the first round after its return');
  assert.equal(lane.state().behind, 0);
});

test('a witness that has too much to do rests longer each time', async () => {
  let isThere = false;
  const { run, told, lane } = setting((body) =>
    isThere ? cosignature(body) : { status: 503, contentType: undefined, body: '' },
  );
  assert.equal((await run(0, 3)).length, 1);
  const gaps: number[] = [];
  let since = 0;
  while (gaps.length < 4) {
    since += 1_000;
    if ((await run(1_000)).length === 0) continue;
    gaps.push(since);
    since = 0;
  }
  assert.deepEqual(gaps, [1_000, 2_000, 4_000, 8_000]);
  assert.deepEqual(told, ['warn a witness refused a checkpoint']);
  assert.deepEqual(lane.state(), { behind: 3, waitingMs: 15_000, conflicts: 0 });
  isThere = true;
  await run(16_000);
  assert.equal(lane.state().behind, 0);
});

test('a log that the witness does not know is told once and tried seldom, and the others go on', async () => {
  const { run, sizes, told } = setting((body) =>
    sizeIn(body) < 10 ? { status: 404, contentType: undefined, body: '' } : cosignature(body),
  );
  sizes.set(orgs[1] ?? assert.fail(), 10);
  assert.deepEqual(await run(0, 3), ['old 0 of 3', 'old 0 of 10']);
  assert.deepEqual(await run(30_000), []);
  assert.deepEqual(await run(31_000), ['old 0 of 3']);
  assert.equal(told.filter((line) => line.startsWith('warn')).length, 1);
});

test('a witness that has seen more than there is, or another tree, is told of each time and signed over never', async () => {
  const answers: RawWitnessAnswer[] = [
    { status: 409, contentType: 'text/x.tlog.size', body: '50\n' },
    { status: 422, contentType: undefined, body: '' },
  ];
  const { run, stored, told, lane } = setting(() => answers.shift() ?? answers[0] ?? assert.fail());
  assert.deepEqual(await run(0, 20), ['old 0 of 20']);
  assert.equal(lane.state().conflicts, 1);
  assert.deepEqual(await run(61_000, 60), ['old 0 of 60']);
  assert.deepEqual(told, [
    'error alert: a witness has cosigned more of th',
    'error alert: a witness has cosigned another tr',
  ]);
  assert.deepEqual([lane.state().conflicts, stored.size], [1, 0]);
});

test('another size is gone on from a few times, and a witness that always tells another one is left', async () => {
  const sizes = [4, 7, 2, 9, 1];
  const answer = (): RawWitnessAnswer => ({
    status: 409,
    contentType: 'text/x.tlog.size',
    body: `${sizes.shift()}\n`,
  });
  const { run } = setting(answer);
  assert.deepEqual(await run(0, 20), ['old 0 of 20', 'old 4 of 20', 'old 7 of 20', 'old 2 of 20']);
});

test('a witness that has forgotten what it had cosigned is asked from where it is, and that is told', async () => {
  let asks = 0;
  const { run, stored, told } = setting((body) => {
    asks += 1;
    return asks === 1 ? { status: 409, contentType: 'text/x.tlog.size', body: '0\n' } : cosignature(body);
  });
  stored.set(orgs[0] ?? assert.fail(), 5);
  assert.deepEqual(await run(0, 9), ['old 5 of 9', 'old 0 of 9']);
  assert.equal(told[0], 'warn a witness has forgotten what it had cosi');
  assert.equal(stored.get(orgs[0] ?? assert.fail()), 9);
});

test('a lane that is still at work is not begun twice, and one that was stopped asks nothing', async () => {
  const late = Promise.withResolvers<void>();
  const { run, asked, lane } = setting(async (body) => {
    await late.promise;
    return cosignature(body);
  });
  const first = run(0, 3);
  await run(1_000, 5);
  late.resolve();
  await first;
  assert.equal(asked.length, 1);
  lane.stop();
  assert.deepEqual(await run(1_000, 8), []);
});

// Owns a small witness for tests (C2SP tlog-witness): it checks and keeps as the protocol says, over HTTP on this machine.

import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Checkpoint, parseDecimal, parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import { cosign } from '@countersign/core/ledger/cosignature';
import { fromBase64 } from '@countersign/core/ledger/encoding';
import {
  checkNote,
  formatSignature,
  formatVerifierKey,
  makeVerifierKey,
  parseVerifierKey,
  type VerifierKey,
} from '@countersign/core/ledger/note';
import { sameBytes } from '@countersign/core/ledger/primitives';
import { createTreeHasher, verifyConsistency } from '@countersign/core/ledger/tree';
import { nodeVerifying } from '@countersign/sdk/ledger/node-verifying';

export type TestWitness = {
  readonly name: string;
  readonly vkey: string;
  readonly url: string;
  /** Its line in a tlog-policy file. */
  readonly line: string;
  /** From now on it knows the log of this verifier key. */
  readonly trust: (vkey: string) => void;
  /** The old size of each request that came, and how it was answered. */
  readonly asked: { readonly origin: string; readonly old: number; readonly status: number }[];
  /** What it cosigned last of a log. */
  readonly last: (origin: string) => Checkpoint | undefined;
  /** It answers like this instead; undefined: as the protocol says. */
  readonly instead: (answer: ((response: ServerResponse) => void) | undefined) => void;
  readonly close: () => void;
};

type Answer = {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  readonly origin?: string;
};

type Request = {
  readonly old: number;
  readonly proof: readonly Uint8Array[];
  readonly checkpoint: string;
};

function parseRequest(body: string): Request | undefined {
  const split = body.indexOf('\n\n');
  const [first = '', ...lines] = body.slice(0, split).split('\n');
  const old = first.startsWith('old ') ? parseDecimal(first.slice('old '.length)) : undefined;
  const proof = lines.map((line) => fromBase64(line)).filter((hash) => hash?.length === 32);
  if (split < 0 || old === undefined || lines.length > 63 || proof.length !== lines.length) return undefined;
  return { old, proof: proof.flatMap((hash) => hash ?? []), checkpoint: body.slice(split + 2) };
}

function makeKey(name: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const key = makeVerifierKey(nodeVerifying, name, 'cosignature', Uint8Array.from(raw));
  return { key, sign: (message: Uint8Array) => sign(null, message, privateKey) };
}

/** What the witness knows: the logs' keys, and of each log the checkpoint that it cosigned last. */
type Known = { readonly logs: Map<string, VerifierKey>; readonly last: Map<string, Checkpoint> };

const hasher = createTreeHasher(nodeVerifying.sha256);

/** The checks in the protocol's order; undefined: the checkpoint is to be cosigned. */
function refusal(known: Known, { old, proof }: Request, next: Checkpoint): Answer | undefined {
  const last = known.last.get(next.origin);
  const size = last?.size ?? 0;
  if (old > next.size) return { status: 400, body: 'the old size is the larger one\n' };
  if (old !== size) return { status: 409, body: `${size}\n`, type: 'text/x.tlog.size' };
  if (last === undefined) return proof.length === 0 ? undefined : { status: 422, body: '' };
  if (size === next.size) return sameBytes(last.root, next.root) ? undefined : { status: 409, body: '' };
  return verifyConsistency(hasher, last, next, proof) ? undefined : { status: 422, body: '' };
}

function answerTo(
  known: Known,
  body: string,
  key: ReturnType<typeof makeKey>,
): Answer & { readonly old: number } {
  const request = parseRequest(body);
  const signed = request === undefined ? undefined : parseSignedCheckpoint(request.checkpoint);
  if (request === undefined || signed === undefined) return { status: 400, body: 'malformed\n', old: -1 };
  const { origin } = signed.checkpoint;
  const said = { origin, old: request.old };
  const log = known.logs.get(origin);
  if (log === undefined) return { ...said, status: 404, body: '' };
  if (checkNote(nodeVerifying, signed.note, log) !== 'valid') return { ...said, status: 403, body: '' };
  const refused = refusal(known, request, signed.checkpoint);
  if (refused !== undefined) return { ...said, ...refused };
  known.last.set(origin, signed.checkpoint);
  const now = Math.floor(Date.now() / 1_000);
  const line = cosign(nodeVerifying.utf8, key.key, now, signed.note.text, key.sign);
  return { ...said, status: 200, body: formatSignature(line) };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** Starts a witness that knows no log yet. With `signsAs: 'another'` its key is not the one that it gives out. */
export async function startWitness(
  name: string,
  signsAs: 'itself' | 'another' = 'itself',
): Promise<TestWitness> {
  const own = makeKey(name);
  const key = signsAs === 'itself' ? own : { key: own.key, sign: makeKey(name).sign };
  const known: Known = { logs: new Map(), last: new Map() };
  const asked: { origin: string; old: number; status: number }[] = [];
  let instead: ((response: ServerResponse) => void) | undefined;
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      if (instead !== undefined) return instead(response);
      const isAdd = request.method === 'POST' && request.url === '/sub/add-checkpoint';
      const answer = isAdd ? answerTo(known, body, key) : { status: 405, body: '', old: -1 };
      asked.push({ origin: answer.origin ?? '', old: answer.old, status: answer.status });
      response.writeHead(answer.status, { 'content-type': answer.type ?? 'text/plain' }).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  const url = `http://127.0.0.1:${address.port}/sub`;
  const vkey = formatVerifierKey(own.key);
  return {
    name,
    vkey,
    url,
    line: `witness ${name} ${vkey} ${url}/\n`,
    trust(text) {
      const log = parseVerifierKey(nodeVerifying, text);
      if (log !== undefined) known.logs.set(log.name, log);
    },
    asked,
    last: (origin) => known.last.get(origin),
    instead: (answer) => {
      instead = answer;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

// Tests that a kept text of a head does not keep the head.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { ownText } from './own-text.ts';

test('a copy is the same text', () => {
  const latin = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
  fc.assert(fc.property(fc.string({ unit: latin }), (text) => ownText(text) === text));
});

/** Bytes that stay when `keep` has kept something of each of 1,000 heads of 30 KB. */
function kept(keep: string): number {
  const source = `
    import { readPlainHead } from ${JSON.stringify(import.meta.resolve('../http1/request-head.ts'))};
    import { ownText } from ${JSON.stringify(import.meta.resolve('./own-text.ts'))};
    import { clientOf, knownClient, noteClient } from ${JSON.stringify(import.meta.resolve('../../services/subjects/clients.ts'))};
    import { createRendered } from ${JSON.stringify(import.meta.resolve('../../services/snapshot/rendered.ts'))};
    import { clientAddress, compileTrustedProxies } from ${JSON.stringify(import.meta.resolve('../http/client-address.ts'))};
    const trusted = compileTrustedProxies({ cidrs: ['127.0.0.1'], hops: 1 });
    const all = [];
    const rendered = createRendered();
    const keep = ${keep};
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 1_000; i += 1) {
      const text = 'POST /v1/passed/through HTTP/1.1\\r\\nHost: h\\r\\nContent-Length: 0\\r\\nUser-Agent: a client by name\\r\\nX-Forwarded-For: 203.0.113.' + (100 + i % 100) + '\\r\\nX: ' + 'x'.repeat(30_000) + '\\r\\n\\r\\n';
      keep(readPlainHead(Buffer.from(text), 65_536), i);
    }
    gc();
    console.log(process.memoryUsage().heapUsed - before);
    console.log(all.length, rendered.target === undefined);
  `;
  const child = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', source]);
  const [bytes = ''] = child.stdout.toString().split('\n');
  assert.match(bytes, /^-?\d+$/, child.stderr.toString());
  return Number(bytes);
}

test('what is cut out of a head keeps it, and a copy does not', () => {
  const cut = kept('(head) => all.push(head.rawHeaders[5])');
  assert.ok(cut > 20_000_000, `${cut} bytes: if a cut text no longer keeps its head, no copy is needed`);
  const copied = kept('(head) => all.push(ownText(head.rawHeaders[5]))');
  assert.ok(copied < 2_000_000, `${copied} bytes`);
});

const keepers: readonly (readonly [string, string])[] = [
  [
    'clients of a subject',
    `(head, i) => {
      const key = { clients: [] };
      noteClient(key, clientOf(head.rawHeaders[7], head.rawHeaders[5]), 'e' + i);
      if (knownClient(key, clientOf(head.rawHeaders[7], 'a client by name')) !== 'e' + i) throw new Error('unknown');
      all.push(key);
    }`,
  ],
  ['addresses behind a proxy', "(head) => all.push(clientAddress('127.0.0.1', head.rawHeaders, trusted))"],
  [
    'routes of rendered targets',
    `(head, i) => {
      const parts = { model: { id: String(i) }, provider: trusted, requested: 'm', endpoint: 'e', route: head.target };
      rendered.setTarget(parts, 'made');
      if (rendered.target(parts) !== 'made') throw new Error('unknown');
    }`,
  ],
];
for (const [name, keep] of keepers)
  test(`no head is kept by ${name}`, () => {
    const bytes = kept(keep);
    assert.ok(bytes < 3_000_000, `${bytes} bytes`);
  });

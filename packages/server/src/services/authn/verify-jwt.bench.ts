// Owns the figures of a token's verification: read for the first time, and kept. Run by itself.

import { createSecretKey } from 'node:crypto';
import {
  goodClaims,
  makeKey,
  makeOrgId,
  makeToken,
  openSampleVerifier,
  trustIssuer,
} from './sample-issuer.ts';
import { subjectCommitment } from './subject-commitment.ts';

const rounds = 7;
const tokensARound = 500;
const hitsARound = 20_000;

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function microseconds(count: number, work: (i: number) => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < count; i += 1) await work(i);
  return ((performance.now() - start) * 1000) / count;
}

for (const alg of ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const) {
  const key = makeKey(alg, 'k1');
  const jwk: Record<string, string> = {};
  for (const [name, value] of Object.entries(key.jwk)) if (typeof value === 'string') jwk[name] = value;
  const trusted = trustIssuer(makeOrgId(), 'https://login.example.com', {
    algorithms: [alg],
    keys: { kind: 'jwks', jwks: { keys: [jwk] } },
  });
  const misses: number[] = [];
  const hits: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const { verifier } = openSampleVerifier([trusted]);
    const tokens = Array.from({ length: tokensARound }, (_, i) =>
      makeToken(key, goodClaims(trusted, { sub: `u${i}`, email: `u${i}@example.com`, roles: ['a', 'b'] })),
    );
    misses.push(await microseconds(tokensARound, (i) => verifier.verify(tokens[i] ?? '')));
    hits.push(await microseconds(hitsARound, (i) => verifier.verify(tokens[i % tokensARound] ?? '')));
  }
  console.log(`${alg}: first ${median(misses).toFixed(1)} µs, kept ${median(hits).toFixed(2)} µs`);
}

const indexKey = createSecretKey(Buffer.alloc(32, 1));
const { orgId, issuer } = trustIssuer(makeOrgId(), 'https://login.example.com');
const commitments = await microseconds(20_000, async (i) =>
  subjectCommitment(indexKey, orgId, issuer.id, `subject ${i}`),
);
console.log(`commitment to a subject: ${commitments.toFixed(1)} µs`);

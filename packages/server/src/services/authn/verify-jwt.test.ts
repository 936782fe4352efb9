// Owns the claims about tokens: which prove somebody, which prove nobody, and what is remembered of them.

import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { TokenIssuer } from '@countersign/core/directory/objects';
import {
  goodClaims,
  makeConfusedToken,
  makeKey,
  makeOrgId,
  makeToken,
  makeUnsignedToken,
  openSampleIssuer,
  openSampleVerifier,
  type SampleKey,
  sampleSeconds,
  trustIssuer,
} from './sample-issuer.ts';
import { subjectCommitment } from './subject-commitment.ts';
import type { TrustedIssuer } from './verify-jwt.ts';

const rsa = makeKey('RS256', 'r1');

async function open(
  context: TestContext,
  keys: readonly SampleKey[] = [rsa],
  changes: Partial<TokenIssuer> = {},
) {
  const provider = await openSampleIssuer(context, keys);
  const trusted = trustIssuer(makeOrgId(), provider.url, changes);
  return { provider, trusted, ...openSampleVerifier([trusted]) };
}

test('a good token proves its subject in its organization, by every algorithm that the issuer may use', async (context) => {
  const keys = (['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const).map((alg) =>
    makeKey(alg, alg),
  );
  const algorithms = keys.map(({ alg }) => alg);
  const { trusted, verifier } = await open(context, keys, { algorithms });
  for (const key of keys) {
    const result = await verifier.verify(makeToken(key, goodClaims(trusted, { sub: key.alg })));
    assert.ok(result.ok, key.alg);
    assert.equal(result.orgId, trusted.orgId);
    assert.equal(result.claims.subject, key.alg);
  }
});

test('a signature in any other form, or over any other text, is refused', async (context) => {
  const es = makeKey('ES256', 'e1');
  const { trusted, outcome } = await open(context, [rsa, es]);
  const [head = '', body = '', signature = ''] = makeToken(rsa, goodClaims(trusted)).split('.');
  const other = Buffer.from(JSON.stringify(goodClaims(trusted, { sub: 'bob' }))).toString('base64url');
  assert.equal(await outcome(`${head}.${other}.${signature}`), 'bad_signature');
  assert.equal(await outcome(`${head}.${body}.${Buffer.alloc(256).toString('base64url')}`), 'bad_signature');
  assert.equal(await outcome(`${head}.${body}.AAAA`), 'bad_signature');
  const stranger = makeKey('ES256', 'e1');
  assert.equal(await outcome(makeToken(stranger, goodClaims(trusted))), 'bad_signature');
});

test('RS256 turned into HS256 with the public key as the secret is refused', async (context) => {
  const { trusted, outcome } = await open(context);
  assert.equal(await outcome(makeConfusedToken(rsa, goodClaims(trusted))), 'algorithm');
  // Calling it RS256 does not help: the key is one of RSA, and the HMAC is no signature of it.
  assert.equal(await outcome(makeConfusedToken(rsa, goodClaims(trusted), 'RS256')), 'bad_signature');
});

test('`alg: none` is refused with and without a signature', async (context) => {
  const { trusted, outcome } = await open(context);
  const claims = goodClaims(trusted);
  const [, , signature = ''] = makeToken(rsa, claims).split('.');
  assert.equal(await outcome(makeUnsignedToken(claims)), 'algorithm');
  assert.equal(await outcome(makeUnsignedToken(claims, signature)), 'algorithm');
});

test('an algorithm that the issuer does not use is refused, even with its own key', async (context) => {
  const { trusted, outcome } = await open(context, [makeKey('RS256', 'r1')], { algorithms: ['ES256'] });
  assert.equal(await outcome(makeToken(rsa, goodClaims(trusted))), 'algorithm_not_allowed');
});

test("a key is used for its own algorithm only, whatever the token's header says", async (context) => {
  const { trusted, outcome } = await open(context, [rsa], { algorithms: ['RS256', 'PS256', 'ES256'] });
  const asPs = { ...rsa, alg: 'PS256' } as const;
  assert.equal(await outcome(makeToken(asPs, goodClaims(trusted))), 'key_algorithm');
  const es = { ...makeKey('ES256', 'r1') };
  assert.equal(await outcome(makeToken(es, goodClaims(trusted))), 'key_algorithm');
});

test('a token in a second spelling of base64url is refused, also after the first one was kept', async (context) => {
  const { trusted, outcome } = await open(context);
  const token = makeToken(rsa, goodClaims(trusted));
  assert.equal(await outcome(token), 'ok');
  const last = token.at(-1) ?? '';
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  // 256 bytes leave four unused bits in the last character: another one of the same bytes.
  const twin = alphabet.charAt(alphabet.indexOf(last) + 1);
  for (const spelling of [
    `${token.slice(0, -1)}${twin}`,
    `${token}=`,
    `${token} `,
    token.replace('.', '.\n'),
  ])
    assert.equal(await outcome(spelling), 'bad_base64url');
});

test('without a kid a key is used only where exactly one fits the algorithm', async (context) => {
  const unnamed = makeKey('RS256');
  const second = makeKey('RS256', 'r2');
  const es = makeKey('ES256', 'e1');
  const one = await open(context, [unnamed, es]);
  assert.equal(await one.outcome(makeToken(unnamed, goodClaims(one.trusted))), 'ok');
  const several = await open(context, [unnamed, second, es]);
  assert.equal(await several.outcome(makeToken(unnamed, goodClaims(several.trusted))), 'ambiguous_key');
  assert.equal(await several.outcome(makeToken(second, goodClaims(several.trusted))), 'ok');
});

test('two organizations may trust one issuer: the audience alone says whose token it is', async (context) => {
  const provider = await openSampleIssuer(context, [rsa]);
  const first = trustIssuer(makeOrgId(), provider.url);
  const second = trustIssuer(makeOrgId(), provider.url);
  const { verifier, outcome } = openSampleVerifier([first, second]);
  for (const { orgId, issuer } of [first, second]) {
    const result = await verifier.verify(makeToken(rsa, goodClaims(first, { aud: issuer.audience })));
    assert.equal(result.ok && result.orgId, orgId);
  }
  const both = [first.issuer.audience, second.issuer.audience];
  assert.equal(await outcome(makeToken(rsa, goodClaims(first, { aud: both }))), 'ambiguous_issuer');
  const others = ['urn:other', first.issuer.audience];
  assert.equal(await outcome(makeToken(rsa, goodClaims(first, { aud: others }))), 'ok');
  for (const aud of ['urn:other', `${first.issuer.audience}x`, '', []])
    assert.equal(await outcome(makeToken(rsa, goodClaims(first, { aud }))), 'unknown_issuer');
  for (const aud of [undefined, 7, [7], Array.from({ length: 33 }, (_, i) => String(i))])
    assert.equal(await outcome(makeToken(rsa, goodClaims(first, { aud }))), 'audience_claim');
  assert.equal(
    await outcome(makeToken(rsa, goodClaims(first, { iss: `${provider.url}/` }))),
    'unknown_issuer',
  );
});

test('times are given 60 seconds: a kept token ends as one that is read for the first time', async (context) => {
  const { trusted, clock, outcome, verifier } = await open(context);
  const token = makeToken(rsa, goodClaims(trusted, { exp: sampleSeconds + 100 }));
  assert.equal(await outcome(token), 'ok');
  clock.nowMs += 100_000;
  assert.equal(await outcome(token), 'ok');
  assert.equal(verifier.cached(), 0);
  clock.nowMs += 59_000;
  assert.equal(await outcome(token), 'ok');
  clock.nowMs += 1_000;
  assert.equal(await outcome(token), 'expired');
  const fresh = sampleSeconds + 160;
  const claims = { iat: fresh, exp: fresh + 60 };
  assert.equal(await outcome(makeToken(rsa, goodClaims(trusted, { ...claims, nbf: fresh + 60 }))), 'ok');
  assert.equal(
    await outcome(makeToken(rsa, goodClaims(trusted, { ...claims, nbf: fresh + 61 }))),
    'not_yet_valid',
  );
});

test('CVE-2026-35030: tokens that begin alike are told apart by all of their text', async (context) => {
  const { trusted, verifier, outcome } = await open(context);
  const alice = makeToken(rsa, goodClaims(trusted, { sub: 'alice' }));
  const bob = makeToken(rsa, goodClaims(trusted, { sub: 'bob' }));
  assert.equal(alice.slice(0, 20), bob.slice(0, 20));
  for (const [token, subject] of [
    [alice, 'alice'],
    [bob, 'bob'],
    [alice, 'alice'],
  ] as const) {
    const result = await verifier.verify(token);
    assert.equal(result.ok && result.claims.subject, subject);
  }
  const forged = `${alice.slice(0, -20)}${'A'.repeat(20)}`;
  assert.equal(await outcome(forged), 'bad_signature');
});

test('litellm#40398: the principal is (issuer, subject), the same through every refresh of the token', async (context) => {
  const { trusted, verifier } = await open(context);
  const indexKey = createSecretKey(Buffer.alloc(32, 7));
  const found = new Set<string>();
  for (const iat of [sampleSeconds - 30, sampleSeconds]) {
    const result = await verifier.verify(makeToken(rsa, goodClaims(trusted, { iat, jti: String(iat) })));
    assert.ok(result.ok);
    found.add(subjectCommitment(indexKey, result.orgId, result.issuer.id, result.claims.subject));
  }
  assert.equal(found.size, 1);
  const [first = ''] = found;
  assert.match(first, /^[0-9a-f]{64}$/);
  const other = trustIssuer(trusted.orgId, 'https://other.example.com');
  const elsewhere = trustIssuer(makeOrgId(), trusted.issuer.issuer);
  const commit = ({ orgId, issuer }: TrustedIssuer) => subjectCommitment(indexKey, orgId, issuer.id, 'alice');
  const sameIssuer = { orgId: elsewhere.orgId, issuer: trusted.issuer };
  assert.equal(new Set([first, commit(other), commit(elsewhere), commit(sameIssuer)]).size, 4);
});

test('litellm#31441, litellm#41417: nothing but the token is kept, and the same for everyone who sends it', async (context) => {
  const { trusted, verifier } = await open(context);
  const token = makeToken(rsa, goodClaims(trusted, { user: 'mallory', metadata: { user_id: 'mallory' } }));
  const first = await verifier.verify(token);
  const second = await verifier.verify(token);
  assert.ok(first.ok);
  assert.equal(second, first);
  assert.equal(JSON.stringify(first).includes('mallory'), false);
  assert.equal(verifier.verify.length, 1);
});

test("a change of the issuer's state ends what was kept under the former one", async () => {
  const { issuer, orgId } = trustIssuer(makeOrgId(), 'https://login.example.com', {
    keys: { kind: 'jwks', jwks: { keys: [] } },
  });
  const { kty = '', n = '', e = '', kid = '' } = rsa.jwk;
  const jwk = { kty, n, e, kid };
  const withKey: TokenIssuer = { ...issuer, keys: { kind: 'jwks', jwks: { keys: [jwk] } } };
  const list: TrustedIssuer[] = [{ orgId, issuer: withKey }];
  const { outcome } = openSampleVerifier(list);
  const token = makeToken(rsa, goodClaims({ orgId, issuer }));
  assert.equal(await outcome(token), 'ok');
  list[0] = { orgId, issuer: { ...withKey, requiredClaims: { email_verified: ['true'] } } };
  assert.equal(await outcome(token), 'required_claim');
  list[0] = { orgId, issuer: { ...withKey, status: 'suspended' } };
  assert.equal(await outcome(token), 'issuer_not_active');
  list[0] = { orgId, issuer };
  assert.equal(await outcome(token), 'unknown_key');
  list.pop();
  assert.equal(await outcome(token), 'unknown_issuer');
});

test('what is kept is bounded, and what was used last stays', async (context) => {
  const provider = await openSampleIssuer(context, [rsa]);
  const trusted = trustIssuer(makeOrgId(), provider.url);
  const { verifier } = openSampleVerifier([trusted], { maxCached: 3 });
  const token = (sub: string) => makeToken(rsa, goodClaims(trusted, { sub }));
  const [alice, ...others] = ['alice', 'b', 'c', 'd', 'e'].map(token);
  const first = await verifier.verify(alice ?? '');
  for (const other of others) {
    await verifier.verify(other);
    assert.equal(await verifier.verify(alice ?? ''), first);
  }
  assert.equal(verifier.cached(), 3);
});

test('what is no token at all is refused and never throws', async (context) => {
  const { trusted, outcome } = await open(context);
  const token = makeToken(rsa, goodClaims(trusted));
  assert.equal(await outcome(''), 'not_three_parts');
  assert.equal(await outcome('a'.repeat(20_000)), 'too_long');
  assert.equal(await outcome(`${token}.x`), 'not_three_parts');
  assert.equal(await outcome('\ud800.\ud800.\ud800'), 'bad_base64url');
  for (const iss of [undefined, '', 7, {}])
    assert.equal(await outcome(makeToken(rsa, goodClaims(trusted, { iss }))), 'issuer_claim');
  for (const parameter of ['jku', 'jwk', 'x5u', 'x5c', 'crit'])
    assert.equal(
      await outcome(makeToken(rsa, goodClaims(trusted), { [parameter]: 'x' })),
      'header_parameter',
    );
});

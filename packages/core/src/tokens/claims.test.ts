// Owns the claims about when a verified token is believed and what it is read to say.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TokenIssuer } from '../directory/objects.ts';
import { makeId } from '../ids.ts';
import { type ClaimRefusal, checkClaims, type VerifiedClaims } from './claims.ts';
import type { Claims } from './read-claim.ts';

const bytes = (seed: number): Uint8Array => Uint8Array.from({ length: 10 }, (_, i) => (i + 1) * seed);
const teamA = makeId('team', 1, bytes(3));
const teamB = makeId('team', 2, bytes(5));
const now = 1_760_000_000;

const issuer: TokenIssuer = {
  id: makeId('tokenIssuer', 1, bytes(7)),
  name: 'corporate',
  issuer: 'https://login.example.com/realms/main',
  audience: 'countersign:org_1',
  keys: { kind: 'discovery' },
  algorithms: ['RS256'],
  claims: {
    subject: 'sub',
    email: 'email',
    name: 'name',
    roles: 'roles',
    teams: 'groups',
    customer: 'customer',
  },
  requiredClaims: {},
  roleMap: { 'ai-admin': 'admin', 'Domain Users': 'member', chief: 'admin' },
  teamMap: { '/research': teamA, '/sales': teamB },
  justInTime: true,
  workspaceId: makeId('workspace', 1, bytes(11)),
  maxTokenAgeSeconds: 3600,
  status: 'active',
};

const good: Claims = {
  iss: issuer.issuer,
  aud: issuer.audience,
  sub: 'alice',
  iat: now - 10,
  exp: now + 300,
};

function reasonOf(claims: Claims, from: TokenIssuer = issuer, at = now): ClaimRefusal | 'ok' {
  const checked = checkClaims(from, claims, at);
  return checked.ok ? 'ok' : checked.reason;
}

function accept(claims: Claims, from: TokenIssuer = issuer): VerifiedClaims {
  const checked = checkClaims(from, claims, now);
  assert.ok(checked.ok, checked.ok ? '' : checked.message);
  return checked.token;
}

function without(name: string): Claims {
  return Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));
}

function withPaths(paths: Partial<TokenIssuer['claims']>): TokenIssuer {
  return { ...issuer, claims: { ...issuer.claims, ...paths } };
}

test('a token that says everything is read whole', () => {
  const token = accept({
    ...good,
    email: 'alice@example.com',
    email_verified: true,
    name: 'Alice',
    roles: ['ai-admin', 'Domain Users', 'chief', 'unmapped', 7, null],
    groups: ['/sales', '/research', '/sales'],
    customer: 'acme',
    azp: 'reports',
    client_id: 'reports',
    amr: ['pwd', 'otp', 3],
    auth_time: now - 60,
  });
  assert.deepEqual(token, {
    subject: 'alice',
    email: 'alice@example.com',
    emailVerified: true,
    name: 'Alice',
    roles: ['admin', 'member'],
    teams: [teamA, teamB].sort(),
    customer: 'acme',
    authorizedParty: 'reports',
    amr: ['pwd', 'otp'],
    authTime: now - 60,
    issuedAt: now - 10,
    expiresAt: now + 300,
  });
});

test('a token that says only what it must gives nothing more', () => {
  assert.deepEqual(accept(good), {
    subject: 'alice',
    emailVerified: false,
    roles: [],
    teams: [],
    amr: [],
    issuedAt: now - 10,
    expiresAt: now + 300,
  });
});

test('the issuer must be the same text: no prefix, no slash more, no array', () => {
  for (const iss of [
    undefined,
    null,
    '',
    `${issuer.issuer}/`,
    issuer.issuer.toUpperCase(),
    [issuer.issuer],
  ]) {
    assert.equal(reasonOf({ ...good, iss }), 'issuer', JSON.stringify(iss));
  }
  assert.equal(reasonOf(without('iss')), 'issuer');
});

test('the audience is mandatory, as one text or among several, and nothing like it will do', () => {
  assert.equal(reasonOf({ ...good, aud: ['other', issuer.audience] }), 'ok');
  const { audience } = issuer;
  for (const aud of [undefined, null, '', [], ['other'], `${audience} other`, `${audience}2`, [[audience]]]) {
    assert.equal(reasonOf({ ...good, aud }), 'audience', JSON.stringify(aud));
  }
  assert.equal(reasonOf({ ...good, aud: [audience, 7] }), 'audience');
  assert.equal(reasonOf({ ...good, aud: { [audience]: true } }), 'audience');
  assert.equal(reasonOf(without('aud')), 'audience');
});

test('times are given 60 seconds and not one more', () => {
  assert.equal(reasonOf({ ...good, exp: now - 59 }), 'ok');
  assert.equal(reasonOf({ ...good, exp: now - 60 }), 'expired');
  assert.equal(reasonOf({ ...good, nbf: now + 60 }), 'ok');
  assert.equal(reasonOf({ ...good, nbf: now + 61 }), 'not_yet_valid');
  assert.equal(reasonOf({ ...good, iat: now + 60 }), 'ok');
  assert.equal(reasonOf({ ...good, iat: now + 61 }), 'issued_in_future');
  assert.equal(reasonOf({ ...good, iat: now - 3660 }), 'ok');
  assert.equal(reasonOf({ ...good, iat: now - 3661 }), 'too_old');
});

test('a token must say when it was issued and when it ends, in seconds', () => {
  assert.equal(reasonOf(without('exp')), 'expiry_missing');
  assert.equal(reasonOf(without('iat')), 'issued_at_missing');
  const odd: readonly unknown[] = [
    null,
    '',
    String(now + 300),
    true,
    [],
    {},
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    (now + 300) * 1000,
  ];
  for (const name of ['exp', 'iat', 'nbf']) {
    for (const value of odd) {
      assert.equal(reasonOf({ ...good, [name]: value }), 'malformed_time', `${name} ${String(value)}`);
    }
  }
});

test('a result may be kept until the token ends or reaches its greatest age, whichever is first', () => {
  assert.equal(accept({ ...good, iat: now - 3000, exp: now + 86_400 }).expiresAt, now + 600);
});

test('required claims must equal one of the values, as text, number, boolean or any member', () => {
  const from = { ...issuer, requiredClaims: { tenant: ['a', 'b'], email_verified: ['true'] } };
  assert.equal(reasonOf({ ...good, tenant: 'a', email_verified: true }, from), 'ok');
  assert.equal(reasonOf({ ...good, tenant: ['x', 'b'], email_verified: 'true' }, from), 'ok');
  for (const tenant of ['A', 'a b', '', null, [], ['x'], { a: 'a' }, [['a']]]) {
    assert.equal(reasonOf({ ...good, tenant, email_verified: true }, from), 'required_claim');
  }
  assert.equal(reasonOf({ ...good, tenant: 'a', email_verified: false }, from), 'required_claim');
  assert.equal(reasonOf({ ...good, email_verified: true }, from), 'required_claim');
  const nested = { ...issuer, requiredClaims: { 'org.id': ['7'] } };
  assert.equal(reasonOf({ ...good, org: { id: 7 } }, nested), 'ok');
  const inherited = { ...issuer, requiredClaims: { toString: ['x'], 'sub.length': ['5'] } };
  assert.equal(reasonOf(good, inherited), 'required_claim');
});

test('scopes are words of one text, other claims are not', () => {
  const scoped = { ...issuer, requiredClaims: { scope: ['models'] } };
  assert.equal(reasonOf({ ...good, scope: 'openid models' }, scoped), 'ok');
  assert.equal(reasonOf({ ...good, scope: 'openid models-read' }, scoped), 'required_claim');
  const other = { ...issuer, requiredClaims: { department: ['research'] } };
  assert.equal(reasonOf({ ...good, department: 'not research' }, other), 'required_claim');
});

test('a subject is a text of 1 to 255 well-formed characters', () => {
  const odd = [undefined, null, '', 7, ['alice'], { id: 'alice' }, 'a'.repeat(256), '\ud800', 'a\udfff'];
  for (const sub of odd) assert.equal(reasonOf({ ...good, sub }), 'subject', JSON.stringify(sub));
  assert.equal(accept({ ...good, sub: 'a'.repeat(255) }).subject.length, 255);
});

test('roles and teams are one text or an array of texts, matched whole; anything else is ignored', () => {
  assert.deepEqual(accept({ ...good, roles: 'Domain Users' }).roles, ['member']);
  for (const roles of [
    'ai-admin,chief',
    'ai-admin chief',
    ' ai-admin',
    'AI-ADMIN',
    'toString',
    '__proto__',
  ]) {
    assert.deepEqual(accept({ ...good, roles }).roles, [], roles);
  }
  for (const roles of [null, 7, true, {}, { 'ai-admin': true }, [['ai-admin']], [{ name: 'ai-admin' }]]) {
    assert.deepEqual(accept({ ...good, roles }).roles, [], JSON.stringify(roles));
  }
});

test('an application is named by `azp` or `client_id`, which may not disagree', () => {
  assert.equal(accept({ ...good, azp: 'one' }).authorizedParty, 'one');
  assert.equal(accept({ ...good, client_id: 'two' }).authorizedParty, 'two');
  assert.equal(reasonOf({ ...good, azp: 'one', client_id: 'two' }), 'authorized_party');
  assert.equal(accept({ ...good, azp: 7, client_id: '' }).authorizedParty, undefined);
});

test('only the claim `email` is vouched for by `email_verified`', () => {
  const claims = { ...good, email: 'alice@example.com', upn: 'bob@example.com', email_verified: true };
  assert.equal(accept(claims).emailVerified, true);
  assert.equal(accept(claims, withPaths({ email: 'upn' })).emailVerified, false);
  assert.equal(accept({ ...claims, email_verified: 'yes' }).emailVerified, false);
});

test('a suspended issuer vouches for nobody', () => {
  assert.equal(reasonOf(good, { ...issuer, status: 'suspended' }), 'issuer_not_active');
});

test('checking never throws on any shape, and what it accepts is well-formed and mapped', () => {
  const value = fc.oneof(fc.jsonValue(), fc.anything({ withNullPrototype: true }));
  const claims = fc
    .dictionary(
      fc.oneof(
        fc.constantFrom(
          'iss',
          'aud',
          'exp',
          'nbf',
          'iat',
          'sub',
          'roles',
          'groups',
          'amr',
          'azp',
          'auth_time',
        ),
        fc.string(),
      ),
      value,
    )
    .map((extra) => ({ ...good, ...extra }));
  const path = fc.oneof(fc.constantFrom('roles', 'a.b', 'groups', 'sub'), fc.string({ minLength: 1 }));
  fc.assert(
    fc.property(claims, path, path, (input, roles, subject) => {
      const from = { ...withPaths({ roles, subject }), requiredClaims: { sub: ['alice'] } };
      const checked = checkClaims(from, input, now);
      if (!checked.ok) return;
      const { token } = checked;
      assert.equal(input.iss, issuer.issuer);
      assert.ok(token.subject.length >= 1 && token.subject.length <= 255);
      for (const role of token.roles) assert.ok(Object.values(issuer.roleMap).includes(role));
      for (const team of token.teams) assert.ok([teamA, teamB].includes(team));
      assert.ok(token.expiresAt > now - 60 - 1e-6 || token.expiresAt === token.issuedAt + 3600);
      assert.ok(token.amr.every((method) => typeof method === 'string'));
    }),
    { numRuns: 2000 },
  );
});

test('roles, names and subjects are found by path, literal names first, own properties only', () => {
  const nested = { realm_access: { roles: ['ai-admin'] } };
  const path = withPaths({ roles: 'realm_access.roles', name: 'constructor.name' });
  assert.deepEqual(accept({ ...good, ...nested }, path).roles, ['admin']);
  const both = { ...good, ...nested, 'realm_access.roles': ['Domain Users'] };
  assert.deepEqual(accept(both, path).roles, ['member']);
  assert.equal(accept(good, path).name, undefined);
  assert.equal(reasonOf(good, withPaths({ subject: 'constructor.name' })), 'subject');
});

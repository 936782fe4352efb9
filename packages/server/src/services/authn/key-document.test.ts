// Claims where the keys of an issuer are taken from: what discovery may lead to, and what holds when they move.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FetchDocument } from './key-document.ts';
import {
  goodClaims,
  makeKey,
  makeOrgId,
  makeToken,
  openSampleVerifier,
  sampleSeconds,
  trustIssuer,
} from './sample-issuer.ts';

const first = makeKey('RS256', 'k1');
const second = makeKey('RS256', 'k2');
const minute = 60_000;

/** A verifier of one issuer, at an address of no server: `answer` says what is published at each URL. */
function openPublished(answer: (url: string) => unknown) {
  const trusted = trustIssuer(makeOrgId(), 'https://login.example.com');
  const asked: string[] = [];
  const fetchDocument: FetchDocument = async (url) => {
    asked.push(url);
    const document = answer(url);
    const body = Buffer.from(JSON.stringify(document ?? null));
    return { status: document === undefined ? 404 : 200, contentType: 'application/json', body };
  };
  const claims = (sub: string) => goodClaims(trusted, { sub, exp: sampleSeconds + 7_200 });
  return { asked, claims, ...openSampleVerifier([trusted], { fetchDocument }) };
}

test('discovery leads to no key set that is less well protected than its issuer, nor to one with a password', async () => {
  for (const [jwksUri, why] of [
    ['http://login.example.com/keys', /without TLS/],
    ['https://user@login.example.com/keys', /with a password/],
    ['https://:secret@login.example.com/keys', /with a password/],
  ] as const) {
    const { asked, claims, outcome, failures } = openPublished((url) =>
      url.endsWith('/keys')
        ? { keys: [first.jwk] }
        : { issuer: 'https://login.example.com', jwks_uri: jwksUri },
    );
    assert.equal(await outcome(makeToken(first, claims('a'))), 'keys_unavailable', jwksUri);
    assert.match(String(failures[0]), why);
    assert.deepEqual(asked, ['https://login.example.com/.well-known/openid-configuration']);
  }
});

test('keys that have moved are found with the next attempt, within the hour for which their place is believed', async () => {
  let place = '/old';
  const { asked, claims, clock, outcome } = openPublished((url) => {
    if (url.endsWith('/openid-configuration'))
      return { issuer: 'https://login.example.com', jwks_uri: `https://login.example.com${place}` };
    return url.endsWith(place) ? { keys: [place === '/old' ? first.jwk : second.jwk] } : undefined;
  });
  assert.equal(await outcome(makeToken(first, claims('a'))), 'ok');
  place = '/new';
  clock.nowMs += minute;
  assert.equal(await outcome(makeToken(second, claims('b'))), 'unknown_key', 'the old place has gone');
  clock.nowMs += minute;
  await outcome(makeToken(second, claims('c')));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(await outcome(makeToken(second, claims('d'))), 'ok');
  assert.equal(asked.filter((url) => url.endsWith('/openid-configuration')).length, 2);
});

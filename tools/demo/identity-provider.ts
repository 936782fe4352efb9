// Owns the demo's identity provider: one signing key, and the tokens of the people who signed in there.

import { generateKeyPairSync, type JsonWebKey, sign } from 'node:crypto';

export type IdentityProvider = {
  readonly issuer: string;
  /** Its public key, as an organization registers it. */
  readonly jwks: { readonly keys: readonly JsonWebKey[] };
  /** A token for a person who signed in with two factors to use the application, good for five minutes. */
  readonly tokenFor: (name: string, audience: string, application: string) => string;
};

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Makes one with a new ES256 key (RFC 7518, section 3.4). */
export function createIdentityProvider(): IdentityProvider {
  const issuer = 'https://login.example.com/';
  const kid = 'demo-1';
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    issuer,
    jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }] },
    tokenFor: (name, audience, application) => {
      const iat = Math.floor(Date.now() / 1000);
      const subject = name.toLowerCase();
      const input = `${encode({ alg: 'ES256', typ: 'JWT', kid })}.${encode({
        iss: issuer,
        aud: audience,
        sub: subject,
        name,
        email: `${subject}@example.com`,
        groups: ['ai-users'],
        amr: ['pwd', 'otp', 'mfa'],
        azp: application,
        iat,
        exp: iat + 300,
      })}`;
      const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `${input}.${signature.toString('base64url')}`;
    },
  };
}

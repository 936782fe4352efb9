// Owns the operations over keys and trusted token issuers.

import { keyState, tokenIssuerState } from '@countersign/core/directory/objects';
import { idOf, modelName, objectName, principalId } from '@countersign/core/directory/scalars';
import { z } from 'zod';
import { operation } from './operation.ts';
import { create, get, list, remove, update } from './resource.ts';
import { givenCostCentre, moment, nothing, plainText } from './shapes.ts';

const key = { name: 'key', one: 'a virtual key', path: 'keys' } as const;

/** A key as it is shown: never its hash, its end as a moment. */
export const keyView = keyState.omit({ hash: true, previous: true, expiresAt: true }).extend({
  createdAt: moment,
  expiresAt: moment.optional(),
  overlapUntil: moment.optional().describe('until when the former secret still works after a rotation'),
  lastUsedAt: moment.optional().describe('to the minute'),
});

/** The only answers that carry a secret; a replay by `Idempotency-Key` leaves it out. */
export const keyWithSecret = keyView.extend({
  key: z.string().optional().describe('the key itself, shown this once'),
});

export const keyCreate = create(
  key,
  ['keys.write', 'keys.create_own'],
  z.strictObject({
    name: plainText(1, 64),
    use: z.enum(['models', 'management']).default('models'),
    principalId: principalId.optional().describe('whose key it is; absent: your own'),
    workspaceId: idOf('workspace').optional().describe('absent: the only workspace you are in'),
    models: z
      .array(modelName)
      .min(1)
      .max(200)
      .optional()
      .describe('names of models to which a models key is narrowed; each must be there'),
    environment: objectName.optional().describe('what policy sees of the key; needs `keys.write`'),
    costCentre: givenCostCentre.optional().describe('under what it is counted; needs `keys.write`'),
    requireUser: z.boolean().default(false),
    expiresInSeconds: z
      .number()
      .int()
      .min(60)
      .max(315_360_000)
      .optional()
      .describe('absent: never; without `keys.write`, when the key ends with which you ask'),
  }),
  keyWithSecret,
);
export const keyList = list(key, ['keys.read', 'keys.create_own'], keyView);
export const keyGet = get(key, ['keys.read', 'keys.create_own'], idOf('key'), keyView);
export const keyUpdate = update(
  key,
  ['keys.write', 'keys.create_own'],
  idOf('key'),
  z.strictObject({
    name: plainText(1, 64).optional(),
    models: z.array(modelName).min(1).max(200).nullable().optional(),
    costCentre: givenCostCentre.nullable().optional().describe('needs `keys.write`'),
  }),
  keyView,
);
export const keyRotate = operation({
  id: 'key.rotate',
  method: 'POST',
  path: '/keys/{id}/rotate',
  summary: 'give a key a new secret; the former one works until the overlap ends',
  tag: 'keys',
  permission: ['keys.write', 'keys.create_own'],
  runs: 'command',
  audit: 'key.rotated',
  params: z.strictObject({ id: idOf('key') }),
  query: nothing,
  body: z.strictObject({ overlapSeconds: z.number().int().min(0).max(2_592_000).default(86_400) }),
  response: keyWithSecret,
  status: 200,
  alsoProduces: [],
});
export const keyRevoke = operation({
  id: 'key.revoke',
  method: 'POST',
  path: '/keys/{id}/revoke',
  summary: 'end a key: no request whose intent commits after this is dispatched, running streams are cut',
  tag: 'keys',
  permission: ['keys.write', 'keys.create_own'],
  runs: 'command',
  audit: 'key.revoked',
  params: z.strictObject({ id: idOf('key') }),
  query: nothing,
  body: z.strictObject({
    reason: plainText(0, 500)
      .meta({ examples: ['left the team'] })
      .optional(),
  }),
  response: keyView,
  status: 200,
  alsoProduces: [],
});

const tokenIssuer = { name: 'token_issuer', one: 'a trusted token issuer', path: 'token-issuers' } as const;

const issuerInput = tokenIssuerState.omit({ id: true, audience: true, status: true }).strict();
export const tokenIssuerCreate = create(
  tokenIssuer,
  ['token_issuers.write'],
  issuerInput.extend({
    algorithms: tokenIssuerState.shape.algorithms.default(['RS256', 'ES256']),
    claims: tokenIssuerState.shape.claims.default({ subject: 'sub', email: 'email', name: 'name' }),
    requiredClaims: tokenIssuerState.shape.requiredClaims.default({}),
    roleMap: tokenIssuerState.shape.roleMap.default({}),
    teamMap: tokenIssuerState.shape.teamMap.default({}),
    justInTime: z.boolean().default(false),
    maxTokenAgeSeconds: tokenIssuerState.shape.maxTokenAgeSeconds.default(86_400),
  }),
  tokenIssuerState,
);
export const tokenIssuerList = list(tokenIssuer, ['token_issuers.read'], tokenIssuerState);
export const tokenIssuerGet = get(tokenIssuer, ['token_issuers.read'], idOf('tokenIssuer'), tokenIssuerState);
export const tokenIssuerUpdate = update(
  tokenIssuer,
  ['token_issuers.write'],
  idOf('tokenIssuer'),
  issuerInput
    .omit({ issuer: true })
    .partial()
    .extend({ status: z.enum(['active', 'suspended']).optional() }),
  tokenIssuerState,
);
export const tokenIssuerRemove = remove(tokenIssuer, ['token_issuers.write'], idOf('tokenIssuer'));

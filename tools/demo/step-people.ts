// Owns the demo's first steps: two people behind one application, what each is allowed, and what nobody is.

import { type House, openHouse } from './house.ts';
import { createIdentityProvider, type IdentityProvider } from './identity-provider.ts';
import { at, textAt } from './json.ts';
import { type OutsideModel, startOutsideModel } from './outside-model.ts';
import { answerLine, application, ask, forPerson, type Scene, who } from './scene.ts';
import type { Script } from './script.ts';

/** Registers the external model. Prices are in pico-dollars a token: 1 and 10 dollars a million. */
async function registerModel(house: House, outside: OutsideModel): Promise<unknown> {
  const provider = await house.manage('POST', '/providers', {
    name: 'outside-provider',
    kind: 'openai_compatible',
    baseUrl: outside.origin,
    apiKey: 'demo-provider-key',
    external: true,
  });
  await house.manage('POST', '/models', {
    name: 'outside',
    providerId: textAt(provider, 'id'),
    upstreamName: 'outside-1',
    price: { input: 1_000_000, output: 10_000_000 },
  });
  return provider;
}

/** Trusts the identity provider; people are made at their first good token. */
function trust(house: House, { issuer, jwks }: IdentityProvider, workspaceId: string): Promise<unknown> {
  return house.manage('POST', '/token-issuers', {
    name: 'login',
    issuer,
    keys: { kind: 'jwks', jwks },
    algorithms: ['ES256'],
    claims: { subject: 'sub', email: 'email', name: 'name', roles: 'groups' },
    roleMap: { 'ai-users': 'member' },
    justInTime: true,
    workspaceId,
  });
}

/** Starts everything, and makes the organization's people, application and models known to it. */
export async function setUp(say: Script): Promise<Scene> {
  say.step('A house: an organization, an application, a model inside and a model outside');
  const house = await openHouse();
  const outside = await startOutsideModel();
  const identityProvider = createIdentityProvider();
  const workspaceId = textAt(house.made, 'workspaceId');
  const provider = await registerModel(house, outside);
  const issuer = await trust(house, identityProvider, workspaceId);
  const service = await house.manage('POST', '/services', {
    name: application,
    workspaceId,
    clientId: application,
  });
  const principalId = textAt(service, 'id');
  const key = await house.manage('POST', '/keys', {
    name: application,
    principalId,
    workspaceId,
    requireUser: true,
  });
  say.asked(
    'countersign init --org example --owner alice@example.com; countersign serve',
    'POST /api/v1/providers, /models, /token-issuers, /services, /keys',
  );
  say.answered(
    `the server runs on ${house.url}, its store is a folder that this demo removes`,
    'model `sandbox`: inside, built in. Model `outside`: of a provider marked as external, played by this demo',
  );
  say.evidence(
    `organization ${textAt(house.made, 'organizationId')}`,
    `application ${principalId}, whose key works only beside a person's token`,
    `people come from ${identityProvider.issuer}, with tokens for ${textAt(issuer, 'audience')}`,
  );
  say.claim(at(provider, 'external') === true, 'prompts to `outside` count as leaving the organization');
  const audience = textAt(issuer, 'audience');
  const applicationKey = textAt(key, 'key');
  return { say, house, outside, identityProvider, workspaceId, audience, applicationKey };
}

/** Ids of the two. */
export type People = { readonly bob: string; readonly carol: string };

/** Bob and Carol use one application with one key; the record still tells them apart. */
export async function twoPeople(scene: Scene): Promise<People> {
  const { say, outside, house } = scene;
  say.step('Two people ask through one application, and each record names its person');
  say.asked(
    'POST /v1/chat/completions, model `outside`, twice: once for Bob, once for Carol.',
    'The same key, beside it each one\u2019s token; Carol\u2019s request claims `"user": "bob"`',
  );
  const before = outside.received.length;
  const bob = await ask(scene, forPerson(scene, 'Bob'), {
    model: 'outside',
    prompt: 'What is a countersign?',
  });
  const carol = await ask(scene, forPerson(scene, 'Carol'), {
    model: 'outside',
    prompt: 'What is an audit?',
    user: 'bob',
  });
  say.answered(answerLine(bob), answerLine(carol));
  const told = await Promise.all([who(scene, bob.record), who(scene, carol.record)]);
  say.evidence(`record ${bob.record}`, ...told[0].lines, `record ${carol.record}`, told[1].sentence);
  say.claim(bob.status === 200 && carol.status === 200, 'both calls were allowed');
  say.claim(outside.received.length === before + 2, 'the external model received both');
  say.claim(told[0].sentence.startsWith('Bob (user usr_'), 'the first record names Bob');
  say.claim(
    told[1].sentence.startsWith('Carol (user usr_'),
    'the second names Carol: what a client says of itself is no proof',
  );
  say.claim(
    told.every(({ isProven }) => isProven),
    'each record came with a proof that it stands in the signed ledger',
  );
  const records = await Promise.all(
    [bob, carol].map(({ record }) => house.manage('GET', `/records/${record}`)),
  );
  return { bob: textAt(records[0], 'actor.id'), carol: textAt(records[1], 'actor.id') };
}

/** The application alone is nobody. */
export async function nobody(scene: Scene): Promise<void> {
  const { say, outside } = scene;
  say.step('Nobody is anonymous: the same application without a person');
  say.asked('POST /v1/chat/completions with the application\u2019s key alone');
  const before = outside.received.length;
  const authorization = `Bearer ${scene.applicationKey}`;
  const answer = await ask(scene, { authorization }, { model: 'outside', prompt: 'What is a countersign?' });
  say.answered(answerLine(answer));
  say.evidence(`the external model has received ${outside.received.length} requests, as before`);
  say.claim(answer.status === 401, 'the call was refused');
  say.claim(outside.received.length === before, 'nothing was sent');
}

const controlled = 'CUI//SP-CTI\nTolerances of the turbine blade, drawing 7. Summarize.';

/** Controlled information stays inside, by the policy that every organization begins with. */
export async function controlledInformation(scene: Scene): Promise<{ readonly record: string }> {
  const { say, outside } = scene;
  say.step('A prompt with controlled information does not leave');
  say.asked('Carol sends a text marked `CUI//SP-CTI` to `outside`, then the same text to `sandbox`');
  const before = outside.received.length;
  const headers = forPerson(scene, 'Carol');
  const refused = await ask(scene, headers, { model: 'outside', prompt: controlled });
  const kept = await ask(scene, headers, { model: 'sandbox', prompt: controlled });
  say.answered(answerLine(refused), answerLine(kept));
  const told = await who(scene, refused.record);
  say.evidence(`record ${refused.record}`, told.sentence);
  say.claim(refused.status === 403 && refused.code === 'policy_denied', 'the external model was denied');
  say.claim(told.sentence.includes('denied by sensitive-prompts-stay-inside'), 'the record names the rule');
  say.claim(outside.received.length === before, 'the external model received nothing');
  say.claim(kept.status === 200, 'inside, the same prompt was allowed');
  return { record: refused.record };
}

// Owns what every step of the demo acts on: the house, the people's identity provider, the models, and calls to them.

import type { House } from './house.ts';
import type { IdentityProvider } from './identity-provider.ts';
import { at, parsed, textAt } from './json.ts';
import type { OutsideModel } from './outside-model.ts';
import type { Script } from './script.ts';

export type Scene = {
  readonly say: Script;
  readonly house: House;
  readonly outside: OutsideModel;
  readonly identityProvider: IdentityProvider;
  readonly workspaceId: string;
  /** What tokens for this organization must name in `aud`. */
  readonly audience: string;
  /** The key of the application, which works only beside a person's token. */
  readonly applicationKey: string;
};

/** The application's name at the identity provider. */
export const application = 'helpdesk';

export type Called = {
  readonly status: number;
  /** The id of the intent entry; empty where the caller was not known. */
  readonly record: string;
  readonly policy: string;
  /** The model's words, or the refusal's. */
  readonly text: string;
  /** The refusal's code; empty where there was none. */
  readonly code: string;
};

/** Headers of a call that the application makes for a person. */
export function forPerson(scene: Scene, name: string): { readonly [header: string]: string } {
  const token = scene.identityProvider.tokenFor(name, scene.audience, application);
  return { authorization: `Bearer ${scene.applicationKey}`, 'x-countersign-user': token };
}

/** Asks a model one thing. */
export async function ask(
  scene: Scene,
  headers: { readonly [header: string]: string },
  body: { readonly model: string; readonly prompt: string; readonly [field: string]: unknown },
): Promise<Called> {
  const { prompt, ...rest } = body;
  const response = await fetch(`${scene.house.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ ...rest, max_tokens: 100, messages: [{ role: 'user', content: prompt }] }),
  });
  const answer = parsed(await response.text());
  const text = response.ok ? at(answer, 'choices.0.message.content') : at(answer, 'error.message');
  return {
    status: response.status,
    record: response.headers.get('x-countersign-record') ?? '',
    policy: response.headers.get('x-countersign-policy') ?? '',
    text: String(text),
    code: response.ok ? '' : textAt(answer, 'error.code'),
  };
}

/** What an answer says, in one line. */
export function answerLine({ status, code, text }: Called): string {
  return code === '' ? `${status}: ${text}` : `${status} ${code}: ${text}`;
}

/** `countersign who` for a record: its lines, and whether its proof verified. */
export async function who(scene: Scene, record: string, vkey?: string) {
  const pinned = vkey === undefined ? [] : ['--vkey', vkey];
  const ran = await scene.house.cli('who', record, ...pinned);
  const lines = `${ran.out}${ran.err}`.trimEnd().split('\n');
  return { isProven: ran.code === 0, lines, sentence: lines[0] ?? '' };
}

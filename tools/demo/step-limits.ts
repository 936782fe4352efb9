// Owns the demo's steps about ends: a budget that many calls reach at once, and a key that is revoked in mid-answer.

import { at, textAt } from './json.ts';
import { answerLine, ask, forPerson, type Scene, who } from './scene.ts';

const together = 12;
/**
 * Nano-dollars. A call reserves 3,216,000 of them, the most that it could cost, and then costs 412,000. So two fit at
 * the same moment, and nine even if they came one after the other: of twelve some are always refused.
 */
const limitNanos = 7_000_000;
const dollars = (nanos: number): string => `${(nanos / 1e9).toFixed(6)} USD`;

/** Twelve calls at once against a budget that has room for the worst case of two: none passes it. */
export async function budget(scene: Scene, bob: string): Promise<void> {
  const { say, house, outside } = scene;
  say.step('A budget stops, also when everybody comes at once');
  const made = await house.manage('POST', '/budgets', {
    name: 'bob-today',
    scope: { kind: 'person', id: bob },
    period: 'day',
    limitNanos,
  });
  say.asked(
    `POST /api/v1/budgets: ${dollars(limitNanos)} a day for Bob`,
    `then ${together} calls for Bob at the same moment, each for up to 100 tokens at 10 USD a million`,
  );
  const before = outside.received.length;
  const answers = await Promise.all(
    Array.from({ length: together }, () =>
      ask(scene, forPerson(scene, 'Bob'), { model: 'outside', prompt: 'Go on.' }),
    ),
  );
  const allowed = answers.filter(({ status }) => status === 200);
  const stopped = answers.filter(({ code }) => code === 'budget_exceeded');
  const [one] = stopped;
  const used = Number(at(await house.manage('GET', `/budgets/${textAt(made, 'id')}`), 'usedNanos'));
  say.answered(
    `${allowed.length} answers with 200`,
    `${stopped.length} refusals; the first: ${one === undefined ? 'none' : answerLine(one)}`,
  );
  const told = one === undefined ? undefined : await who(scene, one.record);
  say.evidence(
    `the budget has used ${dollars(used)} of ${dollars(limitNanos)}`,
    ...(one === undefined ? [] : [`record ${one.record}`, told?.sentence ?? '']),
  );
  say.claim(allowed.length > 0 && stopped.length > 0, 'some calls fitted, the others were refused');
  say.claim(allowed.length + stopped.length === together, 'every call was one or the other');
  say.claim(used > 0 && used <= limitNanos, 'the limit was not passed');
  say.claim(
    outside.received.length === before + allowed.length,
    'the external model received only those that fitted',
  );
}

/** Opens a stream; `begun` when its first bytes are there, `whole` with everything once it has ended. */
async function openStream(scene: Scene, key: string) {
  const response = await fetch(`${scene.house.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({
      model: 'outside',
      stream: true,
      max_tokens: 100,
      messages: [{ role: 'user', content: 'Go on and on.' }],
    }),
  });
  if (response.body === null) throw new TypeError('the stream has no body');
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const first = await reader.read();
  const whole = async (): Promise<string> => {
    let text = first.value ?? '';
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
    return text;
  };
  return { record: response.headers.get('x-countersign-record') ?? '', whole: whole() };
}

/** A key is revoked while an answer runs: the answer ends, the next call is refused, its owner works on elsewhere. */
export async function revocation(scene: Scene, carol: string): Promise<void> {
  const { say, house, workspaceId } = scene;
  say.step('A revocation holds at once, for an answer that is running too');
  const made = await house.manage('POST', '/keys', {
    name: 'carols-laptop',
    principalId: carol,
    workspaceId,
  });
  const key = textAt(made, 'key');
  const id = textAt(made, 'id');
  const stream = await openStream(scene, key);
  say.asked(
    'Carol\u2019s own key opens a stream from `outside` that would not end by itself',
    `POST /api/v1/keys/${id}/revoke {"reason":"laptop lost"}`,
  );
  const started = performance.now();
  await house.manage('POST', `/keys/${id}/revoke`, { reason: 'laptop lost' });
  const text = await stream.whole.catch(() => '');
  const took = performance.now() - started;
  const next = await ask(
    scene,
    { authorization: `Bearer ${key}` },
    { model: 'outside', prompt: 'Still there?' },
  );
  const elsewhere = await ask(scene, forPerson(scene, 'Carol'), { model: 'outside', prompt: 'And here?' });
  const told = await who(scene, stream.record);
  say.answered(
    `the stream ended ${took.toFixed(0)} ms after the revocation was sent`,
    `the next call with that key: ${answerLine(next)}`,
    `Carol through the application: ${answerLine(elsewhere)}`,
  );
  say.evidence(`record ${stream.record}`, ...told.lines.slice(0, 2));
  say.claim(took < 1_000 && !text.includes('[DONE]'), 'the running answer was cut within a second');
  say.claim(told.lines[1]?.includes('cut') === true, 'its record says that it was cut, and what it had used');
  say.claim(next.status === 401, 'the revoked key opens nothing');
  say.claim(elsewhere.status === 200, 'Carol herself goes on: a key was revoked, not a person');
}

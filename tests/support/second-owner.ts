// Owns what tests of erasures share: a second owner, with a key that nobody else was shown.

import { type TestServer, textAt } from './server.ts';

export type Owner = { readonly id: string; readonly key: string };

/** Makes an owner with the key of another, and a management key for them, which they then rotate. */
export async function makeOwner(running: TestServer, name: string, by: string): Promise<Owner> {
  async function must(path: string, body: object, key: string): Promise<unknown> {
    const answer = await running.api('POST', path, body, key);
    if (answer.status > 299) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }
  const id = textAt(await must('/users', { email: `${name}@example.com`, name, role: 'owner' }, by), 'id');
  const { workspaceId } = running;
  const given = await must('/keys', { name, use: 'management', principalId: id, workspaceId }, by);
  const rotated = await must(
    `/keys/${textAt(given, 'id')}/rotate`,
    { overlapSeconds: 0 },
    textAt(given, 'key'),
  );
  return { id, key: textAt(rotated, 'key') };
}

/** A second owner beside the first one. */
export function makeSecondOwner(running: TestServer): Promise<Owner> {
  return makeOwner(running, 'olivia', running.managementKey);
}

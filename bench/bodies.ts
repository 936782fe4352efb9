// Owns the requests that the benchmark sends: about one kilobyte each, plain, streaming, and streaming slowly.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type BodyName = 'plain' | 'stream' | 'slowStream';

/** Names of models that the mock provider knows; the slow one pauses 100 ms between its 50 chunks. */
export const fastModel = 'mock';
export const slowModel = 'mock-s100';

const system =
  'You are a helpful assistant for the support team of Example Corp. Answer briefly and cite the policy you used. ';
const ticket =
  'Please summarise the following ticket for the weekly report and propose a next step. The customer says ' +
  'that the export job fails after upgrade to version 4.2 with an unclear message. ';

/** One request as JSON text. */
export function bodyText(name: BodyName): string {
  return JSON.stringify({
    model: name === 'slowStream' ? slowModel : fastModel,
    messages: [
      { role: 'system', content: system },
      { role: 'user', content: ticket.repeat(3) },
    ],
    max_tokens: 200,
    temperature: 0.2,
    ...(name === 'plain' ? {} : { stream: true, stream_options: { include_usage: true } }),
  });
}

/** Writes the bodies where the load generator can read them; returns their paths. */
export function writeBodies(directory: string): Readonly<Record<BodyName, string>> {
  mkdirSync(directory, { recursive: true });
  function write(name: BodyName): string {
    const path = join(directory, `${name}.json`);
    writeFileSync(path, bodyText(name));
    return path;
  }
  return { plain: write('plain'), stream: write('stream'), slowStream: write('slowStream') };
}

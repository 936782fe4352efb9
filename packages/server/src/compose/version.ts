// Owns the version of this software, as its package states it.

import { readFileSync } from 'node:fs';
import { parseJson } from '@countersign/core/parse-json';
import { z } from 'zod';

const json: unknown = parseJson(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

export const productVersion: string = z.object({ version: z.string() }).parse(json).version;

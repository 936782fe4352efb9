// Owns the sandbox's embeddings: unit vectors out of a hash, equal for equal texts and without any meaning.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { jsonAnswer, parseBody, type SandboxAnswer, type SandboxCall } from './answer.ts';
import { countPrompt } from './reply.ts';

const defaultDimensions = 16;
const maxDimensions = 256;

const tokens = z.array(z.number().int().nonnegative()).min(1);
const embeddingRequest = z.looseObject({
  model: z.string().min(1),
  input: z.union([
    z.string().min(1),
    z.array(z.string().min(1)).min(1).max(2048),
    tokens,
    z.array(tokens).min(1).max(2048),
  ]),
  dimensions: z.number().int().min(1).max(maxDimensions).nullish(),
  encoding_format: z.enum(['float', 'base64']).nullish(),
});
type EmbeddingInput = z.infer<typeof embeddingRequest>['input'];

function textsOf(input: EmbeddingInput): readonly string[] {
  if (typeof input === 'string') return [input];
  if (typeof input[0] === 'number') return [JSON.stringify(input)];
  return input.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
}

/** A unit vector of 32-bit floats, two bytes of SHAKE256 for each component. */
function vectorOf(text: string, dimensions: number): Float32Array {
  const bytes = createHash('shake256', { outputLength: dimensions * 2 })
    .update(text)
    .digest();
  const raw = Array.from({ length: dimensions }, (_, at) => bytes.readInt16LE(at * 2) + 0.5);
  const length = Math.hypot(...raw);
  return Float32Array.from(raw, (value) => value / length);
}

/** Little-endian on every machine, as OpenAI's SDKs decode it. */
function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((value, at) => {
    bytes.writeFloatLE(value, at * 4);
  });
  return bytes.toString('base64');
}

/** `POST /v1/embeddings`. OpenAI's SDKs ask for `base64` unless told otherwise. */
export function answerEmbeddings(call: SandboxCall): SandboxAnswer {
  const parsed = parseBody(embeddingRequest, 'openai', call);
  if (!parsed.ok) return parsed.answer;
  const { model, input, dimensions, encoding_format: format } = parsed.value;
  const promptTokens = countPrompt(input);
  return jsonAnswer('openai', call, {
    object: 'list',
    data: textsOf(input).map((text, index) => {
      const vector = vectorOf(text, dimensions ?? defaultDimensions);
      return { object: 'embedding', index, embedding: format === 'base64' ? toBase64(vector) : [...vector] };
    }),
    model,
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
  });
}

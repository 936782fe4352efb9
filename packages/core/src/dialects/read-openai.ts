// Owns reading the bodies of OpenAI's chat, legacy completions and embeddings.

import { isObject } from '../json.ts';
import { readTools } from './hosted-tools.ts';
import { readContent } from './read-content.ts';
import { addSettings } from './read-settings.ts';
import {
  addModel,
  addOpaque,
  addProblem,
  addReference,
  addRest,
  addStructured,
  addText,
  checkKeys,
  eachObject,
  type JsonRecord,
  levelKeys,
  type RequestBuilder,
  readCount,
} from './request-builder.ts';
import type { BodyPath, PartRole } from './request-types.ts';

/** Top-level settings of OpenAI's endpoints that hold no prompt. */
export const openaiSettings = [
  'model',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'n',
  'best_of',
  'store',
  'user',
  'safety_identifier',
  'service_tier',
  'tool_choice',
  'function_call',
  'reasoning_effort',
  'verbosity',
  'modalities',
  'logit_bias',
  'encoding_format',
  'truncation',
  'include',
  'prompt_cache_key',
  'prompt_cache_retention',
  'prompt_cache_options',
];

const chatKeys: ReadonlySet<string> = new Set([
  ...openaiSettings,
  'messages',
  'tools',
  'functions',
  'prediction',
  'audio',
  'moderation',
]);
const completionKeys: ReadonlySet<string> = new Set([...openaiSettings, 'prompt']);
const embeddingKeys: ReadonlySet<string> = new Set([...openaiSettings, 'input']);
const messageKeys = levelKeys('content', 'tool_calls', 'function_call', 'audio', 'refusal');
const callKeys = levelKeys('function', 'custom');
const functionKeys = levelKeys('name', 'arguments', 'input');
const streamOptionKeys: ReadonlySet<string> = new Set(['include_usage', 'include_obfuscation']);

/** Whose words a message of this role holds. What we do not know is the user's. */
export function roleOf(role: unknown): PartRole {
  if (role === 'system' || role === 'developer') return 'system';
  if (role === 'assistant') return 'assistant';
  return role === 'tool' || role === 'function' ? 'tool' : 'user';
}

/** `stream_options.include_usage`. */
export function readIncludeUsage(builder: RequestBuilder, root: JsonRecord): boolean {
  const options = root.stream_options;
  if (!isObject(options)) return false;
  checkKeys(builder, options, streamOptionKeys);
  return options.include_usage === true;
}

function readFunctionCall(builder: RequestBuilder, call: JsonRecord, path: BodyPath): void {
  for (const key of ['arguments', 'input']) {
    const value = call[key];
    if (typeof value === 'string') addText(builder, 'assistant', value, [...path, key]);
    else if (typeof value === 'object' && value !== null)
      addStructured(builder, 'assistant', value, [...path, key]);
  }
  addRest(builder, 'assistant', call, functionKeys, path);
}

function readMessage(builder: RequestBuilder, message: JsonRecord, path: BodyPath): void {
  const role = roleOf(message.role);
  readContent(builder, role, message.content, [...path, 'content']);
  if (typeof message.refusal === 'string') addText(builder, role, message.refusal, [...path, 'refusal']);
  if (isObject(message.function_call)) {
    readFunctionCall(builder, message.function_call, [...path, 'function_call']);
  }
  if (isObject(message.audio)) {
    addReference(builder, 'audio', message.audio.id);
    addOpaque(builder, role, 'audio', [...path, 'audio']);
    builder.audios += 1;
  }
  eachObject(builder, message.tool_calls, 'tool_calls', (call, i) => {
    const callPath = [...path, 'tool_calls', i];
    if (isObject(call.function)) readFunctionCall(builder, call.function, [...callPath, 'function']);
    if (isObject(call.custom)) readFunctionCall(builder, call.custom, [...callPath, 'custom']);
    addRest(builder, 'assistant', call, callKeys, callPath);
  });
  addRest(builder, role, message, messageKeys, path);
}

/** Bytes that a string takes at most in UTF-8: three for each UTF-16 unit. */
function mostBytes(text: string): number {
  return text.length * 3;
}

function readPrediction(builder: RequestBuilder, prediction: unknown): void {
  if (!isObject(prediction)) return;
  const before = builder.parts.length;
  readContent(builder, 'user', prediction.content, ['prediction', 'content']);
  for (const part of builder.parts.slice(before)) {
    if (part.kind === 'text') builder.predictionBytes += mostBytes(part.text);
  }
}

/** A voice by id is one that somebody recorded and the provider keeps; the vendor's own have names. */
function readVoice(builder: RequestBuilder, audio: unknown): void {
  if (isObject(audio) && isObject(audio.voice)) addReference(builder, 'audio', audio.voice.id);
}

/** Reads `POST /v1/chat/completions`; answers how many choices it generates. */
export function readChat(builder: RequestBuilder, root: JsonRecord): number {
  if (!Array.isArray(root.messages))
    addProblem(builder, '`messages` must be an array; send at least one message');
  eachObject(builder, root.messages, 'messages', (message, i) =>
    readMessage(builder, message, ['messages', i]),
  );
  readTools(builder, root.tools, ['tools']);
  if (isObject(root.functions)) addStructured(builder, 'system', root.functions, ['functions']);
  else if (Array.isArray(root.functions)) addStructured(builder, 'system', root.functions, ['functions']);
  if (isObject(root.moderation)) addModel(builder, root.moderation.model);
  readPrediction(builder, root.prediction);
  readVoice(builder, root.audio);
  addSettings(builder, root, chatKeys);
  return readGenerated(builder, root);
}

/** How many texts are generated for a prompt: `n` of them are shown, the best of `best_of`, and all are billed. */
function readGenerated(builder: RequestBuilder, root: JsonRecord): number {
  const shown = readCount(builder, root, 'n', 1) ?? 1;
  const made = readCount(builder, root, 'best_of', 1) ?? 1;
  if (made > shown && root.stream === true)
    addProblem(builder, '`best_of` above `n` cannot be streamed: leave out one of `best_of` and `stream`');
  return Math.max(shown, made);
}

/** Reads a string, strings, tokens, or arrays of tokens; answers how many inputs there are. */
function readInputs(builder: RequestBuilder, key: string, value: unknown): number {
  if (typeof value === 'string') {
    addText(builder, 'user', value, [key]);
    return 1;
  }
  if (!Array.isArray(value)) {
    if (value !== undefined && value !== null) addProblem(builder, `\`${key}\` must be a string or an array`);
    return 1;
  }
  const items: readonly unknown[] = value;
  let hasTokens = false;
  for (let i = 0; i < items.length; i += 1) {
    const item = items[i];
    if (typeof item === 'string') addText(builder, 'user', item, [key, i]);
    else if (typeof item === 'number' || Array.isArray(item)) hasTokens = true;
    else if (isObject(item)) readContent(builder, 'user', item, [key, i]);
    else addProblem(builder, `\`${key}\` must hold strings or tokens`);
  }
  if (hasTokens) addOpaque(builder, 'user', 'tokens', [key]);
  return typeof items[0] === 'number' ? 1 : Math.max(1, items.length);
}

/** Reads `POST /v1/completions`; answers how many texts it generates: `best_of` or `n` for each prompt. */
export function readCompletion(builder: RequestBuilder, root: JsonRecord): number {
  const prompts = readInputs(builder, 'prompt', root.prompt);
  addSettings(builder, root, completionKeys);
  return prompts * readGenerated(builder, root);
}

/** Reads `POST /v1/embeddings`; it generates nothing. */
export function readEmbedding(builder: RequestBuilder, root: JsonRecord): number {
  readInputs(builder, 'input', root.input);
  addSettings(builder, root, embeddingKeys);
  return 1;
}

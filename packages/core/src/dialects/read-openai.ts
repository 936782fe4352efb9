// Owns reading the bodies of OpenAI's chat, legacy completions and embeddings.

import { isObject } from '../json.ts';
import { readTools } from './hosted-tools.ts';
import { levels } from './known-keys.ts';
import { readContent } from './read-content.ts';
import { addMember, addRest, addWords } from './read-rest.ts';
import { addSettings } from './read-settings.ts';
import {
  addModel,
  addOpaque,
  addProblem,
  addReference,
  addText,
  checkKeys,
  eachObject,
  type JsonRecord,
  type RequestBuilder,
  readCount,
} from './request-builder.ts';
import type { BodyPath, PartRole } from './request-types.ts';

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

/** A call of a function; what stands in its place and is none is read as it is. */
function readFunctionCall(builder: RequestBuilder, holder: JsonRecord, key: string, path: BodyPath): void {
  const call = holder[key];
  if (!isObject(call)) {
    addMember(builder, 'assistant', holder, key, path);
    return;
  }
  const place = [...path, key];
  addWords(builder, 'assistant', call.arguments, [...place, 'arguments']);
  addWords(builder, 'assistant', call.input, [...place, 'input']);
  addRest(builder, 'assistant', call, levels.calledFunction, place);
}

function readToolCalls(builder: RequestBuilder, calls: unknown, path: BodyPath): void {
  eachObject(builder, calls, 'tool_calls', (call, i) => {
    const callPath = [...path, 'tool_calls', i];
    readFunctionCall(builder, call, 'function', callPath);
    readFunctionCall(builder, call, 'custom', callPath);
    addRest(builder, 'assistant', call, levels.toolCall, callPath);
  });
}

function readMessage(builder: RequestBuilder, message: JsonRecord, path: BodyPath): void {
  const role = roleOf(message.role);
  readContent(builder, role, message.content, [...path, 'content']);
  if (message.function_call !== undefined) readFunctionCall(builder, message, 'function_call', path);
  if (isObject(message.audio)) {
    addReference(builder, 'audio', message.audio.id);
    addOpaque(builder, role, 'audio', [...path, 'audio']);
    builder.audios += 1;
  }
  if (message.tool_calls !== undefined) readToolCalls(builder, message.tool_calls, path);
  addRest(builder, role, message, levels.chatMessage, path);
}

/** Bytes that a string takes at most in UTF-8: three for each UTF-16 unit. */
function mostBytes(text: string): number {
  return text.length * 3;
}

function readPrediction(builder: RequestBuilder, root: JsonRecord): void {
  const { prediction } = root;
  if (!isObject(prediction)) {
    addMember(builder, 'user', root, 'prediction', []);
    return;
  }
  const before = builder.parts.length;
  readContent(builder, 'user', prediction.content, ['prediction', 'content']);
  for (const part of builder.parts.slice(before)) {
    if (part.kind === 'text') builder.predictionBytes += mostBytes(part.text);
  }
  addRest(builder, 'user', prediction, levels.prediction, ['prediction']);
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
  addWords(builder, 'system', root.functions, ['functions']);
  if (isObject(root.moderation)) addModel(builder, root.moderation.model);
  if (root.prediction !== undefined) readPrediction(builder, root);
  readVoice(builder, root.audio);
  addSettings(builder, root, levels.chat);
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
  addSettings(builder, root, levels.completions);
  return prompts * readGenerated(builder, root);
}

/** Reads `POST /v1/embeddings`; it generates nothing. */
export function readEmbedding(builder: RequestBuilder, root: JsonRecord): number {
  readInputs(builder, 'input', root.input);
  addSettings(builder, root, levels.embeddings);
  return 1;
}

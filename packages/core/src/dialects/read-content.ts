// Owns reading what a message is made of: text, media, files, tool calls and results, in the shapes of both dialects.

import { isObject } from '../json.ts';
import { readTool } from './hosted-tools.ts';
import { levels } from './known-keys.ts';
import { addReferencesIn } from './named-in.ts';
import { addMember, addRest, addWhole, addWords } from './read-rest.ts';
import {
  addOpaque,
  addProblem,
  addReference,
  addStructured,
  addText,
  type JsonRecord,
  type RequestBuilder,
} from './request-builder.ts';
import type { BodyPath, PartRole } from './request-types.ts';
import { addSealed } from './sealed.ts';
import { isEncoded } from './unread-media.ts';

type PartReader = (builder: RequestBuilder, role: PartRole, part: JsonRecord, path: BodyPath) => void;

/** Reads one string member as text; a member of another type is a reason to refuse. */
function readString(
  builder: RequestBuilder,
  role: PartRole,
  part: JsonRecord,
  key: string,
  path: BodyPath,
): void {
  const value = part[key];
  if (typeof value === 'string') addText(builder, role, value, [...path, key]);
  else if (value !== undefined && value !== null)
    addProblem(builder, `\`${key}\` of a part must be a string`);
}

const textPart: PartReader = (builder, role, part, path) => {
  readString(builder, role, part, 'text', path);
  addRest(builder, role, part, levels.text, path);
};

const refusalPart: PartReader = (builder, role, part, path) => {
  readString(builder, role, part, 'refusal', path);
  addRest(builder, role, part, levels.refusal, path);
};

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** Shown thinking is text; its signature, which may hold what is withheld, is sealed. */
const thinkingPart: PartReader = (builder, role, part, path) => {
  readString(builder, role, part, 'thinking', path);
  const { signature } = part;
  if (!isNothing(signature)) addSealed(builder, role, signature, [...path, 'signature']);
  else if (isNothing(part.thinking)) addOpaque(builder, role, 'encrypted', path);
  addRest(builder, role, part, levels.thinking, path);
};

const redactedThinkingPart: PartReader = (builder, role, part, path) => {
  addSealed(builder, role, part.data, [...path, 'data']);
  addRest(builder, role, part, levels.redactedThinking, path);
};

const inlineData = /^data:[^,]{0,200};base64,/;

/**
 * Reads a member that holds data, or the address of some, inside what is opaque already: data are measured where
 * they are media, and everything else is text. The provider fetches an address, so that is text too.
 */
export function addBlob(
  builder: RequestBuilder,
  role: PartRole,
  object: JsonRecord,
  key: string,
  isMedia: boolean,
  path: BodyPath,
): void {
  const value = object[key];
  if (typeof value !== 'string') {
    addMember(builder, role, object, key, path);
    return;
  }
  const isData = isEncoded(value) || inlineData.test(value);
  if (isMedia && (isData || key === 'data')) builder.mediaBytes += value.length;
  if (!isData) addText(builder, role, value, [...path, key]);
}

/** Reads where media come from: inline data, an address, an id, or an object of these. */
function readSource(
  builder: RequestBuilder,
  role: PartRole,
  holder: JsonRecord,
  key: string,
  isMedia: boolean,
  path: BodyPath,
): void {
  const value = holder[key];
  if (!isObject(value)) {
    addBlob(builder, role, holder, key, isMedia, path);
    return;
  }
  const place = [...path, key];
  addReference(builder, 'file', value.file_id);
  readSource(builder, role, value, 'url', isMedia, place);
  addBlob(builder, role, value, 'data', isMedia, place);
  addBlob(builder, role, value, 'file_data', isMedia, place);
  readContent(builder, role, value.content, [...place, 'content']);
  addRest(builder, role, value, levels.source, place);
}

const imagePart: PartReader = (builder, role, part, path) => {
  builder.images += 1;
  addOpaque(builder, role, 'image', path);
  addReference(builder, 'file', part.file_id);
  readSource(builder, role, part, 'image_url', true, path);
  readSource(builder, role, part, 'source', true, path);
  addRest(builder, role, part, levels.image, path);
};

const audioPart: PartReader = (builder, role, part, path) => {
  builder.audios += 1;
  addOpaque(builder, role, 'audio', path);
  readSource(builder, role, part, 'input_audio', true, path);
  addRest(builder, role, part, levels.audio, path);
};

const documentKeys: ReadonlySet<string> = new Set([
  ...['type', 'source', 'title', 'context', 'citations', 'cache_control'],
]);
const sourceKeys: ReadonlySet<string> = new Set(['type', 'media_type', 'data', 'content']);

/**
 * The source of a document that can be read: text, or content blocks. INVARIANT: it is the only thing that could
 * carry the document. Whatever else stands beside it, some provider may take for the document instead.
 */
function readableSource(part: JsonRecord): JsonRecord | undefined {
  const { source } = part;
  if (part.type !== 'document' || !isObject(source)) return undefined;
  for (const key in part) if (!documentKeys.has(key)) return undefined;
  for (const key in source) if (!sourceKeys.has(key)) return undefined;
  const { type, data, content, media_type: mediaType } = source;
  const isText = type === 'text' && typeof data === 'string' && content === undefined;
  const isContent = type === 'content' && data === undefined && content !== undefined;
  const isPlainText = mediaType === undefined || mediaType === 'text/plain';
  return (isText || isContent) && isPlainText ? source : undefined;
}

/** A document whose source is text or content blocks is read; every other file is opaque. */
const filePart: PartReader = (builder, role, part, path) => {
  const source = readableSource(part);
  if (source !== undefined) {
    addWords(builder, role, source.data, [...path, 'source', 'data']);
    readContent(builder, role, source.content, [...path, 'source', 'content']);
    addRest(builder, role, part, levels.document, path);
    return;
  }
  builder.files += 1;
  addOpaque(builder, role, part.type === 'document' ? 'document' : 'file', path);
  addReference(builder, 'file', part.file_id);
  readSource(builder, role, part, 'file_url', false, path);
  addBlob(builder, role, part, 'file_data', false, path);
  readSource(builder, role, part, 'file', false, path);
  readSource(builder, role, part, 'source', false, path);
  addRest(builder, role, part, levels.file, path);
};

const callPart: PartReader = (builder, _role, part, path) => {
  addWords(builder, 'assistant', part.input, [...path, 'input']);
  addRest(builder, 'assistant', part, levels.call, path);
};

const resultPart: PartReader = (builder, _role, part, path) => {
  readContent(builder, 'tool', part.content, [...path, 'content']);
  readContent(builder, 'tool', part.output, [...path, 'output']);
  addRest(builder, 'tool', part, levels.result, path);
};

/** Results of tools that the provider ran: all their text, the files that they name, what is sealed or no text in them. */
const hostedResultPart: PartReader = (builder, _role, part, path) => {
  addReferencesIn(builder, part);
  addWhole(builder, 'tool', part, path);
};

/** A tool that joins in the middle of a conversation is a tool all the same. */
const toolChangePart: PartReader = (builder, _role, part, path) => {
  if (isObject(part.tool)) {
    const { tool } = part;
    const definition = isObject(tool.definition) ? tool.definition : tool;
    const isReference = typeof tool.type === 'string' && tool.type.endsWith('_reference');
    if (!isReference) readTool(builder, definition);
  }
  addWhole(builder, 'system', part, path);
};

/** Earlier turns in short: as text, or sealed by the provider. */
const compactionPart: PartReader = (builder, role, part, path) => {
  const { encrypted_content: sealed } = part;
  if (!isNothing(sealed)) addSealed(builder, role, sealed, [...path, 'encrypted_content']);
  else if (typeof part.content !== 'string') addOpaque(builder, role, 'encrypted', path);
  const changes: readonly unknown[] = Array.isArray(part.tool_changes) ? part.tool_changes : [];
  for (let i = 0; i < changes.length; i += 1) {
    const change = changes[i];
    if (isObject(change)) toolChangePart(builder, role, change, [...path, 'tool_changes', i]);
  }
  addRest(builder, role, part, levels.compactionPart, path);
};

/** Readers by the type of a part; a test puts something to be found into each. */
export const partReaders: ReadonlyMap<string, PartReader> = new Map([
  ...['text', 'input_text', 'output_text', 'summary_text', 'reasoning_text'].map(
    (type) => [type, textPart] as const,
  ),
  ...['image', 'image_url', 'input_image', 'computer_screenshot'].map((type) => [type, imagePart] as const),
  ...['file', 'input_file', 'document', 'container_upload'].map((type) => [type, filePart] as const),
  ...['tool_use', 'server_tool_use', 'mcp_tool_use'].map((type) => [type, callPart] as const),
  ...['tool_result', 'mcp_tool_result', 'search_result'].map((type) => [type, resultPart] as const),
  ...[
    'web_search',
    'web_fetch',
    'code_execution',
    'bash_code_execution',
    'text_editor_code_execution',
    'tool_search',
  ].map((tool) => [`${tool}_tool_result`, hostedResultPart] as const),
  ['tool_reference', hostedResultPart],
  ['mcp_tool_listing', hostedResultPart],
  ['tool_addition', toolChangePart],
  ['tool_removal', toolChangePart],
  ['compaction', compactionPart],
  ['refusal', refusalPart],
  ['thinking', thinkingPart],
  ['redacted_thinking', redactedThinkingPart],
  ['input_audio', audioPart],
]);

/** Reads one part of a message. A type that we do not know is opaque, and its text is classified all the same. */
export function readPart(builder: RequestBuilder, role: PartRole, part: JsonRecord, path: BodyPath): void {
  const reader = typeof part.type === 'string' ? partReaders.get(part.type) : undefined;
  if (reader !== undefined) {
    reader(builder, role, part, path);
    return;
  }
  addOpaque(builder, role, 'unknown_type', path);
  addReferencesIn(builder, part);
  addStructured(builder, role, part, path);
}

/** Reads content: a string, or an array of parts (or strings), or nothing. */
export function readContent(builder: RequestBuilder, role: PartRole, content: unknown, path: BodyPath): void {
  if (typeof content === 'string') {
    addText(builder, role, content, path);
    return;
  }
  if (content === undefined || content === null) return;
  if (!Array.isArray(content)) {
    if (isObject(content)) readPart(builder, role, content, path);
    else addProblem(builder, '`content` must be a string or an array of parts');
    return;
  }
  const items: readonly unknown[] = content;
  for (let i = 0; i < items.length; i += 1) {
    const item = items[i];
    if (isObject(item)) readPart(builder, role, item, [...path, i]);
    else if (typeof item === 'string') addText(builder, role, item, [...path, i]);
    else addProblem(builder, 'each part of `content` must be an object or a string');
  }
}

// Owns reading what a message is made of: text, media, files, tool calls and results, in the shapes of both dialects.

import { isObject } from '../json.ts';
import { readTool } from './hosted-tools.ts';
import { addReferencesIn } from './named-in.ts';
import {
  addOpaque,
  addProblem,
  addReference,
  addRest,
  addStructured,
  addText,
  type JsonRecord,
  levelKeys,
  type RequestBuilder,
} from './request-builder.ts';
import type { BodyPath, OpaqueReason, PartRole } from './request-types.ts';

const textKeys = levelKeys('text');
const refusalKeys = levelKeys('refusal');
const thinkingKeys = levelKeys('thinking');
const encryptedKeys = levelKeys('data', 'encrypted_content');
const imageKeys = levelKeys('image_url', 'source', 'file_id');
const audioKeys = levelKeys('input_audio');
const fileKeys = levelKeys('file', 'source', 'file_id', 'file_data', 'file_url');
const urlKeys = levelKeys('url', 'data', 'file_id', 'file_data', 'format', 'content');
const callKeys = levelKeys('input', 'tool_name');
const resultKeys = levelKeys('content', 'output');

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
  addRest(builder, role, part, textKeys, path);
};

const refusalPart: PartReader = (builder, role, part, path) => {
  readString(builder, role, part, 'refusal', path);
  addRest(builder, role, part, refusalKeys, path);
};

/** Shown thinking is text. When it is withheld, only its signature speaks for it, and that nobody can read. */
const thinkingPart: PartReader = (builder, role, part, path) => {
  readString(builder, role, part, 'thinking', path);
  if (part.thinking === '' || part.thinking === undefined) addOpaque(builder, role, 'encrypted', path);
  addRest(builder, role, part, thinkingKeys, path);
};

const encryptedPart: PartReader = (builder, role, part, path) => {
  addOpaque(builder, role, 'encrypted', path);
  addRest(builder, role, part, encryptedKeys, path);
};

/** Reads where media come from: inline data is measured, an address is text too (the provider fetches it), an id is a reference. */
function readSource(
  builder: RequestBuilder,
  role: PartRole,
  value: unknown,
  isMedia: boolean,
  path: BodyPath,
): void {
  if (typeof value === 'string') {
    if (!value.startsWith('data:')) addText(builder, role, value, path);
    else if (isMedia) builder.mediaBytes += value.length;
    return;
  }
  if (!isObject(value)) return;
  addReference(builder, 'file', value.file_id);
  if (value.type === 'text') readString(builder, role, value, 'data', path);
  else if (isMedia && typeof value.data === 'string') builder.mediaBytes += value.data.length;
  readSource(builder, role, value.url, isMedia, [...path, 'url']);
  readContent(builder, role, value.content, [...path, 'content']);
  addRest(builder, role, value, urlKeys, path);
}

const imagePart: PartReader = (builder, role, part, path) => {
  builder.images += 1;
  addOpaque(builder, role, 'image', path);
  addReference(builder, 'file', part.file_id);
  readSource(builder, role, part.image_url, true, [...path, 'image_url']);
  readSource(builder, role, part.source, true, [...path, 'source']);
  addRest(builder, role, part, imageKeys, path);
};

const audioPart: PartReader = (builder, role, part, path) => {
  builder.audios += 1;
  addOpaque(builder, role, 'audio', path);
  readSource(builder, role, part.input_audio, true, [...path, 'input_audio']);
  addRest(builder, role, part, audioKeys, path);
};

/** A document whose source is text or content blocks is read; every other file is opaque. */
const filePart: PartReader = (builder, role, part, path) => {
  const { source } = part;
  const isReadable = isObject(source) && (source.type === 'text' || source.type === 'content');
  if (!isReadable) {
    builder.files += 1;
    addOpaque(builder, role, part.type === 'document' ? 'document' : 'file', path);
  }
  addReference(builder, 'file', part.file_id);
  readSource(builder, role, part.file_url, false, [...path, 'file_url']);
  readSource(builder, role, part.file, false, [...path, 'file']);
  readSource(builder, role, source, false, [...path, 'source']);
  addRest(builder, role, part, fileKeys, path);
};

const callPart: PartReader = (builder, _role, part, path) => {
  if (isObject(part.input)) addStructured(builder, 'assistant', part.input, [...path, 'input']);
  else readString(builder, 'assistant', part, 'input', path);
  addRest(builder, 'assistant', part, callKeys, path);
};

const resultPart: PartReader = (builder, _role, part, path) => {
  readContent(builder, 'tool', part.content, [...path, 'content']);
  readContent(builder, 'tool', part.output, [...path, 'output']);
  addRest(builder, 'tool', part, resultKeys, path);
};

/** Results of tools that the provider ran: all their text, the files that they name, and what is sealed in them. */
const hostedResultPart: PartReader = (builder, _role, part, path) => {
  addReferencesIn(builder, part);
  addStructured(builder, 'tool', part, path);
};

/** A tool that joins in the middle of a conversation is a tool all the same. */
const toolChangePart: PartReader = (builder, _role, part, path) => {
  if (isObject(part.tool)) {
    const { tool } = part;
    const definition = isObject(tool.definition) ? tool.definition : tool;
    const isReference = typeof tool.type === 'string' && tool.type.endsWith('_reference');
    if (!isReference) readTool(builder, definition);
  }
  addStructured(builder, 'system', part, path);
};

const compactionPart: PartReader = (builder, role, part, path) => {
  addOpaque(builder, role, 'encrypted', path);
  const changes: readonly unknown[] = Array.isArray(part.tool_changes) ? part.tool_changes : [];
  for (const change of changes) {
    if (isObject(change)) toolChangePart(builder, role, change, path);
  }
  addRest(builder, role, part, encryptedKeys, path);
};

const partReaders: ReadonlyMap<string, PartReader> = new Map([
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
  ['redacted_thinking', encryptedPart],
  ['input_audio', audioPart],
]);

/** Reads one part of a message. A type that we do not know is opaque, and its text is classified all the same. */
export function readPart(builder: RequestBuilder, role: PartRole, part: JsonRecord, path: BodyPath): void {
  const reader = typeof part.type === 'string' ? partReaders.get(part.type) : undefined;
  if (reader !== undefined) {
    reader(builder, role, part, path);
    return;
  }
  const reason: OpaqueReason = 'unknown_type';
  addOpaque(builder, role, reason, path);
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

// Owns reading the bodies of OpenAI's Responses: `/v1/responses`, `/input_tokens` and `/compact`.

import { isObject } from '../json.ts';
import { readTools } from './hosted-tools.ts';
import { levels } from './known-keys.ts';
import { addReferencesIn } from './named-in.ts';
import { addBlob, readContent, readPart } from './read-content.ts';
import { roleOf } from './read-openai.ts';
import { addMember, addRest, addWhole, addWords } from './read-rest.ts';
import { addSettings } from './read-settings.ts';
import {
  addModel,
  addOpaque,
  addOutside,
  addProblem,
  addReference,
  addText,
  checkKeys,
  type JsonRecord,
  type RequestBuilder,
} from './request-builder.ts';
import type { BodyPath, PartRole } from './request-types.ts';
import { addSealed } from './sealed.ts';

const conversationKeys: ReadonlySet<string> = new Set(['id']);
/** Members of an item that name it, and say nothing of what it is made of. */
const namingKeys: ReadonlySet<string> = new Set(['id', 'type', 'status', 'role', 'phase']);

type ItemReader = (builder: RequestBuilder, item: JsonRecord, path: BodyPath) => void;

function isPresent(value: unknown): boolean {
  return (
    value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0)
  );
}

/** An item that comes with its id and without what it is made of: the provider takes its own copy, which we cannot see. */
function addStoredItem(builder: RequestBuilder, item: JsonRecord, path: BodyPath): void {
  if (!isPresent(item.id)) return;
  addReference(builder, 'item', item.id);
  addOpaque(builder, 'assistant', 'item_reference', path);
}

const messageItem: ItemReader = (builder, item, path) => {
  const role = roleOf(item.role);
  if (!isPresent(item.content)) addStoredItem(builder, item, path);
  readContent(builder, role, item.content, [...path, 'content']);
  addRest(builder, role, item, levels.message, path);
};

const callItem: ItemReader = (builder, item, path) => {
  addWords(builder, 'assistant', item.arguments, [...path, 'arguments']);
  addWords(builder, 'assistant', item.input, [...path, 'input']);
  addRest(builder, 'assistant', item, levels.callItem, path);
};

const outputItem: ItemReader = (builder, item, path) => {
  readContent(builder, 'tool', item.output, [...path, 'output']);
  addRest(builder, 'tool', item, levels.outputItem, path);
};

const reasoningItem: ItemReader = (builder, item, path) => {
  readContent(builder, 'assistant', item.summary, [...path, 'summary']);
  readContent(builder, 'assistant', item.content, [...path, 'content']);
  const { encrypted_content: sealed } = item;
  if (isPresent(sealed)) addSealed(builder, 'assistant', sealed, [...path, 'encrypted_content']);
  else if (!isPresent(item.content)) addStoredItem(builder, item, path);
  addRest(builder, 'assistant', item, levels.reasoning, path);
};

const compactionItem: ItemReader = (builder, item, path) => {
  const { encrypted_content: sealed } = item;
  if (isPresent(sealed)) addSealed(builder, 'assistant', sealed, [...path, 'encrypted_content']);
  else {
    addReference(builder, 'item', item.id);
    addOpaque(builder, 'assistant', 'encrypted', path);
  }
  addRest(builder, 'assistant', item, levels.compaction, path);
};

/** Only an id: the provider puts a stored item here, which we cannot see. */
const referenceItem: ItemReader = (builder, item, path) => {
  addReference(builder, 'item', item.id);
  addOpaque(builder, 'user', 'item_reference', path);
  addRest(builder, 'user', item, levels.reference, path);
};

const imageCallItem: ItemReader = (builder, item, path) => {
  if (!isPresent(item.result)) addReference(builder, 'item', item.id);
  builder.images += 1;
  addOpaque(builder, 'assistant', 'image', path);
  addBlob(builder, 'assistant', item, 'result', false, path);
  addRest(builder, 'assistant', item, levels.imageCall, path);
};

const toolsItem: ItemReader = (builder, item, path) => {
  readTools(builder, item.tools, [...path, 'tools']);
  addRest(builder, 'system', item, levels.toolsItem, path);
};

/** An item of a known type of which nothing is said but its id and how it ended. */
function isOnlyNamed(item: JsonRecord): boolean {
  for (const key in item) if (!namingKeys.has(key) && isPresent(item[key])) return false;
  return true;
}

/** Calls that the provider or the client ran, whose fields are all text: read whole. */
function wholeItem(role: PartRole): ItemReader {
  return (builder, item, path) => {
    if (isOnlyNamed(item)) addStoredItem(builder, item, path);
    addReferencesIn(builder, item);
    addWhole(builder, role, item, path);
  };
}

const assistantItem = wholeItem('assistant');
const toolItem = wholeItem('tool');

/** Readers by the type of an item; a test puts something to be found into each. */
export const itemReaders: ReadonlyMap<string, ItemReader> = new Map([
  ['message', messageItem],
  ['function_call', callItem],
  ['custom_tool_call', callItem],
  ['function_call_output', outputItem],
  ['custom_tool_call_output', outputItem],
  ['computer_call_output', outputItem],
  ['reasoning', reasoningItem],
  ['compaction', compactionItem],
  ['compaction_summary', compactionItem],
  ['item_reference', referenceItem],
  ['image_generation_call', imageCallItem],
  ['additional_tools', toolsItem],
  ['tool_search_output', toolsItem],
  ...['file_search_call', 'web_search_call', 'computer_call', 'code_interpreter_call', 'local_shell_call']
    .concat('shell_call', 'apply_patch_call', 'tool_search_call', 'program', 'configuration_update')
    .concat('compaction_trigger', 'mcp_approval_request', 'mcp_approval_response')
    .map((type) => [type, assistantItem] as const),
  ...['local_shell_call_output', 'shell_call_output', 'apply_patch_call_output', 'mcp_list_tools', 'mcp_call']
    .concat('program_output')
    .map((type) => [type, toolItem] as const),
]);

function readItem(builder: RequestBuilder, item: JsonRecord, path: BodyPath): void {
  const { type } = item;
  if (type === undefined || type === null) {
    // An item without a type is a message if it has a role, and else a reference by id.
    if (item.role !== undefined) messageItem(builder, item, path);
    else referenceItem(builder, item, path);
    return;
  }
  const reader = typeof type === 'string' ? itemReaders.get(type) : undefined;
  if (reader === undefined) readPart(builder, 'user', item, path);
  else reader(builder, item, path);
}

function readInput(builder: RequestBuilder, key: string, role: PartRole, input: unknown): void {
  if (input === undefined || input === null) return;
  if (typeof input === 'string') {
    addText(builder, role, input, [key]);
    return;
  }
  if (!Array.isArray(input)) {
    addProblem(builder, `\`${key}\` must be a string or an array of items`);
    return;
  }
  const items: readonly unknown[] = input;
  for (let i = 0; i < items.length; i += 1) {
    const item = items[i];
    if (isObject(item)) readItem(builder, item, [key, i]);
    else if (typeof item === 'string') addText(builder, role, item, [key, i]);
    else addProblem(builder, `\`${key}\` must hold items`);
  }
}

/** A stored prompt is text that only the provider has; its variables are ours to read. */
function readStoredPrompt(builder: RequestBuilder, prompt: unknown): void {
  if (prompt === undefined || prompt === null) return;
  if (!isObject(prompt)) {
    addProblem(builder, '`prompt` must be an object with the `id` of a stored prompt');
    return;
  }
  addReference(builder, 'prompt', prompt.id);
  addOpaque(builder, 'system', 'stored_prompt', ['prompt']);
  addRest(builder, 'user', prompt, levels.storedPrompt, ['prompt']);
  const { variables } = prompt;
  if (!isObject(variables)) {
    addMember(builder, 'user', prompt, 'variables', ['prompt']);
    return;
  }
  for (const key in variables) {
    addOutside(builder, 'user', key);
    readContent(builder, 'user', variables[key], ['prompt', 'variables', key]);
  }
}

function readConversation(builder: RequestBuilder, conversation: unknown): void {
  if (!isObject(conversation)) {
    addReference(builder, 'conversation', conversation);
    return;
  }
  checkKeys(builder, conversation, conversationKeys);
  addReference(builder, 'conversation', conversation.id ?? '');
}

/** Reads a body of the Responses endpoints; each answers once. */
export function readResponses(builder: RequestBuilder, root: JsonRecord): number {
  readInput(builder, 'instructions', 'system', root.instructions);
  readInput(builder, 'input', 'user', root.input);
  readTools(builder, root.tools, ['tools']);
  addReference(builder, 'response', root.previous_response_id);
  readConversation(builder, root.conversation);
  readStoredPrompt(builder, root.prompt);
  if (isObject(root.moderation)) addModel(builder, root.moderation.model);
  addSettings(builder, root, levels.responses);
  return 1;
}

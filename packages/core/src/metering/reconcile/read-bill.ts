// Owns reading a file of a provider: which form it has, and the pages that are in it.

import { isObject } from '../../json.ts';
import { parseJson } from '../../parse-json.ts';
import { BillError, type BillForm, type BillPage } from './bill.ts';
import { formOfColumns, readCsvBill } from './csv-bills.ts';
import { formOfPage, isEmptyOpenAiPage, readPage } from './pages.ts';

const isKnown =
  'usage reports of OpenAI and Anthropic as their APIs answer, the CSV of the Anthropic console, and `day,model,requests,input_tokens,output_tokens`';

function jsonOf(text: string): unknown {
  try {
    return parseJson(text.replace(/^\ufeff/, ''));
  } catch {
    return undefined;
  }
}

function whyNone(value: unknown): string {
  const page = Array.isArray(value) ? value[0] : value;
  if (!isObject(page)) return '';
  if (isObject(page.error)) return ': it is an error that the provider answered with, fetch it again';
  if (typeof page.object === 'string' && page.object !== 'page')
    return `: it is a \`${page.object}\`, and not a page of a usage report`;
  return '';
}

function readJson(file: string, value: unknown, form: BillForm | undefined): readonly BillPage[] {
  const pages: readonly { readonly page: unknown; readonly path: string }[] = Array.isArray(value)
    ? value.map((page, i) => ({ page, path: String(i) }))
    : [{ page: value, path: '' }];
  const found = pages.map(({ page }) => formOfPage(page)).find((each) => each !== undefined);
  const common = form ?? found;
  if (common === undefined && pages.length > 0 && pages.every(({ page }) => isEmptyOpenAiPage(page)))
    throw new BillError(
      `\`${file}\` says only that nothing was used: say of which report with \`--format\`, such as \`openai-completions\` or \`openai-embeddings\``,
    );
  if (common === undefined)
    throw new BillError(`\`${file}\` is no bill that can be read${whyNone(value)}: read are ${isKnown}`);
  return pages.map(({ page, path }) => readPage(formOfPage(page) ?? common, file, page, path));
}

/**
 * Reads a file: one page or a list of pages in JSON, or CSV. The form is told by its content, unless it is given.
 * Throws a BillError that names the file, the place in it, and what to do.
 */
export function readBill(file: string, text: string, form?: BillForm): readonly BillPage[] {
  const value = jsonOf(text);
  if (isObject(value) || Array.isArray(value)) {
    if (form === 'plain-csv' || form === 'anthropic-csv')
      throw new BillError(`\`${file}\` is JSON, and \`--format ${form}\` is CSV`);
    return readJson(file, value, form);
  }
  const told = form ?? formOfColumns(text);
  if (told !== 'plain-csv' && told !== 'anthropic-csv')
    throw new BillError(`\`${file}\` is no bill that can be read: read are ${isKnown}`);
  return [readCsvBill(told, file, text)];
}

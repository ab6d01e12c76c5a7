import { GatehouseError } from '@gatehouse/core/error';
import { printProblem } from '@gatehouse/core/problem';
import { splitJsonValues } from '@gatehouse/platform/kube/directory/json-values';
import { loadYaml } from '@gatehouse/platform/kube/directory/kubernetes-yaml';

/** One document of a manifest: its text, and what kubectl reads there. Texts joined are the manifest, byte for byte. */
export interface ManifestDocument {
  readonly text: string;
  /** Undefined where the text holds no value: comments, separators, space. */
  readonly value: unknown;
}

/** A line that begins with three dashes begins a document, also in a block of text (YAML 1.2 §9.1.2). */
const separator = /^---(?=[ \t\r\n]|$)/gm;

/**
 * Takes a manifest apart. `origin` names it in errors: a file, or stdin. Throws `invalid-argument` with the line of the first
 * mistake.
 */
export const splitDocuments = (text: string, origin: string): readonly ManifestDocument[] =>
  isJson(text) ? splitJson(text, origin) : splitYaml(text, origin);

const isJson = (text: string): boolean => splitJsonValues(text) !== undefined;

const read = (text: string, linesBefore: number, origin: string): readonly unknown[] => {
  const loaded = loadYaml(text, linesBefore);
  if (loaded.ok) return loaded.value;
  const [problem] = loaded.problems;
  const said = problem === undefined ? '' : printProblem({ ...problem, fix: 'fix the YAML' });
  throw new GatehouseError('invalid-argument', `${origin}: ${said}`);
};

const linesIn = (text: string): number => text.split('\n').length - 1;

const splitJson = (text: string, origin: string): readonly ManifestDocument[] => {
  const documents: ManifestDocument[] = [];
  let from = 0;
  for (const value of splitJsonValues(text) ?? []) {
    const at = text.indexOf(value.text, from);
    documents.push({ text: text.slice(from, at), value: undefined });
    documents.push({ text: value.text, value: read(value.text, value.linesBefore, origin)[0] });
    from = at + value.text.length;
  }
  return [...documents, { text: text.slice(from), value: undefined }].filter((one) => one.text !== '');
};

const splitYaml = (text: string, origin: string): readonly ManifestDocument[] => {
  const starts = [...text.matchAll(separator)].map(({ index }) => index);
  const bounds = [...new Set([0, ...starts, text.length])];
  return bounds.slice(0, -1).flatMap((start, at) => {
    const part = text.slice(start, bounds[at + 1]);
    // The separator is a text of its own, so that a document is edited without it.
    const head = /^(?:\ufeff)?(?:---[^\n]*(?:\n|$))?/.exec(part)?.[0] ?? '';
    const inline = /^(?:\ufeff)?---[ \t]+[^ \t#\r\n]/.test(head);
    const [lead, body] = inline ? ['', part] : [head, part.slice(head.length)];
    const values = read(body, linesIn(text.slice(0, start)) + linesIn(lead), origin);
    const value = values.length === 1 ? (values[0] ?? undefined) : undefined;
    if (values.length > 1)
      throw new GatehouseError(
        'invalid-argument',
        `${origin}: documents end in \`...\`: begin each with ---`,
      );
    const documents: readonly ManifestDocument[] = [
      { text: lead, value: undefined },
      { text: body, value },
    ];
    return documents.filter((one) => one.text !== '');
  });
};

/** One JSON value of a text that holds several. */
export interface JsonValue {
  readonly text: string;
  /** Lines of the text before it. */
  readonly linesBefore: number;
}

const openers = new Set(['{', '[']);
const closers = new Set(['}', ']']);
const whitespace = /[\s\ufeff]/;

/**
 * Takes a text apart into its JSON objects, one after the other with nothing but whitespace between them, as `kubectl get
 * -o json` of several objects, `jq` and `kubectl apply` have it. Undefined when it is anything else, such as YAML that
 * begins with a brace.
 */
export const splitJsonValues = (text: string): readonly JsonValue[] | undefined => {
  const values: JsonValue[] = [];
  let start = -1;
  let depth = 0;
  let line = 0;
  let lineOfStart = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '\n') line += 1;
    else if (char === '"' && depth > 0) {
      at = endOfText(text, at);
    } else if (openers.has(char)) {
      if (depth === 0) {
        start = at;
        lineOfStart = line;
      }
      depth += 1;
    } else if (closers.has(char) && depth > 0) {
      depth -= 1;
      if (depth === 0) values.push({ text: text.slice(start, at + 1), linesBefore: lineOfStart });
    } else if (depth === 0 && !whitespace.test(char)) return undefined;
  }
  return depth === 0 && values.length > 0 && values.every(isJsonObject) ? values : undefined;
};

/** Where the text that begins at `at` ends: JSON's texts have no line feed in them. */
const endOfText = (text: string, at: number): number => {
  for (let end = at + 1; end < text.length; end += 1) {
    const char = text.charAt(end);
    if (char === '\\') end += 1;
    else if (char === '"' || char === '\n') return end;
  }
  return text.length;
};

const isJsonObject = ({ text }: JsonValue): boolean => {
  if (!text.startsWith('{')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/**
 * Who says they ask: the proxy's DESTINATION_CONTEXT. Nobody proves it, so it only chooses among endpoints that
 * anybody may learn: by node and zone. Empty strings where the token is silent.
 */
export interface ContextToken {
  readonly namespace: string;
  readonly nodeName: string;
  readonly pod: string;
}

const nobody: ContextToken = Object.freeze({ namespace: '', nodeName: '', pod: '' });

/** Reads `{"ns":…,"nodeName":…,"pod":…}` or the older `ns:<ns>`; anything else is an empty token, never an error (§3.1). */
export const parseContextToken = (text: string): ContextToken => {
  const trimmed = text.trim();
  if (trimmed.startsWith('ns:')) return { ...nobody, namespace: trimmed.slice(3) };
  if (!trimmed.startsWith('{')) return nobody;
  try {
    const token: Readonly<Record<string, unknown>> = JSON.parse(trimmed);
    return {
      namespace: textOrEmpty(token.ns),
      nodeName: textOrEmpty(token.nodeName),
      pod: textOrEmpty(token.pod),
    };
  } catch {
    return nobody;
  }
};

const textOrEmpty = (value: unknown): string => (typeof value === 'string' ? value : '');

import { type Parsed, parsed, problem } from '@gatehouse/core/problem';

/** Whose port is asked for, as a proxy's POLICY_WORKLOAD says. */
export type WorkloadName =
  | { readonly kind: 'pod'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'external-workload'; readonly namespace: string; readonly name: string };

const fix = 'use {"ns":"NAMESPACE","pod":"POD"} or NAMESPACE:POD';

/**
 * Reads Linkerd's two forms, `{"ns":"demo","pod":"web-0"}` (its injector ends it with a line feed) and `demo:web-0`
 * (`contract/linkerd-semantics.md` §2.1). Whether such a workload exists is another question, an empty name included: what
 * cannot be read is final for a proxy. Other fields are left alone, since a later injector may add some.
 */
export const readWorkload = (text: string): Parsed<WorkloadName> => {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) return readJson(trimmed);
  const colon = trimmed.indexOf(':');
  const [namespace, name] = [trimmed.slice(0, Math.max(colon, 0)), trimmed.slice(colon + 1)];
  return colon < 0 || namespace === '' || name === ''
    ? problem('workload', `\`${trimmed}\` names no workload`, fix)
    : parsed({ kind: 'pod', namespace, name });
};

const readJson = (text: string): Parsed<WorkloadName> => {
  const fields = fieldsOf(text);
  if (fields === undefined) return problem('workload', `\`${text}\` is not a JSON object`, fix);
  const { ns, pod, external_workload: external } = fields;
  const names = [pod, external].filter((one) => one !== undefined);
  const [name] = names;
  if (names.length !== 1 || typeof ns !== 'string' || typeof name !== 'string') {
    return problem('workload', `\`${text}\` names no workload`, fix);
  }
  return parsed({ kind: pod === undefined ? 'external-workload' : 'pod', namespace: ns, name });
};

const fieldsOf = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    // It starts with a brace, so what parses is an object.
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
};

import { printProblem } from '@gatehouse/core/problem';
import { checkProxyRegex } from '@gatehouse/platform/kube/parse/proxy-regex';
import { behind } from '@gatehouse/policy/ports/rest/rest-object';
import { serverItem } from '@gatehouse/policy/ports/rest/rest-row';
import { decodeInbound } from '@gatehouse/wire/decode-inbound';

/** What bytes for a proxy tell it of a port, in the words of the REST API, or why it would refuse them. */
export const toldServer = (bytes: Uint8Array, namespace: string) => {
  const server = decodeInbound(bytes, checkProxyRegex);
  if (!server.ok) return { kind: 'invalid' as const, problems: server.problems.map(printProblem) };
  const nothing = { namespace, policy: () => undefined, sourcesOf: () => [] };
  return {
    kind: 'told' as const,
    by: behind(server.value.meta, namespace),
    server: serverItem(server.value, nothing),
  };
};

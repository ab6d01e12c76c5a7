import { isPort } from '@gatehouse/core/port-set';
import type { PodSpec, Probe } from '@gatehouse/core/resources/kinds/kubernetes';
import { bytesOf, fits, spend } from './budget.ts';
import type { Fields } from './fields.ts';

const probeFields = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const;

/** RFC 3986 §3.3: segments of unreserved characters, sub-delims, `:`, `@` and percent escapes. */
const absolutePath = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/;

/** A number, or the name of a port of the same container, compared without case as Linkerd does. */
const readProbePort = (container: Fields, probe: Fields): number | undefined => {
  const written = probe.raw('port');
  if (typeof written === 'number') return probe.port('port');
  const name = lowerCase(probe.text('port'));
  const named = container
    .alone() // Its ports were read, and their problems told, by another reader.
    .eachFields('ports', (port) => port)
    ?.find((port) => name !== undefined && lowerCase(port.raw('name')) === name)
    ?.raw('containerPort');
  // Kubelet takes a text that names no port as a number, when it is one.
  const port = typeof named === 'number' ? named : Number(name);
  if (isPort(port)) return port;
  return probe.refuse(
    'port',
    `no port of this container is named \`${name}\``,
    'name one of its ports, or a number',
  );
};

/** Undefined for what is no text: not everything that a manifest can hold can be made one. */
const lowerCase = (value: unknown): string | undefined =>
  typeof value === 'string' ? value.toLowerCase() : undefined;

const readHttpProbe = (container: Fields, http: Fields): Probe | undefined => {
  const scheme = http.text('scheme') ?? 'HTTP';
  // With `host` kubelet calls that host, not the pod.
  if (scheme.toUpperCase() !== 'HTTP' || (http.text('host') ?? '') !== '') return undefined;
  const port = readProbePort(container, http);
  const written = (http.text('path') || '/').split(/[?#]/, 1)[0] ?? '';
  const path = written.startsWith('/') ? written : `/${written}`;
  if (port === undefined) return undefined;
  if (absolutePath.test(path)) return { kind: 'http', port, path };
  return http.refuse(
    'path',
    `\`${path}\` is no path`,
    'an absolute path; other characters as percent escapes',
  );
};

const readProbe = (container: Fields, probe: Fields): Probe | undefined => {
  const http = probe.fields('httpGet');
  if (http !== undefined) return readHttpProbe(container, http);
  const grpc = probe.fields('grpc');
  const port = grpc?.port('port');
  return port === undefined ? undefined : { kind: 'grpc', port };
};

const printProbe = (probe: Probe): string =>
  `${probe.kind} ${probe.port} ${probe.kind === 'http' ? probe.path : ''}`;

/**
 * The kubelet probes that policy must let through (design §6.2): plain HTTP and gRPC ones, each once. Each is kept open
 * beside everything that governs its port, so of too many, or too long ones, nobody knows which: none or not that one.
 */
export const readProbes = (containers: readonly Fields[]): Pick<PodSpec, 'probes' | 'shutProbes'> => {
  const probes = new Map<string, Probe>();
  let shut = 0;
  for (const container of containers) {
    for (const field of probeFields) {
      const written = container.fields(field);
      const probe = written === undefined ? undefined : readProbe(container, written);
      if (written === undefined || probe === undefined) continue;
      const size = probe.kind === 'http' ? bytesOf(probe.path) : 0;
      if (fits(written, 'probePathBytes', { name: 'httpGet.path', size }))
        probes.set(printProbe(probe), probe);
      else shut += 1;
    }
  }
  const [container] = containers;
  const isWithin = container === undefined || spend(container, 'probes', probes.size);
  if (!isWithin) return { probes: [], shutProbes: shut + probes.size };
  return { probes: [...probes.values()], ...(shut === 0 ? {} : { shutProbes: shut }) };
};

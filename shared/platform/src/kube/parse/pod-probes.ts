import { portOfProbe } from '@gatehouse/core/mesh/probes';
import type { PodSpec, Probe, UnopenedRequest } from '@gatehouse/core/resources/kinds/kubernetes';
import { bytesOf, fits, spend } from './budget.ts';
import type { Fields } from './fields.ts';

const probeFields = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const;
const hookFields = ['postStart', 'preStop'] as const;

/** RFC 3986 §3.3: segments of unreserved characters, sub-delims, `:`, `@` and percent escapes. */
const absolutePath = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/;

/** A number, or the name of a port of the same container. */
const readProbePort = (container: Fields, probe: Fields): number | undefined => {
  const written = probe.raw('port');
  if (typeof written === 'number') return probe.port('port');
  const text = probe.text('port');
  if (text === undefined) {
    return probe.has('port')
      ? undefined
      : probe.refuse('port', 'it is missing', 'name a port of this container, or a number');
  }
  const ports = container
    .alone() // Its ports were read, and their problems told, by another reader.
    .eachFields('ports', (port) => {
      const [name, number] = [port.raw('name'), port.raw('containerPort')];
      return typeof name === 'string' && typeof number === 'number' ? { name, port: number } : undefined;
    });
  const port = portOfProbe(text, ports ?? []);
  if (port !== undefined) return port;
  return probe.refuse(
    'port',
    `no port of this container is named \`${text}\``,
    'name one of its ports, or a number',
  );
};

interface HttpGet {
  readonly scheme: string;
  readonly port: number;
  readonly path: string;
}

const readHttpGet = (container: Fields, http: Fields): HttpGet | undefined => {
  const scheme = (http.text('scheme') ?? 'HTTP').toUpperCase();
  // With `host` kubelet calls that host, not the pod.
  if ((http.text('host') ?? '') !== '') return undefined;
  const port = readProbePort(container, http);
  const written = (http.text('path') || '/').split(/[?#]/, 1)[0] ?? '';
  const path = written.startsWith('/') ? written : `/${written}`;
  if (port === undefined) return undefined;
  if (absolutePath.test(path)) return { scheme, port, path };
  return http.refuse(
    'path',
    `\`${path}\` is not a valid path`,
    'an absolute path; other characters as percent escapes',
  );
};

/** What kubelet asks of the pod: what is kept open, or what nothing keeps open. */
type KubeletRequest = Probe | UnopenedRequest;

const isUnopened = (request: KubeletRequest): request is UnopenedRequest =>
  request.kind === 'https-probe' || request.kind === 'hook';

const readProbe = (container: Fields, probe: Fields): KubeletRequest | undefined => {
  const http = probe.fields('httpGet');
  if (http !== undefined) {
    const get = readHttpGet(container, http);
    return get === undefined
      ? undefined
      : { kind: get.scheme === 'HTTP' ? 'http' : 'https-probe', port: get.port, path: get.path };
  }
  const grpc = probe.fields('grpc');
  const port = grpc?.port('port');
  return port === undefined ? undefined : { kind: 'grpc', port };
};

const readHook = (container: Fields, hook: Fields): UnopenedRequest | undefined => {
  const http = hook.fields('httpGet');
  const get = http === undefined ? undefined : readHttpGet(container, http);
  return get === undefined ? undefined : { kind: 'hook', port: get.port, path: get.path };
};

const printRequest = (request: KubeletRequest): string =>
  `${request.kind} ${request.port} ${'path' in request ? request.path : ''}`;

type ReadProbes = Pick<PodSpec, 'probes' | 'unopened' | 'shutProbes'>;

/**
 * The kubelet probes that policy must let through (design §6.2): plain HTTP and gRPC ones, each once; and what else kubelet
 * asks for. Each probe is kept open beside everything that governs its port, so of too many, or too long ones, nobody
 * knows which: none or not that one.
 */
export const readProbes = (containers: readonly Fields[]): ReadProbes => {
  const requests = new Map<string, KubeletRequest>();
  let shut = 0;
  const add = (written: Fields, request: KubeletRequest | undefined): void => {
    if (request === undefined) return;
    const size = 'path' in request ? bytesOf(request.path) : 0;
    if (fits(written, 'probePathBytes', { name: 'httpGet.path', size }))
      requests.set(printRequest(request), request);
    else shut += 1;
  };
  for (const container of containers) {
    for (const field of probeFields) {
      const probe = container.fields(field);
      if (probe !== undefined) add(probe, readProbe(container, probe));
    }
    for (const field of hookFields) {
      const hook = container.fields('lifecycle')?.fields(field);
      if (hook !== undefined) add(hook, readHook(container, hook));
    }
  }
  const [container] = containers;
  const isWithin = container === undefined || spend(container, 'probes', requests.size);
  if (!isWithin) return { probes: [], shutProbes: shut + requests.size };
  const all = [...requests.values()];
  const unopened = all.filter(isUnopened);
  return {
    probes: all.filter((request) => !isUnopened(request)),
    ...(unopened.length === 0 ? {} : { unopened }),
    ...(shut === 0 ? {} : { shutProbes: shut }),
  };
};

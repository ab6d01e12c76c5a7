import type { HttpRequest } from '@gatehouse/core/inbound/match-request';
import type { PolicyRule } from '@gatehouse/core/resources/kinds/gatehouse';
import type { Situation } from './situation.ts';

export const pathOf = ({ target }: HttpRequest): string => target.replace(/[?#].*$/s, '');

/** Whether the path lies under the prefix, segment by segment; slashes at the end count on neither side. */
export const isUnder = (prefix: string, path: string): boolean => {
  const segments = (text: string): string[] => text.replace(/\/+$/, '').split('/');
  const given = segments(path);
  return prefix === '/' || segments(prefix).every((segment, index) => given[index] === segment);
};

export const hasHeader = (
  { headers }: HttpRequest,
  name: string,
  holds: (value: string) => boolean,
): boolean =>
  headers.some((header) => header.name.toLowerCase() === name.toLowerCase() && holds(header.value));

/** Whether a rule of a NetworkAuthenticationPolicy speaks of the request (design §6.4). */
export const ruleAllows = ({ methods, paths, headers }: PolicyRule, request: HttpRequest): boolean => {
  const path = pathOf(request);
  return (
    (methods === undefined || methods.includes(request.method)) &&
    (paths === undefined ||
      paths.some(({ kind, value }) => (kind === 'exact' ? path === value : isUnder(value, path)))) &&
    (headers ?? []).every(({ name, value }) => hasHeader(request, name, (given) => given === value))
  );
};

/** A call is POST to /service/method, whatever follows; undefined = the request is none. */
export const callOf = (
  request: HttpRequest,
): { readonly service: string; readonly method: string } | undefined => {
  const [root, service, method] = pathOf(request).split('/');
  if (request.method !== 'POST' || root !== '' || service === undefined || method === undefined)
    return undefined;
  return { service, method };
};

/** Rules name a service by prefix, a method exactly. */
export const ruleAllowsCall = ({ methods, paths, headers }: PolicyRule, request: HttpRequest): boolean => {
  const call = callOf(request);
  if (call === undefined) return false;
  const { service, method } = call;
  return (
    (methods === undefined || methods.includes('POST')) &&
    (paths === undefined ||
      paths.some(({ kind, value }) => {
        if (kind === 'prefix' && (value === '/' || value.replace(/\/+$/, '') === `/${service}`)) return true;
        const exactly = kind === 'prefix' ? value.replace(/\/+$/, '') : value;
        // A rule names a method by its name; the call with the empty one it cannot name.
        return method !== '' && exactly === `/${service}/${method}`;
      })) &&
    (headers ?? []).every(({ name, value }) => hasHeader(request, name, (given) => given === value))
  );
};

/** What escapes stand for, byte by byte; undefined where a `%` is none. */
const escapedBytes = (path: string): readonly number[] | undefined => {
  const found = path.split('%').slice(1);
  if (found.some((text) => !/^[\da-f]{2}/i.test(text))) return undefined;
  return found.map((text) => Number.parseInt(text.slice(0, 2), 16));
};

/** A first byte that UTF-8 never has, or a second one that makes the form longer than it need be. */
const isOverlong = (path: string): boolean =>
  path
    .toLowerCase()
    .split('%')
    .slice(1)
    .some((text, at, all) => {
      const [byte, next] = [text, all[at + 1] ?? ''].map((hex) => Number.parseInt(hex.slice(0, 2), 16));
      if (byte === undefined) return false;
      if (byte === 0xc0 || byte === 0xc1 || byte > 0xf4) return true;
      const isFollowed = text.length === 2 && next !== undefined;
      return (
        isFollowed &&
        ((byte === 0xe0 && next >= 0x80 && next < 0xa0) || (byte === 0xf0 && next >= 0x80 && next < 0x90))
      );
    });

/** Of other scripts: what stands for a dot, a slash or a percent sign once it is normalised (docs/policy.md). */
const hasOtherMarks = (path: string): boolean => {
  const text = path.replace(/%([\da-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const read = Buffer.from(text, 'latin1').toString('utf8');
  return /[/／＼﹨∕∖⁄][．﹒︰․‥]|[／＼﹨∕∖⁄]\.|[％﹪][\da-f\uff00-\uff7f]/i.test(read);
};

/** Applications may read another path: what docs/policy.md lists under "Paths as applications read them". */
export const isUnnormalized = (path: string): boolean => {
  const escaped = escapedBytes(path);
  return (
    escaped === undefined ||
    escaped.some((byte) => byte < 0x20 || byte === 0x7f || './\\;%'.includes(String.fromCharCode(byte))) ||
    /[^!-~]/.test(path) ||
    ['//', '\\', ';'].some((text) => path.includes(text)) ||
    path.split('/').some((segment) => /^\.{1,2}(?:$|%)/.test(segment)) ||
    isOverlong(path) ||
    hasOtherMarks(path)
  );
};

/** The requests of kubelet's probes, and of the proxy's own on its admin port (design §6.2). No kubelet probes an ExternalWorkload. */
export const probesOf = ({
  target,
  port,
}: Situation): readonly { readonly method: string; readonly path: string }[] =>
  target.kind === 'ExternalWorkload'
    ? []
    : [
        ...target.spec.probes
          .filter((probe) => probe.port === port)
          .map((probe) =>
            probe.kind === 'http'
              ? { method: 'GET', path: probe.path }
              : { method: 'POST', path: '/grpc.health.v1.Health/Check' },
          ),
        ...(port === target.spec.proxyPorts.admin
          ? ['/live', '/ready'].map((path) => ({ method: 'GET', path }))
          : []),
      ];
